// Languages to choose from, by the names that the page's language has for them.

import { h } from "./dom.js";

/** Tags of the languages that are offered. Any other may be added where one is known already. */
export const OFFERED = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "vi", "zh"];

/** The name of a language in the page's language; a tag that is unknown stays as it is. */
export function languageName(tag, t) {
  try {
    return new Intl.DisplayNames([t.language], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Options of a select: `tags` and `chosen`, ordered by name, with `chosen` selected. */
export function languageOptions(chosen, t, tags = OFFERED) {
  const names = [...new Set([...tags, chosen].filter(Boolean))].map((tag) => [tag, languageName(tag, t)]);
  return names.sort(([, one], [, other]) => one.localeCompare(other, t.language))
    .map(([tag, name]) => h("option", { value: tag, selected: tag === chosen }, name));
}
