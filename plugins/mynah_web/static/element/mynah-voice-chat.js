/**
 * <mynah-voice-chat>: a conversation with a hub, by voice and in writing, in any page. See docs/web.md for its attributes,
 * methods and events; without a UI the same is in client/mynah-client.js.
 */

import { MynahClient } from "../client/mynah-client.js";
import { h, replace } from "../parts/dom.js";
import { choose, load } from "../parts/i18n.js";
import { Conversation } from "./conversation.js";
import { keys } from "./keys.js";
import { Notice } from "./notice.js";
import { Dock, Head } from "./panel.js";
import { Recordings } from "./recordings.js";
import { OPENING, is, options } from "./settings.js";
import { Stages } from "./stages.js";
import { sheet } from "./styles.js";

// The hub ends an utterance of push-to-talk here (limits: utterance_seconds), so that the button shows it.
const UTTERANCE_MS = 60_000;
const TURNS = ["stage", "partial_transcript", "transcript", "token", "turn_finished", "turn_failed", "interrupted",
  "turn_dropped"];
const OVER = new Set(["turn_finished", "turn_failed", "turn_dropped", "interrupted"]);

export class MynahVoiceChat extends HTMLElement {
  static observedAttributes = ["persona", "language", "mode", "ui-language", ...OPENING];

  #t = null;
  #begun;
  #client = null;
  #unwire = () => {};
  #token = "";
  #context = {};
  #root = this.attachShadow({ mode: "open" });
  #recordings = new Recordings((entry) => entry.playable?.(false));
  #conversation = null;
  #head = null;
  #dock = null;
  #stages = null;
  #notice = null;
  #replayed = null;
  #under = new Set(); // turns that are under way
  #playing = null;
  #latencyMs = null;
  #answerMs = null;
  #wanted = false; // whether the microphone is to be on: a press may end before the microphone has begun
  #opening = null;
  #drawn = 0;
  #ready = new Promise((resolve) => (this.#begun = resolve));

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [sheet];
    keys(this.#root, () => this.#dock?.talk, () => this.stopAudio());
  }

  // ---------------------------------------------------------------- the page's side

  /** The hub's token; it goes into the first message, never into an address. */
  get token() {
    return this.#token;
  }

  set token(value) {
    if (value === this.#token) return;
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

  /** The MynahClient behind the element. A new one is made after what a session is opened with has changed; see the event `client`. */
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
    this.#wanted = false;
    this.stopAudio();
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
    this.#replayed?.pause();
    this.#replayed = null;
    if (this.#client?.state === "connected" && this.#busy) this.#client.interrupt("stop");
  }

  /** The session's statistics: sessionId, createdAt, lastActivity, isActive, language, conversationEntries, and so on. */
  getSessionStats() {
    return this.client.statistics();
  }

  // ---------------------------------------------------------------- life

  async connectedCallback() {
    for (const name of ["token", "context"]) this.#upgrade(name);
    if (!this.#drawn) await this.#draw();
  }

  disconnectedCallback() {
    // An element that is moved is back at once.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#drop();
      this.#recordings.clear();
      this.#head?.stop();
      this.#dock?.talk.stop();
    });
  }

  attributeChangedCallback(name, before, value) {
    if (before === value) return;
    if (name === "ui-language") {
      if (this.#drawn) this.#draw();
    } else if (name === "mode") this.#show();
    else if (OPENING.includes(name)) this.#renew();
    else this.#change({ [name]: value ?? undefined });
  }

  /** A property that was set before the element's class was there. */
  #upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value;
  }

  async #draw() {
    const drawn = ++this.#drawn;
    const t = await load(choose([this.getAttribute("ui-language") ?? this.#pageLanguage() ?? "", ...navigator.languages]));
    if (drawn !== this.#drawn) return;
    this.#t = t;
    this.#head?.stop();
    this.#dock?.talk.stop();
    this.#head = new Head(t, () => this.#figures());
    this.#stages = new Stages(t, { translates: this.hasAttribute("interpret") });
    this.#notice = new Notice(t, { listen: () => this.#begin(), type: () => this.#dock.field.focus(),
      restart: () => this.startSession(), token: (token) => this.#useToken(token) });
    this.#dock = new Dock(t, { ask: (text) => this.ask(text), begin: () => this.#begin(), end: () => this.#end(),
      mode: (mode) => this.#setMode(mode), stop: () => this.stopAudio(), mute: () => this.#mute(),
      volume: (volume) => this.#setVolume(volume) });
    this.#conversation ??= new Conversation(t, { shown: (entry) => this.#shown(entry),
      gone: (entry) => this.#gone(entry), replay: (entry) => this.#replay(entry), again: (question) => this.ask(question) });
    replace(this.#root, h("section", { class: "chat", part: "chat", lang: t.language, "aria-label": t("chat.name") },
      this.#head.element, this.#conversation.element, this.#stages.element, this.#notice.element, this.#dock.element));
    this.#show();
    this.#begun();
  }

  #pageLanguage() {
    for (let at = this; at; at = at.getRootNode().host) {
      const found = at.closest("[lang]:not([lang=''])");
      if (found) return found.lang;
    }
    return null;
  }

  // ---------------------------------------------------------------- the client

  #wire(client) {
    const controller = new AbortController();
    const on = (type, take) => client.addEventListener(type, (event) => take(event.detail), { signal: controller.signal });
    for (const type of TURNS) on(type, (message) => this.#take({ ...message, type }));
    on("welcome", ({ resumed }) => !resumed && this.#fresh());
    on("state", (state) => this.#changed(state));
    on("listening", ({ mode }) => this.#listening(mode));
    on("level", ({ level }) => this.#dock?.talk.level(level));
    on("sound", ({ latencyMs }) => (this.#latencyMs = latencyMs));
    on("playing", ({ turn }) => this.#plays(turn));
    on("volume", () => this.#show());
    on("problem", (problem) => this.#trouble(problem));
    this.#unwire = () => controller.abort();
    this.#client = client;
    this.dispatchEvent(new CustomEvent("client", { detail: client }));
  }

  /** Let the client go: the next session has another. */
  #drop() {
    const client = this.#client;
    this.#client = this.#opening = null;
    this.#unwire();
    this.#under.clear();
    this.#playing = null;
    client?.close().catch(() => {});
  }

  /** What sessions are opened with has changed: the next one will be opened with that. */
  #renew() {
    if (!this.#client) return;
    this.#drop();
    this.#show();
  }

  #change(update) {
    if (this.#client?.state === "connected") this.#client.update(update);
    else this.#renew();
  }

  async #connected() {
    const client = this.client;
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
    const entry = this.#conversation?.expect(text);
    let told = false;
    await this.#attempt(async () => (told = tell(await this.#connected())));
    if (!told && entry) this.#conversation.unexpect(entry, this.#t("chat.not_sent"));
    return told;
  }

  // ---------------------------------------------------------------- what the hub says

  #take(message) {
    const { turn, type } = message;
    if (type === "stage") this.#under.add(turn);
    if (OVER.has(type)) this.#under.delete(turn);
    const entry = this.#conversation?.take(message);
    if (type === "transcript" && message.text) this.#tell("transcription-complete", message.text);
    if (type === "turn_failed") this.#tell("error", message.message);
    if (type === "turn_finished") this.#finished(message, entry);
    if (type === "stage") this.#stages?.show(message.stage);
    if (OVER.has(type)) this.#tellStatistics();
    this.#show();
  }

  #finished({ turn, timeline }, entry) {
    this.#answerMs = timeline.first_audio ?? null;
    const recording = is(this, "enable-tts", true) ? this.#client.recording(turn) : null;
    if (!recording) return;
    entry?.playable(true);
    this.#tell("voice-response", this.#recordings.add(entry ?? turn, recording));
  }

  /** A new session: its turns are counted from 1 again. */
  #fresh() {
    this.#under.clear();
    this.#conversation?.restart(this.#t("chat.over"));
  }

  #plays(turn) {
    this.#playing = turn;
    this.#show();
  }

  #changed({ state }) {
    if (state === "connected" || state === "connecting") this.#notice?.clear();
    if (state === "closed") {
      this.#under.clear();
      this.#playing = null;
      this.#conversation?.end(this.#t("chat.over"));
    }
    this.#show();
    if (state === "connected" || state === "closed") this.#tellStatistics();
  }

  #trouble(error) {
    const { code = "failed", message = String(error), hint = "" } = error;
    // That the connection is lost is said above, as long as it is; the client is at it.
    if (code !== "lost") this.#notice?.show({ code, message: this.#words(code, message), hint: this.#words(`${code}.hint`, hint) });
    this.#tell("error", this.#words(code, message));
    this.#show();
  }

  /** What there is in the page's language for a code, else what was said. */
  #words(code, otherwise) {
    const key = `client.${code}`;
    return this.#t?.has(key) ? this.#t(key) : otherwise;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #tellStatistics() {
    if (this.#client) this.#tell("session-status", this.#client.statistics());
  }

  // ---------------------------------------------------------------- the person's side

  async #begin() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#notice?.clear();
    this.#silence();
    const done = await this.#attempt(async () => {
      const client = await this.#connected();
      await client.listen(this.#mode);
    });
    // The button may have come up while the browser asked whether the page may listen.
    if (!done) this.#wanted = false;
    else if (!this.#wanted) this.#client?.endListening();
    this.#show();
  }

  /** Whoever speaks is not to be talked over: what sounds here stops as the button goes down, not when the hub hears. */
  #silence() {
    if (this.#mode === "push_to_talk") this.stopAudio();
    else this.#replayed?.pause();
  }

  #end() {
    this.#wanted = false;
    if (this.#client?.listening) this.#client.endListening();
  }

  #listening(mode) {
    if (!mode) this.#wanted = false;
    this.#show();
    this.#tellStatistics();
  }

  get #mode() {
    return this.getAttribute("mode") === "open" ? "open" : "push_to_talk";
  }

  #setMode(mode) {
    if (mode === this.#mode) return;
    this.#end();
    this.setAttribute("mode", mode);
  }

  #mute() {
    this.client.muted = !this.client.muted;
    if (this.#replayed) this.#replayed.muted = this.client.muted;
    this.#show();
  }

  #setVolume(volume) {
    this.client.volume = volume;
    if (this.#replayed) this.#replayed.volume = volume;
    this.#show();
  }

  #useToken(token) {
    this.token = token;
    this.startSession();
  }

  #replay(entry) {
    this.stopAudio();
    const sound = new Audio(this.#recordings.get(entry));
    sound.volume = this.client.volume;
    sound.muted = this.client.muted;
    sound.addEventListener("pause", () => {
      if (this.#replayed === sound) this.#replayed = null;
      this.#show();
    });
    this.#replayed = sound;
    sound.play().catch((error) => this.#trouble({ code: "sound_failed", message: error.message }));
    this.#show();
  }

  // ---------------------------------------------------------------- what is shown

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

  get #busy() {
    return this.#under.size > 0 || this.#playing !== null;
  }

  #show() {
    if (!this.#dock) return;
    const { state = "idle", persona, listening = null, muted = false, volume = 1 } = this.#client ?? {};
    this.dataset.state = state;
    this.#head.show(state, this.#t(`chat.state.${state}`), persona);
    this.#head.refresh();
    if (!this.#busy) this.#stages.show(null);
    else if (!this.#under.size) this.#stages.show("speaking");
    this.#dock.show({ mode: this.#mode, listening: listening !== null, muted, volume,
      limitMs: this.#mode === "open" ? Number(this.getAttribute("max-session-duration")) || null : UTTERANCE_MS,
      busy: this.#busy || this.#replayed !== null });
  }

  #figures() {
    const { sessionId, createdAt, language, conversationEntries, bufferChunks, pendingTranscriptions, pendingResponses } =
      this.getSessionStats();
    const ms = (value) => (value === null ? "–" : `${Math.round(value)} ms`);
    return [
      ["chat.figure.since", sessionId ? new Date(createdAt * 1000).toLocaleTimeString(this.#t.language) : "–"],
      ["chat.figure.language", language || "–"],
      ["chat.figure.entries", conversationEntries],
      ["chat.figure.answer", ms(this.#answerMs)],
      ["chat.figure.sound", ms(this.#latencyMs)],
      ["chat.figure.pending", pendingTranscriptions + pendingResponses],
      ["chat.figure.buffer", bufferChunks],
    ];
  }
}

customElements.define("mynah-voice-chat", MynahVoiceChat);
