// The button that is held to talk, or switches an open microphone; with level, elapsed time and its limit.

import { h, s } from "../parts/dom.js";
import { icon } from "./icons.js";

const BARS = 25;
const AROUND = 2 * Math.PI * 45;
// A press that is shorter than this is a tap: it starts what the next one ends, for those who cannot hold a button.
const TAP_MS = 300;

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Calls `begin()` and `end()`; is told by `show` whether the microphone is on, and by `level` how loud it is. */
export class TalkButton {
  #t;
  #does;
  #mode = "push_to_talk";
  #on = false;
  #asking = false;
  #held = null; // since when the button is held, by performance.now()
  #ends = false; // whether this press ends what a tap began
  #since = 0;
  #limitMs = null;
  #timer = 0;
  #levels = new Array(BARS).fill(0);
  #bars = [];
  #ring;

  constructor(t, does) {
    this.#t = t;
    this.#does = does;
    this.#ring = s("circle", { class: "elapsed", cx: 50, cy: 50, r: 45, "stroke-dasharray": AROUND, "stroke-dashoffset": AROUND });
    this.button = h("button", { type: "button", class: "talk", part: "talk", "aria-pressed": "false",
      "aria-describedby": "hint" }, s("svg", { class: "ring", viewBox: "0 0 100 100", "aria-hidden": "true" },
      s("circle", { cx: 50, cy: 50, r: 45 }), this.#ring), icon("microphone"));
    this.#drawMeter();
    this.time = h("span", { class: "time", role: "timer" });
    this.hint = h("p", { class: "hint", id: "hint" });
    this.#listen();
    this.#draw();
  }

  #drawMeter() {
    this.#bars = this.#levels.map((_, index) => s("rect", { x: index * 4, width: 2.4, rx: 1.2, y: 11, height: 2 }));
    this.meter = h("div", { class: "meter", role: "meter", "aria-label": this.#t("chat.level"), "aria-valuemin": 0,
      "aria-valuemax": 100, "aria-valuenow": 0 },
    s("svg", { viewBox: `0 0 ${BARS * 4} 24`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.#bars));
  }

  #listen() {
    const button = this.button;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.#mode === "open") return;
      button.setPointerCapture(event.pointerId);
      this.press();
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(type, () => this.release());
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // Enter and screen readers click without a press before it; an open microphone is only ever clicked.
    button.addEventListener("click", (event) => {
      if (this.#mode === "open" || event.detail === 0) this.#toggle();
    });
  }

  /** The button, or its key, went down. */
  press() {
    if (this.#held !== null) return;
    if (this.#mode === "open") {
      this.#toggle();
      return;
    }
    this.#held = performance.now();
    this.#ends = this.#on || this.#asking;
    if (!this.#ends) this.#does.begin();
  }

  /** It came up again: what was said is complete, unless that was but a tap. */
  release() {
    if (this.#held === null) return;
    const tapped = performance.now() - this.#held < TAP_MS;
    this.#held = null;
    if (this.#ends || !tapped) this.#does.end();
    this.#draw();
  }

  #toggle() {
    if (this.#on || this.#asking) this.#does.end();
    else this.#does.begin();
  }

  /**
   * Show how the microphone listens: the `mode` that a press begins, whether it is `on`, for how long it may be, in ms,
   * and whether the browser is being asked for it (`asking`).
   */
  show({ mode, asking, on, limitMs }) {
    this.#mode = mode;
    this.#asking = asking;
    this.#limitMs = limitMs;
    if (on !== this.#on) {
      this.#on = on;
      clearInterval(this.#timer);
      if (on) this.#start();
      else this.#levels.fill(0);
    }
    this.#draw();
  }

  #start() {
    this.#since = performance.now();
    this.#timer = setInterval(() => this.#tick(), 100);
  }

  /** Let go of the timer. */
  stop() {
    clearInterval(this.#timer);
  }

  #tick() {
    const elapsed = performance.now() - this.#since;
    this.#drawTime(elapsed);
    if (this.#limitMs && elapsed >= this.#limitMs) this.#does.end();
  }

  /** How loud it is just now, from 0 to 1. */
  level(value) {
    this.#levels.push(value);
    this.#levels.shift();
    this.button.style.setProperty("--level", value.toFixed(3));
    this.meter.setAttribute("aria-valuenow", Math.round(value * 100));
    this.#drawLevels();
  }

  #drawLevels() {
    for (const [index, bar] of this.#bars.entries()) {
      const height = 2 + 22 * Math.min(1, this.#levels[index]);
      bar.setAttribute("y", ((24 - height) / 2).toFixed(1));
      bar.setAttribute("height", height.toFixed(1));
    }
  }

  #drawTime(elapsed) {
    const limit = this.#limitMs;
    this.time.textContent = limit ? `${clock(elapsed)} / ${clock(limit)}` : clock(elapsed);
    this.#ring.setAttribute("stroke-dashoffset", limit ? AROUND * (1 - Math.min(1, elapsed / limit)) : AROUND);
  }

  #draw() {
    const open = this.#mode === "open";
    const key = this.#on ? (open ? "chat.talk.close" : "chat.talk.end") : open ? "chat.talk.open" : "chat.talk.hold";
    this.button.setAttribute("aria-pressed", String(this.#on));
    this.button.setAttribute("aria-label", this.#t(key));
    this.button.classList.toggle("asking", this.#asking);
    const hint = this.#asking ? "asking" : this.#on && this.#held !== null ? "release" : key.split(".")[2];
    const text = this.#t(`chat.hint.${hint}`);
    if (this.hint.textContent !== text) this.hint.textContent = text;
    this.meter.hidden = this.time.hidden = !this.#on;
    if (!this.#on) {
      this.button.style.setProperty("--level", "0");
      this.#drawTime(0);
      this.#drawLevels();
    }
  }
}
