// What was said and what it became, side by side, as it comes: one card for each turn.

import { h, replace } from "./dom.js";
import { languageName } from "./languages.js";
import { waterfall } from "./waterfall.js";

const MOST = 100; // cards that are kept; the oldest go first
const ORIGINAL = 0; // the numbers of the tracks that the hub gives with `tracks: "all"`
const TRANSLATION = 1;

class Side {
  #sounding;
  #language;
  #t;

  constructor(kind, tag, t) {
    this.#t = t;
    this.#sounding = h("span", { class: "sounding", hidden: true }, t("interpret.sounding"));
    this.#language = h("span", {});
    this.text = h("p", { class: "text", dir: "auto" });
    this.element = h("div", { class: `side ${kind}` }, h("p", { class: "language muted" }, this.#language, this.#sounding),
      this.text);
    this.in(tag);
  }

  in(tag) {
    this.text.lang = tag;
    this.#language.textContent = languageName(tag, this.#t);
  }

  write(text, { partial = false } = {}) {
    this.text.textContent = text;
    this.text.classList.toggle("partial", partial);
  }

  sounds(does) {
    this.#sounding.hidden = !does;
    this.element.classList.toggle("sounds", does);
  }
}

class Card {
  #t;
  #tokens = "";
  #whole = false;

  constructor(turn, { source, target }, t) {
    this.#t = t;
    this.source = source;
    this.target = target;
    this.original = new Side("original", source, t);
    this.translation = new Side("translation", target, t);
    this.element = h("li", { class: "card interpreted", "data-turn": turn },
      h("div", { class: "sides" }, this.original.element, this.translation.element));
  }

  token(text) {
    if (this.#whole) return; // what comes after it is what the persona says of words that it could not translate
    this.#tokens += text;
    this.translation.write(this.#tokens.trimStart(), { partial: true });
  }

  translated({ text, language, untranslated = [] }) {
    this.#whole = true;
    this.translation.in(language);
    // With two people at one device it is the other language that was spoken.
    if (language === this.source) this.original.in(this.target);
    this.translation.write(text);
    if (untranslated.length === 0) return;
    this.tell("warn untranslated", this.#t("interpret.untranslated"), h("ul", {}, untranslated.map((each) => h("li", {}, each))));
  }

  tell(kind, ...words) {
    this.element.append(h("div", { class: `told ${kind}` }, words));
  }

  finish(finished) {
    const drawn = waterfall(finished, this.#t);
    this.element.append(drawn);
    return drawn;
  }
}

/** The cards of a conversation. `take(message)` shows a message of the hub, `playing` says which track sounds. */
export class InterpretedTurns {
  #t;
  #cards = new Map();
  #written = [];
  #languages;
  #said = h("p", { class: "offscreen", role: "status" });
  #list = h("ol", { class: "turns" });
  #takes = {
    stage: (card, { stage }) => stage === "translating" && this.#ask(card),
    partial_transcript: (card, { text }) => card.original.write(text, { partial: true }),
    transcript: (card, message) => this.#heard(card, message),
    token: (card, { text }) => card.token(text),
    translation: (card, message) => this.#translated(card, message),
    turn_finished: (card, message) => this.#finish(card, message),
    turn_failed: (card, { message }) => card.tell("bad failed", message),
    interrupted: (card, { reason }) => card.tell("muted", this.#t("interpret.stopped", { reason })),
  };

  constructor(t) {
    this.#t = t;
    this.element = h("div", { class: "conversation" }, this.#list, this.#said);
  }

  /** Begin anew to count turns, as with every session: what is shown stays. */
  begin(languages) {
    this.#languages = languages;
    this.#cards.clear();
    this.#written = [];
  }

  /** A text was sent: it is the original of the next turn that nobody spoke. */
  wrote(text) {
    this.#written.push(text);
  }

  /** What was sent last is not taken: no turn comes of it. */
  refused() {
    this.#written.pop();
  }

  /** Show what the hub says of a turn. */
  take(message) {
    if (message.type === "turn_dropped") {
      this.#cards.get(message.turn)?.element.remove();
      this.#cards.delete(message.turn);
    } else if (message.type in this.#takes) {
      this.#takes[message.type](this.#card(message.turn), message);
    }
  }

  /** Show which track of which turn is heard just now; null: none. */
  playing(turn, track) {
    for (const [name, card] of this.#cards) {
      card.original.sounds(name === turn && track === ORIGINAL);
      card.translation.sounds(name === turn && track === TRANSLATION);
    }
  }

  #card(turn) {
    if (!this.#cards.has(turn)) {
      const card = new Card(turn, this.#languages, this.#t);
      this.#cards.set(turn, card);
      this.#list.prepend(card.element);
      while (this.#list.children.length > MOST) this.#list.lastChild.remove();
      if (this.#cards.size > MOST) this.#cards.delete(this.#cards.keys().next().value);
    }
    return this.#cards.get(turn);
  }

  #ask(card) {
    if (card.heard || !this.#written.length) return;
    const { text, language } = this.#written.shift();
    card.original.in(language);
    card.original.write(text);
    if (language === card.target) card.translation.in(card.source);
  }

  #heard(card, { text, language }) {
    card.heard = true;
    if (language) card.original.in(language);
    card.original.write(text || this.#t("interpret.nothing"));
  }

  /** Only the newest waterfall stays open, so that the texts are what is seen of those before. */
  #finish(card, message) {
    if (this.#newest) this.#newest.open = false;
    this.#newest = card.finish(message);
  }

  #newest = null;

  #translated(card, message) {
    card.translated(message);
    replace(this.#said, `${languageName(message.language, this.#t)}: ${message.text}`);
  }
}
