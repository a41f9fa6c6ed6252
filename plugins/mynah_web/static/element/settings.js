// The element's attributes, as the client's options and as what a page wishes.

/** What a session is opened with: another value is for the next session. */
export const OPENING = ["hub", "chunk-duration", "max-session-duration", "auto-play-responses", "enable-tts", "interpret",
  "parallel", "tracks"];

/** Whether an attribute says yes: without it `otherwise`, else anything but "false". */
export function is(element, name, otherwise) {
  const value = element.getAttribute(name);
  return value === null ? otherwise : value !== "false";
}

/** A number of milliseconds, undefined where there is none. */
export function ms(element, name) {
  const value = Number(element.getAttribute(name));
  return value > 0 ? value : undefined;
}

/** What a MynahClient is made with, of the element's attributes and properties. */
export function options(element) {
  const text = (name) => element.getAttribute(name) || undefined;
  const given = {
    hub: text("hub"), token: element.token || undefined, persona: text("persona"), language: text("language"),
    tracks: text("tracks"), chunkMs: ms(element, "chunk-duration"), maxSessionMs: ms(element, "max-session-duration"),
    context: Object.keys(element.context).length ? element.context : undefined,
    interpret: text("interpret") && { target: text("interpret"), source: text("language"),
      original: text("tracks") === "all", parallel: is(element, "parallel", false) },
    voice: is(element, "auto-play-responses", true) && is(element, "enable-tts", true),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The languages that buttons may have, the best first: what the element says, what is around it, the browser's. */
export function languages(element) {
  const wanted = [element.getAttribute("ui-language")];
  for (let at = element; at; at = at.getRootNode().host) wanted.push(at.closest("[lang]")?.lang);
  return [...wanted.filter(Boolean), ...navigator.languages];
}
