/**
 * <mynah-voice-chat>: a conversation with a hub, by voice and in writing, in any page. See docs/web.md for its attributes,
 * methods and events; without a UI the same is in client/mynah-client.js.
 */

import { MynahClient } from "../client/mynah-client.js";
import { h } from "../parts/dom.js";
import { choose, load } from "../parts/i18n.js";
import { Dialogue, ends } from "./dialogue.js";
import { Recordings } from "./recordings.js";
import { OPENING, is, languages, ms, options } from "./settings.js";
import { Shell } from "./shell.js";
import { sheet } from "./styles.js";

// The hub ends an utterance of push-to-talk here (limits: utterance_seconds), so that the button shows it.
const UTTERANCE_MS = 60_000;

export class MynahVoiceChat extends HTMLElement {
  static observedAttributes = ["persona", "language", "mode", "ui-language", ...OPENING];

  #token = "";
  #context = {};
  #loudness = { muted: false, volume: 1 };
  #shell;
  #drawn = 0;
  #ready;
  #reason = ""; // why the connection is what it is
  #measured = {};
  #recordings = new Recordings({ gone: (entry) => entry.playable?.(false), sounds: () => this.#show() });

  #dialogue = new Dialogue(() => new MynahClient(options(this)), {
    made: (client) => this.#tell("client", Object.assign(client, this.#loudness)),
    turn: (message) => this.#take(message),
    over: () => this.#shell.conversation?.end(),
    trouble: (error) => this.#trouble(error),
    changed: () => this.#show(),
    events: {
      welcome: ({ resumed }) => !resumed && this.#shell.conversation?.restart(),
      error: ({ re, message }) => (re === "text" || re === "say") && this.#shell.refuse(message),
      state: ({ state, reason }) => this.#changed(state, reason),
      listening: () => this.#tellStatistics(),
      level: ({ level }) => this.#shell.level(level),
      sound: ({ latencyMs }) => (this.#measured.soundMs = latencyMs),
      volume: () => (this.#loudness.volume = this.#dialogue.client.volume),
    },
  });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#shell = new Shell(root, {
      ask: (text) => this.ask(text), again: (text) => this.ask(text), begin: () => this.#begin(), end: () => this.#dialogue.end(),
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
    return this.#dialogue.need();
  }

  /** Open the session, where there is none; resolves to whether there is one now. */
  async startSession() {
    return this.#dialogue.attempt(() => this.#dialogue.connected());
  }

  /** End the session: the hub forgets it, the microphone goes off. */
  async endSession() {
    this.#recordings.stop();
    await this.#dialogue.attempt(() => this.#dialogue.client?.close());
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
    this.#dialogue.stop();
  }

  /** The session's statistics: sessionId, createdAt, lastActivity, isActive, language, conversationEntries, and so on. */
  getSessionStats() {
    return this.client.statistics();
  }

  /** Switch the microphone off: what was said so far is complete. */
  stopListening() {
    this.#dialogue.end();
  }

  connectedCallback() {
    for (const name of ["token", "context"]) this.#upgrade(name);
    this.#ready ??= this.#draw();
  }

  disconnectedCallback() {
    // An element that is moved is back at once.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#dialogue.drop();
      this.#recordings.clear();
      this.#shell.stop();
    });
  }

  attributeChangedCallback(name, before, value) {
    if (before === value) return;
    if (OPENING.includes(name)) this.#renew();
    else if (name === "mode") this.#dialogue.end();
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

  /** What sessions are opened with has changed: the next one will be opened with that. */
  #renew() {
    if (this.#dialogue.client) this.#dialogue.drop();
    this.#show();
  }

  #change(update) {
    const { client } = this.#dialogue;
    if (client?.state === "connected") client.update(update);
    else this.#renew();
  }

  async #send(text, tell) {
    if (this.isConnected) await this.#ready;
    const entry = this.#shell.conversation?.expect(text);
    let told = false;
    await this.#dialogue.attempt(async () => (told = tell(await this.#dialogue.connected())));
    if (!told && entry) this.#shell.unexpect(entry);
    return told;
  }

  #take(message) {
    const { type } = message;
    const entry = this.#shell.take(message);
    if (type === "transcript" && message.text) this.#tell("transcription-complete", message.text);
    if (type === "turn_failed") this.#tell("error", message.message);
    if (type === "turn_finished") this.#finished(message, entry);
    if (ends(message)) this.#tellStatistics();
  }

  #finished({ turn, timeline }, entry) {
    this.#measured.answerMs = timeline.first_audio;
    const recording = is(this, "enable-tts", true) ? this.#dialogue.client.recording(turn) : null;
    if (!recording) return;
    entry?.playable(true);
    this.#tell("voice-response", this.#recordings.add(entry ?? turn, recording));
  }

  #changed(state, reason) {
    this.#reason = reason;
    if (state === "connected" || state === "connecting") this.#shell.notice?.clear();
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
    if (this.#dialogue.client) this.#tell("session-status", this.getSessionStats());
  }

  #begin() {
    return this.#dialogue.begin(this.#mode, () => {
      this.#shell.notice.clear();
      // Whoever speaks is not to be talked over: what sounds stops as the button goes down, not when the hub hears them.
      if (this.#mode === "push_to_talk") this.stopAudio();
      this.#recordings.stop();
    });
  }

  get #mode() {
    return this.getAttribute("mode") === "open" ? "open" : "push_to_talk";
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
    const { client, asking, listening, busy, stage } = this.#dialogue;
    const { state = "idle", persona } = client ?? {};
    this.#shell.show({
      // Who ended a session need not be told that it is over.
      state: state === "closed" && this.#reason === "bye" ? "idle" : state, persona, ...this.#loudness, mode: this.#mode,
      asking, listening, busy: busy || this.#recordings.sounds, stage,
      limitMs: this.#mode === "open" ? ms(this, "max-session-duration") : UTTERANCE_MS,
    });
  }
}

customElements.define("mynah-voice-chat", MynahVoiceChat);
