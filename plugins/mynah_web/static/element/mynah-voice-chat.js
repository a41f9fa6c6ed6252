/**
 * <mynah-voice-chat>: a conversation with a hub, by voice and in writing, in any page. See docs/web.md for its attributes,
 * methods and events; without a UI the same is in client/mynah-client.js.
 */

import { MynahClient } from "../client/mynah-client.js";
import { h } from "../parts/dom.js";
import { choose, load } from "../parts/i18n.js";
import { Recordings } from "./recordings.js";
import { OPENING, is, languages, ms, options } from "./settings.js";
import { Shell } from "./shell.js";
import { sheet } from "./styles.js";

// The hub ends an utterance of push-to-talk here (limits: utterance_seconds), so that the button shows it.
const UTTERANCE_MS = 60_000;
const OVER = ["turn_finished", "turn_failed", "turn_dropped", "interrupted"];
const TURNS = ["stage", "partial_transcript", "transcript", "token", ...OVER];

export class MynahVoiceChat extends HTMLElement {
  static observedAttributes = ["persona", "language", "mode", "ui-language", ...OPENING];

  #token = "";
  #context = {};
  #loudness = { muted: false, volume: 1 };
  #client = null;
  #opening = null; // the promise of a connection that is being made
  #unwire = () => {};
  #shell;
  #drawn = 0;
  #ready;
  #under = new Set(); // turns that are under way
  #playing = null; // the turn that sounds
  #wanted = false; // whether the microphone is to be on: a press may end before it is
  #listening = false; // whether it is
  #reason = ""; // why the connection is what it is
  #measured = {};
  #recordings = new Recordings({ gone: (entry) => entry.playable?.(false), sounds: () => this.#show() });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#shell = new Shell(root, {
      ask: (text) => this.ask(text), again: (text) => this.ask(text), begin: () => this.#begin(), end: () => this.#end(),
      listen: () => this.#begin(), restart: () => this.startSession(), stop: () => this.stopAudio(),
      mode: (mode) => this.setAttribute("mode", mode), mute: () => this.#sound({ muted: !this.#loudness.muted }),
      volume: (volume) => this.#sound({ volume }), token: (token) => this.#useToken(token),
      figures: () => ({ ...this.getSessionStats(), ...this.#measured }),
      shown: (entry) => this.#shown(entry), gone: (entry) => this.#gone(entry), replay: (entry) => this.#replay(entry),
    });
  }

  /** The hub's token; it goes into the first message, never into an address. */
  get token() {
    return this.#token;
  }

  set token(value) {
    if ((value ?? "") === this.#token) return;
    this.#token = value ?? "";
    this.#renew();
  }

  /** Facts about the place, by name. */
  get context() {
    return this.#context;
  }

  set context(value) {
    this.#context = { ...value };
    this.#change({ context: this.#context });
  }

  /** The MynahClient behind the element; another one after a change of what sessions are opened with (event `client`). */
  get client() {
    if (!this.#client) this.#wire(new MynahClient(options(this)));
    return this.#client;
  }

  /** Open the session, where there is none; resolves to whether there is one now. */
  async startSession() {
    return this.#attempt(() => this.#connected());
  }

  /** End the session: the hub forgets it, the microphone goes off. */
  async endSession() {
    this.#recordings.stop();
    await this.#attempt(() => this.#client?.close());
  }

  /** Have a text spoken as it is; resolves to whether the hub was told. */
  async generateSpeech(text) {
    return this.#send(null, (client) => client.say(text));
  }

  /** Ask in writing; resolves to whether the hub was asked. */
  async ask(text) {
    return this.#send(text, (client) => client.ask(text));
  }

  /** Stop every reply at once. */
  stopAudio() {
    this.#recordings.stop();
    if (this.#busy && this.#client?.state === "connected") this.#client.interrupt("stop");
  }

  /** The session's statistics: sessionId, createdAt, lastActivity, isActive, language, conversationEntries, and so on. */
  getSessionStats() {
    return this.client.statistics();
  }

  connectedCallback() {
    for (const name of ["token", "context"]) this.#upgrade(name);
    this.#ready ??= this.#draw();
  }

  disconnectedCallback() {
    // An element that is moved is back at once.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#drop();
      this.#recordings.clear();
      this.#shell.stop();
    });
  }

  attributeChangedCallback(name, before, value) {
    if (before === value) return;
    if (OPENING.includes(name)) this.#renew();
    else if (name === "mode") this.#end();
    else if (name !== "ui-language") this.#change({ [name]: value ?? undefined });
    else if (this.#drawn) this.#draw();
    this.#show();
  }

  /** Take a property that was set before the element's class was there. */
  #upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value;
  }

  async #draw() {
    const drawn = ++this.#drawn;
    const t = await load(choose(languages(this)));
    if (drawn !== this.#drawn) return;
    this.#shell.draw(t, { translates: this.hasAttribute("interpret") });
    this.#show();
  }

  #wire(client) {
    const controller = new AbortController();
    const on = (type, take) => client.addEventListener(type, (event) => take(event.detail), { signal: controller.signal });
    for (const type of TURNS) on(type, (message) => this.#take({ ...message, type }));
    on("welcome", ({ resumed }) => !resumed && this.#fresh());
    on("error", ({ re, message }) => (re === "text" || re === "say") && this.#shell.refuse(message));
    on("state", ({ state, reason }) => this.#changed(state, reason));
    on("listening", ({ mode }) => this.#listens(mode !== null));
    on("level", ({ level }) => this.#shell.level(level));
    on("sound", ({ latencyMs }) => (this.#measured.soundMs = latencyMs));
    on("playing", ({ turn }) => this.#show((this.#playing = turn)));
    on("volume", () => this.#show((this.#loudness.volume = client.volume)));
    on("problem", (problem) => this.#trouble(problem));
    this.#unwire = () => controller.abort();
    this.#client = Object.assign(client, this.#loudness);
    this.#tell("client", client);
  }

  /** Let the client go: the next session has another. */
  #drop() {
    const client = this.#client;
    this.#unwire();
    this.#client = this.#opening = null;
    this.#over();
    client?.close().catch(() => {}); // what it was at is told to nobody any more
  }

  /** Nothing that was under way will come. */
  #over() {
    this.#under.clear();
    this.#playing = null;
    this.#wanted = this.#listening = false;
    this.#shell.conversation?.end();
  }

  /** What sessions are opened with has changed: the next one will be opened with that. */
  #renew() {
    if (this.#client) this.#drop();
    this.#show();
  }

  #change(update) {
    if (this.#client?.state === "connected") this.#client.update(update);
    else this.#renew();
  }

  async #connected() {
    const { client } = this;
    if (client.state !== "connected" && client.state !== "reconnecting") {
      this.#opening ??= client.connect().finally(() => (this.#opening = null));
      await this.#opening;
    }
    return client;
  }

  /** Do something that may fail; tell of a failure, and return whether there was none. */
  async #attempt(work) {
    try {
      await work();
      return true;
    } catch (error) {
      this.#trouble(error);
      return false;
    }
  }

  async #send(text, tell) {
    if (this.isConnected) await this.#ready;
    const entry = this.#shell.conversation?.expect(text);
    let told = false;
    await this.#attempt(async () => (told = tell(await this.#connected())));
    if (!told && entry) this.#shell.unexpect(entry);
    return told;
  }

  #take(message) {
    const { turn, type } = message;
    if (type === "stage") this.#under.add(turn);
    if (OVER.includes(type)) this.#under.delete(turn);
    const entry = this.#shell.take(message);
    if (type === "transcript" && message.text) this.#tell("transcription-complete", message.text);
    if (type === "turn_failed") this.#tell("error", message.message);
    if (type === "turn_finished") this.#finished(message, entry);
    if (OVER.includes(type)) this.#tellStatistics();
    this.#show();
  }

  #finished({ turn, timeline }, entry) {
    this.#measured.answerMs = timeline.first_audio;
    const recording = is(this, "enable-tts", true) ? this.#client.recording(turn) : null;
    if (!recording) return;
    entry?.playable(true);
    this.#tell("voice-response", this.#recordings.add(entry ?? turn, recording));
  }

  /** A new session: its turns are counted from 1 again. */
  #fresh() {
    this.#under.clear();
    this.#shell.conversation?.restart();
  }

  #changed(state, reason) {
    this.#reason = reason;
    if (state === "connected" || state === "connecting") this.#shell.notice?.clear();
    if (state === "closed") this.#over();
    this.#show();
    if (state === "connected" || state === "closed") this.#tellStatistics();
  }

  #trouble(error) {
    this.#tell("error", this.#shell.trouble(error));
    this.#show();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #tellStatistics() {
    if (this.#client) this.#tell("session-status", this.getSessionStats());
  }

  async #begin() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#shell.notice.clear();
    // Whoever speaks is not to be talked over: what sounds stops as the button goes down, not when the hub hears them.
    if (this.#mode === "push_to_talk") this.stopAudio();
    this.#recordings.stop();
    this.#show();
    const begun = await this.#attempt(async () => (await this.#connected()).listen(this.#mode));
    if (!begun) this.#wanted = false;
    else if (!this.#wanted) this.#client?.endListening(); // the button came up meanwhile
    this.#show();
  }

  #end() {
    this.#wanted = false;
    if (this.#client?.listening) this.#client.endListening();
    this.#show();
  }

  #listens(listening) {
    this.#listening = listening;
    if (!listening) this.#wanted = false;
    this.#show();
    this.#tellStatistics();
  }

  get #mode() {
    return this.getAttribute("mode") === "open" ? "open" : "push_to_talk";
  }

  /** Whether something sounds, or is going to. */
  get #busy() {
    return this.#under.size > 0 || this.#playing !== null;
  }

  #sound(change) {
    Object.assign(this.#loudness, change);
    Object.assign(this.client, change);
    this.#recordings.loudness = this.#loudness;
    this.#show();
  }

  #useToken(token) {
    this.token = token;
    this.startSession();
  }

  #replay(entry) {
    this.stopAudio();
    this.#recordings.play(entry, this.#loudness).catch(() => this.#trouble({ code: "sound_failed" }));
  }

  #shown({ turn, slot }) {
    // In the page's own tree, so that the page's styles reach what it puts there.
    const element = h("div", { slot });
    this.append(element);
    this.#tell("turn", { turn, element });
  }

  #gone(entry) {
    this.querySelector(`:scope > [slot="${entry.slot}"]`)?.remove();
    this.#recordings.remove(entry);
  }

  #show() {
    const { state = "idle", persona } = this.#client ?? {};
    this.#shell.show({
      // Who ended a session need not be told that it is over.
      state: state === "closed" && this.#reason === "bye" ? "idle" : state, persona, ...this.#loudness, mode: this.#mode,
      asking: this.#wanted && !this.#listening, listening: this.#listening, busy: this.#busy || this.#recordings.sounds,
      stage: this.#under.size ? undefined : this.#playing === null ? null : "speaking",
      limitMs: this.#mode === "open" ? ms(this, "max-session-duration") : UTTERANCE_MS,
    });
  }
}

customElements.define("mynah-voice-chat", MynahVoiceChat);
