// The conversation: one entry a turn, from the hub's messages, in the order in which the turns began.

import { h } from "../parts/dom.js";
import { Entry } from "./entry.js";
import { icon } from "./icons.js";

const KEPT = 100;
// An entry begins with any of these; what comes for a turn whose entry has gone begins none.
const BEGINNINGS = new Set(["stage", "partial_transcript", "transcript", "token"]);

/** Shows turns; `does` has shown(entry), gone(entry), replay(entry) and again(question). */
export class Conversation {
  #t;
  #does;
  #entries = []; // all that are shown
  #turns = new Map(); // those of this session, by turn
  #asked = []; // what was asked in writing, or is to be said, and has no turn yet
  #count = 0;
  #empty;
  #list;
  #follows = true; // whether what comes is to be seen at once

  constructor(t, does) {
    this.#t = t;
    this.#does = does;
    this.#empty = h("div", { class: "empty" }, icon("microphone"), h("p", {}, t("chat.empty")), h("p", {}, t("chat.empty.how")));
    this.#list = h("div", { class: "turns" }, this.#empty);
    this.element = h("div", { class: "log", part: "conversation", role: "log", "aria-live": "polite", tabindex: 0,
      "aria-label": t("chat.conversation"), onscroll: () => (this.#follows = this.#isAtEnd()) }, this.#list);
    // Whoever did not see it for a while sees what came last, unless they had gone back to something.
    new ResizeObserver(() => this.#follows && this.#toEnd()).observe(this.element);
  }

  /** Show what is asked in writing, or has to be said (`text` null), before the hub knows of it. */
  expect(text) {
    const entry = this.#add();
    if (text !== null) entry.ask(text);
    entry.wait();
    this.#asked.push(entry);
    return entry;
  }

  /** The hub could not be asked what was expected. */
  unexpect(entry, message) {
    this.#asked = this.#asked.filter((each) => each !== entry);
    entry.fail(message);
  }

  /** The hub does not take what was asked first of what has no turn yet. */
  refuse(message) {
    this.#asked.shift()?.fail(message);
  }

  /** Another session has begun: what was under way in the last one will not come, and turns are counted from 1 again. */
  restart() {
    for (const entry of this.#turns.values()) if (!entry.over) entry.fail(this.#t("chat.over"));
    this.#turns.clear();
  }

  /** The session is over, and nothing will come. */
  end() {
    this.restart();
    for (const entry of this.#asked.splice(0)) entry.fail(this.#t("chat.over"));
  }

  /** Take one of the hub's messages about a turn; returns the turn's entry, where there is one. */
  take(message) {
    const entry = this.#turns.get(message.turn) ?? (BEGINNINGS.has(message.type) ? this.#begin(message) : null);
    if (!entry) return null;
    const near = this.#isAtEnd();
    if (message.type === "turn_dropped") this.#remove(entry);
    else show(entry, message);
    if (near) this.#toEnd();
    return entry;
  }

  #begin({ turn, type, stage }) {
    const spoken = type === "stage" ? stage === "listening" || stage === "transcribing" : type !== "token";
    const entry = (!spoken && this.#asked.shift()) || this.#add();
    entry.begin(turn, `turn-${++this.#count}`);
    this.#turns.set(turn, entry);
    this.#does.shown(entry);
    return entry;
  }

  #add() {
    const entry = new Entry(this.#t, {
      replay: () => this.#does.replay(entry),
      again: (question) => this.#does.again(question),
    });
    this.#empty.remove();
    this.#entries.push(entry);
    this.#list.append(entry.element);
    if (this.#entries.length > KEPT) this.#remove(this.#entries[0]);
    this.#toEnd();
    return entry;
  }

  #remove(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#turns.delete(entry.turn);
    entry.element.remove();
    this.#does.gone(entry);
    if (!this.#entries.length) this.#list.append(this.#empty);
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }
}

function show(entry, message) {
  switch (message.type) {
    case "stage":
      if (message.stage === "listening") entry.ask("", false);
      else if (message.stage !== "transcribing") entry.wait();
      break;
    case "partial_transcript": entry.ask(message.text, false); break;
    case "transcript": entry.ask(message.text); break;
    case "token": entry.add(message.text); break;
    case "turn_finished": entry.finish(message.reply); break;
    case "turn_failed": entry.fail(message.message); break;
    case "interrupted": entry.interrupt(message.heard); break;
  }
}
