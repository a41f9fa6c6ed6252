// What shows the hub as it is now: asked again and again, or read as it comes; drawn once a frame at most.

import { ApiError, stream } from "./api.js";

const AGAIN_MS = [500, 1000, 2000, 5000, 10000];

/** Wait for so long, or until `signal` ends it; returns whether it went by. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const end = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

/** Draw soon: calls of what this returns lead to one call of `draw` with the next frame. */
export function eachFrame(draw, signal) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!signal.aborted) draw();
    });
  };
}

/** Do something soon, however often it is asked for: at most once in `ms`. */
export function seldom(act, ms, signal) {
  let waiting = false;
  return async () => {
    if (waiting) return;
    waiting = true;
    const passed = await pause(ms, signal);
    waiting = false;
    if (passed) act();
  };
}

/**
 * Look again every `ms` while the page is seen, until the view is left; trouble is told above the view, and taken back when it
 * is over. Returns `now()`, which looks at once.
 */
export function look(house, ms, ask) {
  const { signal } = house;
  let wake = () => {};
  let troubled = false;
  let asking = false;
  let again = false;

  const once = async () => {
    asking = true;
    try {
      await ask();
      if (troubled) house.say("");
      troubled = false;
    } catch (error) {
      if (signal.aborted) return false;
      if (!troubled || error.status !== 0) house.say(error);
      troubled = true;
      // Without a token that is good, asking again would only count as one more wrong one.
      if (error.status === 401 || error.status === 403) return false;
      if (!(error instanceof ApiError)) throw error;
    } finally {
      asking = false;
    }
    return true;
  };
  const run = async () => {
    while (!signal.aborted && (document.hidden || (await once()))) {
      if (again) { // what was asked for while an answer was on its way may not be in it
        again = false;
        continue;
      }
      await new Promise((resolve) => {
        const ended = new AbortController();
        wake = () => ended.abort();
        signal.addEventListener("abort", wake, { once: true, signal: ended.signal });
        pause(ms, ended.signal).then(resolve);
      });
    }
  };
  document.addEventListener("visibilitychange", () => wake(), { signal });
  run();
  return () => {
    again = asking;
    wake();
  };
}

/**
 * Read the hub's events until the view is left, however often the connection has to be made anew. `take(event)` gets each,
 * once: of those that come first again after a new connection, only those that were missed. `connected(yes)` tells whether
 * the stream stands.
 */
export async function follow(house, path, take, connected) {
  const { signal } = house;
  let failures = 0;
  let newest = 0;
  while (!signal.aborted) {
    const seen = newest;
    try {
      await stream(path, (event) => {
        failures = 0;
        if (event.time && event.time <= seen) return;
        newest = Math.max(newest, event.time ?? 0);
        take(event);
      }, { signal, opened: () => connected(true) });
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 403 || error.status === 404) {
        connected(false);
        if (error.status !== 404) house.say(error);
        return;
      }
    }
    connected(false);
    await pause(AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)], signal);
  }
}

/** The role of whoever looks: "admin" or "viewer". */
export async function role(house) {
  return (await house.api("GET", "/api/v1/me")).role;
}

/** A time of day, from seconds since the epoch; with the date where that is not today. */
export function clock(t, seconds, { exact = true } = {}) {
  const at = new Date(seconds * 1000);
  const today = at.toDateString() === new Date().toDateString();
  const style = { hour: "2-digit", minute: "2-digit", ...(exact ? { second: "2-digit" } : {}), ...(today ? {} : { day: "numeric", month: "short" }) };
  return format(t, JSON.stringify(style), style).format(at);
}

const formats = new Map(); // making one costs more than using it a thousand times

function format(t, key, style) {
  // Who reads English in Britain has 24 hours: the browser's own kind of the page's language is taken where it has one.
  const language = navigator.languages.find((each) => each.startsWith(t.language)) ?? t.language;
  const name = `${language} ${key}`;
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(language, style));
  return formats.get(name);
}

/** How long ago something was, in the page's language. */
export function ago(t, seconds) {
  const s = Math.max(0, Date.now() / 1000 - seconds);
  const [n, unit] = s < 60 ? [s, "second"] : s < 3600 ? [s / 60, "minute"] : s < 86400 ? [s / 3600, "hour"] : [s / 86400, "day"];
  return new Intl.RelativeTimeFormat(t.language, { numeric: "auto", style: "short" }).format(-Math.floor(n), unit);
}
