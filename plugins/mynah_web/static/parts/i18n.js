// The page's texts: one file a language under texts/, all with the same keys; see tests/plugins/web/test_web_texts.py.

export const LANGUAGES = { en: "English", es: "Español", de: "Deutsch", zh: "中文" };
const FALLBACK = "en";

/** The language of a list of preferences that there are texts in. */
export function choose(preferences) {
  for (const preference of preferences) {
    const language = String(preference).toLowerCase().split("-")[0];
    if (language in LANGUAGES) return language;
  }
  return FALLBACK;
}

/** Load the texts of a language; returns t(key, values), which puts values in the place of {names}. */
export async function load(language) {
  const answer = await fetch(new URL(`../texts/${language}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`texts/${language}.json: ${answer.status}`);
  const texts = await answer.json();
  const t = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  t.language = language;
  t.has = (key) => key in texts;
  return t;
}
