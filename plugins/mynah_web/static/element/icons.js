// The element's icons: outlines on a field of 24 by 24, in the colour of the text around them.

import { s } from "../parts/dom.js";

const PATHS = {
  microphone: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M9 21h6",
  send: "M5 12h13M12.5 6l6 6-6 6",
  stop: "M7.5 7.5h9v9h-9z",
  loud: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  silent: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  play: "M8 5.5v13l10.5-6.5z",
  chart: "M5 19.5v-6M12 19.5v-15M19 19.5v-9",
  alert: "M12 4l9 16H3zM12 10v4.5M12 17.2v.1",
  listening: "M4 10v4M8 7v10M12 4v16M16 7v10M20 10v4",
  transcribing: "M5 7h14M5 12h9M5 17h6",
  thinking: "M6 12v.1M12 12v.1M18 12v.1",
  translating: "M4 8h14M14.5 4.5L18 8l-3.5 3.5M20 16H6M9.5 12.5L6 16l3.5 3.5",
  speaking: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6",
};

/** Make an icon; it says nothing to screen readers, so that what it stands on must have a name. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    s("path", { d: PATHS[name] }));
}
