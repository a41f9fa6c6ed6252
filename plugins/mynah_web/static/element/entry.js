// One turn in the conversation: what was asked, what is answered, and how it ended.

import { h, replace } from "../parts/dom.js";
import { icon } from "./icons.js";

/** An entry; `does` has replay() and again(question), which its buttons call. */
export class Entry {
  #t;
  #does;
  #reply = "";
  #question = "";
  #said = h("p", { class: "text" });
  #answer = h("p", { class: "text" });
  #foot = h("p", { class: "foot" });
  #play = null;

  constructor(t, does) {
    this.#t = t;
    this.#does = does;
    this.asked = h("div", { class: "bubble mine", hidden: true }, h("span", { class: "hidden" }, t("chat.you")), this.#said);
    this.answered = h("div", { class: "bubble theirs", hidden: true },
      h("span", { class: "hidden" }, t("chat.answer")), this.#answer, this.#foot);
    this.place = h("div", { class: "place" });
    this.element = h("article", { class: "entry", "aria-busy": "true" }, this.asked, this.answered, this.place);
  }

  /** The hub has begun this turn; what the page adds to it comes into the slot. */
  begin(turn, slot) {
    this.turn = turn;
    this.slot = slot;
    this.place.append(h("slot", { name: slot }));
  }

  /** Whether nothing more will come. */
  get over() {
    return this.element.getAttribute("aria-busy") === "false";
  }

  /** Show what was asked; `final` where it will not change any more. */
  ask(text, final = true) {
    this.#question = text;
    this.asked.hidden = false;
    this.#said.classList.toggle("partial", !final);
    this.#said.textContent = text || (final ? this.#t("chat.nothing_understood") : "…");
  }

  /** Show that an answer is being thought of. */
  wait() {
    if (this.#reply) return;
    this.answered.hidden = false;
    this.answered.classList.add("waiting");
    replace(this.#answer, h("span", { class: "dots", "aria-hidden": "true" }, [0, 1, 2].map(() => h("i"))));
  }

  /** Add a piece of the answer. */
  add(piece) {
    this.#reply += piece;
    this.#show(this.#reply);
    this.answered.classList.add("coming");
  }

  #show(text) {
    this.answered.hidden = !text;
    this.answered.classList.remove("waiting");
    this.#answer.textContent = text;
  }

  /** The answer is complete. */
  finish(reply) {
    this.#reply = reply || this.#reply;
    this.#show(this.#reply);
    this.#over();
  }

  /** It was stopped; `heard` are the words that had sounded: the rest is shown pale. */
  interrupt(heard) {
    const reply = this.#reply;
    const until = reply.startsWith(heard) ? heard.length : 0;
    this.answered.hidden = false;
    this.answered.classList.remove("waiting");
    replace(this.#answer, reply.slice(0, until), h("span", { class: "unheard" }, reply.slice(until)));
    this.#note(this.#t("chat.interrupted"));
    this.#over();
  }

  /** It came to nothing: say why, and offer to ask again what was asked. */
  fail(message) {
    this.#show(this.#reply);
    this.answered.hidden = false;
    this.answered.classList.add("failed");
    const again = this.#question && h("button", { type: "button", class: "way", onclick: () => this.#does.again(this.#question) },
      this.#t("chat.way.again"));
    this.#note(icon("alert"), h("span", {}, message), again);
    this.#over();
  }

  #note(...parts) {
    replace(this.#foot, parts, this.#play);
  }

  #over() {
    this.answered.classList.remove("coming");
    this.element.setAttribute("aria-busy", "false");
  }

  /** Offer to hear the answer (again), or no longer. */
  playable(yes) {
    this.#play?.remove();
    this.#play = yes ? h("button", { type: "button", class: "quiet", onclick: () => this.#does.replay() }, icon("play"),
      this.#t("chat.replay")) : null;
    if (this.#play) this.#foot.append(this.#play);
  }
}
