// What stands around the conversation: the connection, statistics, and the controls below.

import { h, replace } from "../parts/dom.js";
import { icon } from "./icons.js";
import { TalkButton } from "./talk-button.js";

/** The line above: how the connection is, who answers, and statistics that can be opened. */
export class Head {
  #t;
  #read;
  #timer = 0;
  #text = h("span", {});
  #who = h("span", { class: "who" });

  /** `read()` returns the session's statistics, with answerMs and soundMs where they are known. */
  constructor(t, read) {
    this.#t = t;
    this.#read = read;
    this.#state = h("p", { class: "state", part: "state", role: "status" }, h("span", { class: "dot" }), this.#text);
    this.#figures = h("dl", { class: "figures", part: "statistics", id: "figures", hidden: true });
    this.#open = h("button", { type: "button", class: "bare", "aria-expanded": "false", "aria-controls": "figures",
      "aria-label": t("chat.statistics"), title: t("chat.statistics"), onclick: () => this.#toggle() }, icon("chart"));
    this.element = h("header", { class: "head" }, h("div", { class: "line" }, this.#state, this.#who, this.#open), this.#figures);
  }

  #state;
  #figures;
  #open;

  /** Show the connection's state, in words, and who answers. */
  show(state, text, who) {
    this.#state.dataset.state = state;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#who.textContent = title(who ?? "");
    this.#refresh();
  }

  #toggle() {
    const hidden = !this.#figures.hidden;
    this.#figures.hidden = hidden;
    this.#open.setAttribute("aria-expanded", String(!hidden));
    this.stop();
    if (hidden) return;
    this.#refresh();
    this.#timer = setInterval(() => this.#refresh(), 1000);
  }

  #refresh() {
    if (this.#figures.hidden) return;
    const read = this.#read();
    const ms = (value) => (value === undefined ? "–" : `${Math.round(value)} ms`);
    const figures = {
      since: read.sessionId ? new Date(read.createdAt * 1000).toLocaleTimeString(this.#t.language) : "–",
      language: read.language || "–", entries: read.conversationEntries, answer: ms(read.answerMs), sound: ms(read.soundMs),
      pending: read.pendingTranscriptions + read.pendingResponses, buffer: read.bufferChunks,
    };
    replace(this.#figures, Object.entries(figures).map(([name, value]) =>
      h("div", {}, h("dt", {}, this.#t(`chat.figure.${name}`)), h("dd", {}, value))));
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/** The controls below: typing, talking, how the microphone listens, stop, mute and volume. */
export class Dock {
  #t;
  #does;
  #modes;
  #mute;
  #volume;
  #stop;

  /** `does` has ask(text), begin(), end(), mode(name), stop(), mute(), volume(0…1). */
  constructor(t, does) {
    this.#t = t;
    this.#does = does;
    this.talk = new TalkButton(t, does);
    this.#stop = this.#round("stop", "chat.stop", () => does.stop());
    this.#stop.classList.add("stop");
    this.#mute = this.#round("loud", "chat.mute", () => does.mute());
    this.#volume = h("input", { type: "range", class: "volume", min: 0, max: 100, step: 5, value: 100,
      "aria-label": t("chat.volume"), oninput: (event) => does.volume(event.target.value / 100) });
    this.element = h("div", { class: "dock", part: "controls" }, this.#form(),
      h("div", { class: "controls" }, this.#switch(),
        this.talk.button, h("div", { class: "sound" }, this.#stop, this.#mute, this.#volume)),
      h("div", { class: "live" }, this.talk.meter, this.talk.time, this.talk.hint));
  }

  #round(name, key, onclick) {
    return h("button", { type: "button", class: "round", "aria-label": this.#t(key), title: this.#t(key), onclick }, icon(name));
  }

  #form() {
    this.field = h("input", { type: "text", class: "question", name: "question", maxlength: 4000, autocomplete: "off",
      enterkeyhint: "send", "aria-label": this.#t("chat.type"), placeholder: this.#t("chat.type") });
    const send = (event) => {
      event.preventDefault();
      const text = this.field.value.trim();
      this.field.value = "";
      if (text) this.#does.ask(text);
    };
    return h("form", { class: "typing", part: "typing", onsubmit: send }, this.field,
      h("button", { class: "round send", "aria-label": this.#t("chat.send"), title: this.#t("chat.send") }, icon("send")));
  }

  #switch() {
    this.#modes = ["push_to_talk", "open"].map((mode) =>
      h("button", { type: "button", "data-mode": mode, onclick: () => this.#does.mode(mode) }, this.#t(`chat.mode.${mode}`)));
    return h("div", { class: "modes", role: "group", "aria-label": this.#t("chat.mode") }, this.#modes);
  }

  /** Show all that can change: {mode, asking, listening, limitMs, busy, muted, volume}. */
  show({ mode, asking, listening, limitMs, busy, muted, volume }) {
    for (const button of this.#modes) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    this.talk.show({ mode, asking, on: listening, limitMs });
    this.#stop.disabled = !busy;
    if (this.#mute.ariaPressed !== String(muted)) replace(this.#mute, icon(muted ? "silent" : "loud"));
    this.#mute.setAttribute("aria-pressed", String(muted));
    this.#volume.value = Math.round(volume * 100);
  }
}

/** The title of a persona of that name, which the hub does not tell here: "zoo_guide" is Zoo guide. */
function title(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}
