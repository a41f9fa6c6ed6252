// Talk: a conversation with a persona, and under every answer how long it took and who gave it.

import "../element/mynah-voice-chat.js";
import { h, replace } from "../parts/dom.js";
import { keep, recall } from "../parts/kept.js";
import { languageName, languageOptions } from "../parts/languages.js";

const NAME = "talk";
const PLACES = 16; // turns that may be without their waterfall at a time
const USUAL = { persona: "", language: "" };

/** Show the view in `root` until `house.signal` ends it. */
export async function open(root, house) {
  const talk = new Talk(house);
  replace(root, h("h1", { class: "offscreen" }, house.t("nav.talk")), talk.element);
  house.signal.addEventListener("abort", () => talk.leave());
  const personas = await house.api("GET", "/api/v1/personas").catch((error) => house.say(error));
  if (personas) talk.meet(personas);
  return { away: () => talk.away() };
}

class Talk {
  #t;
  #kept = recall(NAME, USUAL);
  #personas = new Map();
  #persona; // the select
  #language; // the other
  #who = h("p", { class: "who muted", role: "status" });
  #chat;
  #usual = ""; // who answers where nobody was chosen

  constructor(house) {
    const t = (this.#t = house.t);
    this.#chat = document.createElement("mynah-voice-chat");
    this.#chat.setAttribute("ui-language", t.language);
    this.#chat.token = house.token();
    this.#chat.addEventListener("client", ({ detail }) => this.#follow(detail));
    this.#persona = h("select", { name: "persona", onchange: (event) => this.#choose({ persona: event.target.value }) },
      h("option", { value: "" }, t("talk.persona.usual")));
    this.#language = h("select", { name: "language", onchange: (event) => this.#choose({ language: event.target.value }) },
      h("option", { value: "" }, t("talk.language.usual")), languageOptions(this.#kept.language, t));
    this.#chat.addEventListener("turn", ({ detail: { turn, element } }) => this.#place(turn, element));
    const named = (key, select) => h("label", {}, h("span", {}, t(key)), select);
    this.element = h("div", { class: "talk" }, h("div", { class: "choice" }, named("talk.persona", this.#persona),
      named("talk.language", this.#language)), this.#who, this.#chat);
    this.#apply();
  }

  #drawing = null;
  #places = new Map(); // where the page may write, by turn

  /** Take the personas that the hub has: [{name, title, language, description}]. */
  meet(personas) {
    this.#personas = new Map(personas.map((persona) => [persona.name, persona]));
    if (!this.#personas.has(this.#kept.persona)) this.#kept.persona = ""; // it is gone from the hub
    this.#persona.append(...personas.map(({ name, title }) => h("option", { value: name }, title || name)));
    this.#apply();
  }

  leave() {
    this.#chat.endSession();
  }

  /** Another view is looked at: the conversation goes on, but what is said there is not for it. */
  away() {
    this.#chat.stopListening();
  }

  // ------------------------------------------------------------ what is chosen

  #choose(changes) {
    this.#kept = { ...this.#kept, ...changes };
    keep(NAME, this.#kept);
    this.#apply();
  }

  /** Have the chosen one speak, in the chosen language or in its own: from the next turn on, in the same conversation. */
  #apply() {
    const { persona, language } = this.#kept;
    const spoken = language || this.#personas.get(persona || this.#usual)?.language;
    this.#set("persona", persona);
    this.#set("language", spoken);
    this.#show(persona || this.#usual, spoken);
  }

  #set(name, value) {
    if (value) this.#chat.setAttribute(name, value);
    else this.#chat.removeAttribute(name);
  }

  /** Show who answers in which language; nobody is named before it is known who is usual. */
  #show(name, language) {
    const persona = this.#personas.get(name);
    if (name) this.#persona.querySelector("[value='']")?.remove();
    this.#persona.value = name;
    this.#language.value = this.#kept.language;
    const values = persona && { persona: persona.title || name, language: languageName(language ?? persona.language, this.#t) };
    replace(this.#who, values && this.#t("talk.who", values), persona?.description ? ` ${persona.description}.` : "");
  }

  // ------------------------------------------------------------ what comes

  #follow(client) {
    this.#places.clear();
    // It comes while the first answer is awaited; that a hub is gone is told of elsewhere.
    this.#drawing = import("../parts/waterfall.js").catch(() => null);
    client.addEventListener("welcome", ({ detail: { persona, language } }) => this.#welcomed(persona, language));
    client.addEventListener("turn_finished", ({ detail }) => this.#draw(detail));
  }

  /** The hub says who answers: whom it has answer where nobody was chosen is known only now. */
  #welcomed(persona, language) {
    if (this.#kept.persona) return;
    this.#usual = persona;
    this.#show(persona, language);
  }

  /** Of the last few turns only: what the conversation has let go is not to be kept here. */
  #place(turn, element) {
    this.#places.set(turn, element);
    if (this.#places.size > PLACES) this.#places.delete(this.#places.keys().next().value);
  }

  /** Only the newest waterfall stays open, so that the conversation is what is seen of those before. */
  async #draw(finished) {
    const place = this.#places.get(finished.turn);
    const drawing = await this.#drawing;
    if (!place || !drawing) return;
    if (this.#newest) this.#newest.open = false;
    this.#newest = drawing.waterfall(finished, this.#t);
    replace(place, this.#newest);
    // Only the conversation is to scroll, not the page.
    this.#newest.scrollIntoView({ block: "nearest", container: "nearest" });
  }

  #newest = null;
}
