// Interpret: what one person says is heard in another language; two people may share the device.

import { MynahClient } from "../client/mynah-client.js";
import { keys } from "../element/keys.js";
import { Notice } from "../element/notice.js";
import { Dock } from "../element/panel.js";
import { Stages } from "../element/stages.js";
import { sheet } from "../element/styles.js";
import { h, replace } from "../parts/dom.js";
import { InterpretChoice } from "../parts/interpret-choice.js";
import { InterpretedTurns } from "../parts/interpreted.js";
import { languageOptions } from "../parts/languages.js";

const TOLD = ["stage", "partial_transcript", "transcript", "phrase", "token", "translation", "turn_finished", "turn_failed",
  "turn_dropped", "interrupted"];
const OVER = new Set(["turn_finished", "turn_failed", "turn_dropped", "interrupted"]);
const PERSONA = "interpreter"; // speaks where the hub has it, as with `mynah ask --translate`

/** Show the view in `root` until `house.signal` ends it. */
export async function open(root, house) {
  const personas = await house.api("GET", "/api/v1/personas").catch((error) => house.say(error));
  if (house.signal.aborted) return;
  const persona = personas?.some(({ name }) => name === PERSONA) ? PERSONA : undefined;
  const interpreter = new Interpreter(house, persona);
  replace(root, h("h1", {}, house.t("nav.interpret")), interpreter.element);
  house.signal.addEventListener("abort", () => interpreter.leave());
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
  #client = null;
  #unwire = () => {};
  #mode = "push_to_talk";
  #wanted = false; // whether the microphone is to be on: a press may end before the microphone has begun
  #under = new Set();
  #sounds = null;

  constructor(house, persona) {
    const t = (this.#t = house.t);
    this.#token = house.token();
    this.#persona = persona;
    this.#choice = new InterpretChoice(t, () => this.#chosen());
    this.#turns = new InterpretedTurns(t);
    this.#stages = new Stages(t, { translates: true });
    this.#dock = new Dock(t, { ask: (text) => this.#ask(text), begin: () => this.#begin(), end: () => this.#end(),
      mode: (mode) => this.#setMode(mode), stop: () => this.#stop(), mute: () => this.#mute(),
      volume: (volume) => (this.#need().volume = volume) });
    this.#dock.field.placeholder = t("interpret.type");
    this.#dock.field.setAttribute("aria-label", t("interpret.type"));
    this.#notice = new Notice(t, { listen: () => this.#begin(), type: () => this.#dock.field.focus(),
      restart: () => this.#attempt(() => this.#connected()), token: (token) => this.#use(token) });
    this.element = h("div", { class: "interpret" }, this.#choice.element, this.#controls(), this.#turns.element);
    keys(this.element, () => this.#dock.talk, () => this.#stop());
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
    this.#end();
    this.#mode = mode;
    this.#show();
  }

  #use(token) {
    this.#token = token;
    this.leave();
    return this.#attempt(() => this.#connected());
  }

  // ------------------------------------------------------------ the client

  /** End the session. */
  leave() {
    const client = this.#client;
    this.#client = null;
    this.#wanted = false;
    this.#unwire();
    this.#under.clear();
    this.#sounds = null;
    this.#turns.playing(null, null);
    this.#stages.show(null);
    this.#show(); // the button's timer ends, too
    client?.close().catch(() => {}); // the hub forgets a session that it cannot be told to end
  }

  #need() {
    if (this.#client) return this.#client;
    const client = new MynahClient({ token: this.#token || undefined, persona: this.#persona, policy: "queue", tracks: "all",
      language: this.#choice.values.source, interpret: this.#choice.interpret });
    const controller = new AbortController();
    const on = (type, take) => client.addEventListener(type, (event) => take(event.detail), { signal: controller.signal });
    for (const type of TOLD) on(type, (message) => this.#take({ ...message, type }));
    on("error", ({ re }) => re === "text" && this.#turns.refused());
    on("listening", () => this.#show());
    on("level", ({ level }) => this.#dock.talk.level(level));
    on("playing", ({ turn, track }) => this.#plays(turn, track));
    on("volume", () => this.#show());
    on("state", ({ state }) => state !== "connected" && this.#show());
    on("problem", (problem) => this.#trouble(problem));
    this.#unwire = () => controller.abort();
    this.#turns.begin(this.#choice.values);
    this.#client = client;
    return client;
  }

  async #connected() {
    const client = this.#need();
    if (client.state !== "connected" && client.state !== "reconnecting") await client.connect();
    return client;
  }

  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      this.#trouble(error);
    }
    this.#show();
  }

  #ask(text) {
    const { both, source } = this.#choice.values;
    const language = both ? this.#language.value : source;
    return this.#attempt(async () => {
      const client = await this.#connected();
      this.#turns.wrote({ text, language });
      if (!client.ask(text, language)) this.#turns.refused();
    });
  }

  #begin() {
    this.#wanted = true;
    return this.#attempt(async () => {
      const client = await this.#connected();
      if (this.#wanted) await client.listen(this.#mode);
      if (!this.#wanted) client.endListening();
    });
  }

  #end() {
    this.#wanted = false;
    if (this.#client?.listening) this.#client.endListening();
  }

  #stop() {
    if (this.#client?.state === "connected" && this.#busy) this.#client.interrupt("stop");
  }

  #mute() {
    const client = this.#need();
    client.muted = !client.muted;
    this.#show();
  }

  // ------------------------------------------------------------ what comes

  #take(message) {
    this.#turns.take(message);
    if (message.type === "stage") this.#under.add(message.turn);
    if (OVER.has(message.type)) this.#under.delete(message.turn);
    if (message.type === "stage") this.#stages.show(message.stage);
    else if (!this.#busy) this.#stages.show(null);
    this.#show();
  }

  #plays(turn, track) {
    this.#sounds = turn;
    this.#turns.playing(turn, track);
    if (!this.#busy) this.#stages.show(null);
    this.#show();
  }

  #trouble({ code = "failed", message, hint }) {
    const words = (key, otherwise) => (this.#t.has(key) ? this.#t(key) : otherwise);
    if (code === "lost") return; // the client is at it
    this.#notice.show({ code, message: words(`client.${code}`, message), hint: words(`client.${code}.hint`, hint) });
  }

  get #busy() {
    return this.#under.size > 0 || this.#sounds !== null;
  }

  #show() {
    const client = this.#client;
    this.#dock.show({ mode: this.#mode, listening: Boolean(client?.listening), busy: this.#busy, limitMs: null,
      muted: client?.muted ?? false, volume: client?.volume ?? 1 });
  }
}
