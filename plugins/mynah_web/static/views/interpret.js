// Interpret: what one person says is heard in another language; two people may share the device.

import { MynahClient } from "../client/mynah-client.js";
import { Dialogue } from "../element/dialogue.js";
import { keys } from "../element/keys.js";
import { Notice } from "../element/notice.js";
import { Dock } from "../element/panel.js";
import { Stages } from "../element/stages.js";
import { sheet } from "../element/styles.js";
import { h, replace } from "../parts/dom.js";
import { InterpretChoice } from "../parts/interpret-choice.js";
import { InterpretedTurns } from "../parts/interpreted.js";
import { languageOptions } from "../parts/languages.js";

const PERSONA = "interpreter"; // speaks where the hub has it, as with `mynah ask --translate`

/** Show the view in `root` until `house.signal` ends it. */
export async function open(root, house) {
  const personas = await house.api("GET", "/api/v1/personas").catch((error) => house.say(error));
  if (house.signal.aborted) return;
  const persona = personas?.some(({ name }) => name === PERSONA) ? PERSONA : undefined;
  const interpreter = new Interpreter(house, persona);
  replace(root, h("h1", {}, house.t("nav.interpret")), interpreter.element);
  house.signal.addEventListener("abort", () => interpreter.leave());
  return { away: () => interpreter.away() };
}

class Interpreter {
  #t;
  #token;
  #persona;
  #choice;
  #turns;
  #dock;
  #stages;
  #notice;
  #language;
  #mode = "push_to_talk";
  #dialogue = new Dialogue(() => this.#make(), {
    made: () => this.#turns.begin(this.#choice.values),
    turn: (message) => this.#turns.take(message),
    over: () => this.#turns.playing(null, null),
    trouble: (error) => this.#notice.tell(error),
    changed: () => this.#show(),
    events: {
      error: ({ re }) => re === "text" && this.#turns.refused(),
      level: ({ level }) => this.#dock.talk.level(level),
      playing: ({ turn, track }) => this.#turns.playing(turn, track),
    },
  });

  constructor(house, persona) {
    const t = (this.#t = house.t);
    this.#token = house.token();
    this.#persona = persona;
    this.#choice = new InterpretChoice(t, () => this.#chosen());
    this.#turns = new InterpretedTurns(t);
    this.#stages = new Stages(t, { translates: true });
    this.#dock = new Dock(t, { ask: (text) => this.#ask(text), begin: () => this.#begin(), end: () => this.#dialogue.end(),
      mode: (mode) => this.#setMode(mode), stop: () => this.#dialogue.stop(), mute: () => this.#mute(),
      volume: (volume) => (this.#dialogue.need().volume = volume) });
    this.#dock.field.placeholder = t("interpret.type");
    this.#dock.field.setAttribute("aria-label", t("interpret.type"));
    this.#notice = new Notice(t, { listen: () => this.#begin(), type: () => this.#dock.field.focus(),
      restart: () => this.#connect(), token: (token) => this.#use(token) });
    this.element = h("div", { class: "interpret" }, this.#choice.element, this.#controls(), this.#turns.element);
    keys(this.element, () => this.#dock.talk, () => this.#dialogue.stop());
    this.#chosen();
  }

  /** The element's controls, with its styles. */
  #controls() {
    const controls = h("div", { class: "controls" });
    const root = controls.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#language = h("select", { name: "written", "aria-label": this.#t("interpret.written") });
    const written = h("label", { class: "written" }, h("span", {}, this.#t("interpret.written")), this.#language);
    replace(root, h("section", { class: "chat", "aria-label": this.#t("interpret.controls") }, this.#stages.element,
      this.#notice.element, this.#dock.element));
    return [controls, written];
  }

  // ------------------------------------------------------------ what is chosen

  /** What is interpreted is said as a session begins: the next input begins another one, below what is shown. */
  #chosen() {
    const { source, target, both } = this.#choice.values;
    replace(this.#language, languageOptions(source, this.#t, [source, target]));
    this.#language.parentElement.hidden = !both;
    this.leave();
  }

  #setMode(mode) {
    this.#dialogue.end();
    this.#mode = mode;
    this.#show();
  }

  #use(token) {
    this.#token = token;
    this.leave();
    return this.#connect();
  }

  // ------------------------------------------------------------ the client

  /** End the session. */
  leave() {
    this.#dialogue.drop();
    this.#show(); // the button's timer ends, too
  }

  /** Another view is looked at: what is said there is not for this one. */
  away() {
    this.#dialogue.end();
  }

  #make() {
    return new MynahClient({ token: this.#token || undefined, persona: this.#persona, policy: "queue", tracks: "all",
      language: this.#choice.values.source, interpret: this.#choice.interpret });
  }

  #connect() {
    return this.#dialogue.attempt(() => this.#dialogue.connected());
  }

  #ask(text) {
    const { both, source } = this.#choice.values;
    const language = both ? this.#language.value : source;
    return this.#dialogue.attempt(async () => {
      const client = await this.#dialogue.connected();
      this.#turns.wrote({ text, language });
      if (!client.ask(text, language)) this.#turns.refused();
    });
  }

  #begin() {
    return this.#dialogue.begin(this.#mode, () => this.#notice.clear());
  }

  #mute() {
    const client = this.#dialogue.need();
    client.muted = !client.muted;
    this.#show();
  }

  #show() {
    const { client, asking, listening, busy, stage } = this.#dialogue;
    this.#stages.show(stage);
    this.#dock.show({ mode: this.#mode, asking, listening, busy, limitMs: null, muted: client?.muted ?? false,
      volume: client?.volume ?? 1 });
  }
}
