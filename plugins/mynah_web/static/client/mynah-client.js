// A conversation with a Mynah hub, without any UI: microphone, loudspeaker, connection. See docs/web.md.

import { Listening } from "./listening.js";
import { ClientError } from "./problems.js";
import { HubSocket } from "./socket.js";
import { Sound } from "./sound.js";
import { Speech } from "./speech.js";
import { Tally } from "./tally.js";

export { ClientError, PROBLEMS } from "./problems.js";

const MAX_WAITING = 512;
const HELLO = ["token", "persona", "language", "context", "policy", "interpret", "tracks"];

/**
 * A conversation. Options: `hub` ("http://host:8000"; where this module came from), `token`, `persona`, `language`,
 * `context`, `policy`, `interpret`, `tracks` (as in `hello`), `chunkMs` (60; sound in a frame of the microphone, 20 to
 * 100), `maxSessionMs` (none), `voice` (true; false: no sound is played), `microphone` (constraints of its track),
 * `codec` ("opus" where the browser encodes it; "pcm_s16le": always samples).
 *
 * Events: every message of the hub by its type, and `state`, `level`, `listening`, `sound`, `playing`, `problem`.
 */
export class MynahClient extends EventTarget {
  #options;
  #sound = new Sound();
  #speech;
  #listening;
  #socket = null;
  #tally = new Tally();
  #waiting = [];
  #wasConnected = false;
  #connecting = null;
  #closed = false;
  #ends = null;
  #session = "";
  #persona = "";
  #language = "";

  constructor(options = {}) {
    super();
    const chunkMs = Math.max(20, Math.min(100, Number(options.chunkMs) || 60));
    this.#options = { hub: new URL(import.meta.url).origin, voice: true, ...options, chunkMs };
    const event = (name, detail) => this.#tell(name, detail);
    const problem = (what) => this.#problem(what);
    const both = options.tracks === "all" && Boolean(options.interpret);
    this.#speech = new Speech(this.#sound, { both }, { send: (message) => this.#socket?.send(message), event, problem });
    this.#listening = new Listening(this.#sound, this.#options, {
      send: (message) => this.#send(message), frame: (bytes) => this.#frame(bytes), event, problem,
    });
  }

  /** "idle", "connecting", "connected", "reconnecting" or "closed". */
  get state() {
    return this.#socket?.state ?? "idle";
  }

  get session() {
    return this.#session;
  }

  get persona() {
    return this.#persona;
  }

  get language() {
    return this.#language;
  }

  /** Whether speech sounds, or is there to sound. */
  get speaking() {
    return this.#speech.loudspeaker.busy;
  }

  /** How many turns of this session are finished. */
  get turns() {
    return this.#tally.finished;
  }

  /** null, "push_to_talk" or "open". */
  get listening() {
    return this.#listening.mode;
  }

  /** Whether speech is played at all; takes effect with the next phrase. */
  get voice() {
    return this.#options.voice;
  }

  set voice(voice) {
    this.#options.voice = Boolean(voice);
    if (voice && this.#socket) this.#openLoudspeaker();
  }

  get muted() {
    return this.#speech.loudspeaker.muted;
  }

  set muted(muted) {
    this.#speech.loudspeaker.muted = Boolean(muted);
  }

  /** How loud the loudspeaker is, from 0 to 1; the hub is told. */
  get volume() {
    return this.#speech.loudspeaker.volume;
  }

  set volume(volume) {
    this.#speech.loudspeaker.volume = Number(volume);
    this.#reportVolume();
  }

  /** Begin a session. Resolves with {session, persona, language, resumed}; throws ClientError. */
  connect() {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #connect() {
    if (this.#socket && this.state !== "closed") throw new ClientError("invalid", "this client is connected already");
    this.#session = "";
    this.#closed = false;
    if (this.#options.voice) await this.#openLoudspeaker();
    if (this.#closed) throw new ClientError("not_connected");
    this.#socket = new HubSocket(`${this.#options.hub.replace(/^http/, "ws").replace(/\/$/, "")}/ws/v1`, {
      hello: () => this.#hello(),
      message: (message) => this.#take(message),
      sound: (bytes) => this.#speech.chunk(bytes),
      state: (state, reason, retryMs) => this.#changed(state, reason, retryMs),
    });
    const { session, persona, language, resumed } = await this.#socket.open();
    return { session, persona, language, resumed };
  }

  /** Open the microphone ahead of need, so that `listen` loses no word. Throws ClientError as `listen` does. */
  async prepareMicrophone() {
    await this.#listening.open();
  }

  /**
   * Listen, "push_to_talk" (until `endListening`) or "open" (the hub hears where speech begins and ends). Throws
   * ClientError: "microphone_denied", "microphone_missing", "microphone_failed", "insecure_origin", "no_worklet".
   */
  async listen(mode = "push_to_talk") {
    if (!this.#connection()) throw new ClientError("not_connected");
    this.#sound.wake();
    await this.#listening.begin(mode);
  }

  /** The utterance is complete, or the open microphone off. Resolves when all was sent. */
  endListening() {
    return this.#listening.end();
  }

  /** Ask in writing. False, and a `problem`, where there is no connection. */
  ask(text, language) {
    this.#sound.wake();
    this.#tally.asked();
    return this.#send({ type: "text", text, language });
  }

  /** Have a text spoken as it is. */
  say(text, language) {
    this.#sound.wake();
    return this.#send({ type: "say", text, language });
  }

  greet() {
    this.#sound.wake();
    return this.#send({ type: "greet" });
  }

  /** Stop every reply: the sound at once, and the hub as soon as it knows. */
  interrupt(reason = "stop") {
    this.#speech.stop();
    return this.#send({ type: "interrupt", reason });
  }

  /** Change persona, language or context. */
  update({ persona, language, context }) {
    this.#persona = persona ?? this.#persona;
    this.#language = language ?? this.#language;
    return this.#send({ type: "update", persona, language, context });
  }

  statistics() {
    return this.#tally.statistics({ session: this.#session, language: this.#language, active: this.#connection() });
  }

  /** The whole speech of one of the last turns as a Blob (audio/wav, audio/mpeg), or null where it is not kept. */
  recording(turn, track) {
    return this.#speech.recordings.blob(turn, track);
  }

  /** Say bye, and let go of microphone, loudspeaker, connection and timers. */
  async close() {
    this.#closed = true;
    this.#socket?.close();
    this.#release();
    await this.#sound.close();
  }

  async #openLoudspeaker() {
    await this.#speech.loudspeaker.open().catch((error) =>
      this.#problem(error instanceof ClientError ? error : new ClientError("sound_failed", `${error}`)));
  }

  async #hello() {
    const { plays, resume } = await this.#speech.hello();
    const hello = { type: "hello", version: 1, plays };
    for (const name of HELLO) if (this.#options[name]) hello[name] = this.#options[name];
    if (this.#session) hello.resume = { session: this.#session, ...resume };
    return hello;
  }

  #take(message) {
    if (message.type === "welcome") this.#welcomed(message);
    this.#speech.take(message, this.#options.voice);
    this.#tally.take(message);
    if (message.type === "volume") this.volume = message.percent / 100;
    if (message.type === "error" && !message.closes) this.#problem(new ClientError(message.code, message.message));
    this.#tell(message.type, message);
  }

  #welcomed({ session, persona, language, resumed }) {
    const over = this.#session && !resumed;
    this.#session = session;
    this.#persona = persona;
    this.#language = language;
    this.#speech.welcomed(resumed);
    if (!resumed) this.#tally.begin();
    const { maxSessionMs } = this.#options;
    if (!resumed && maxSessionMs) {
      clearTimeout(this.#ends);
      this.#ends = setTimeout(() => {
        this.#problem("session_over");
        this.close();
      }, maxSessionMs);
    }
    if (over) this.#problem("session_over");
    this.#reportVolume();
    for (const each of this.#waiting.splice(0)) this.#socket.send(each);
  }

  #changed(state, reason, retryMs) {
    const lost = state === "reconnecting" && this.#wasConnected;
    this.#wasConnected = state === "connected";
    if (state === "reconnecting") this.#speech.lost();
    if (lost && this.#listening.message) this.#keep(this.#listening.message);
    if (state === "closed") this.#release();
    this.#tell("state", { state, reason, retryMs });
    if (lost || (state === "closed" && reason !== "bye" && this.#session)) this.#problem(reason);
  }

  #release() {
    clearTimeout(this.#ends);
    this.#waiting = [];
    this.#listening.close();
    this.#speech.close();
  }

  #frame(bytes) {
    this.#tally.sent(bytes.byteLength);
    if (!this.#socket?.send(bytes) && this.listening === "push_to_talk") this.#keep(bytes);
  }

  /** Send, or keep until there is a connection again; false where there will be none. */
  #send(message) {
    if (this.#socket?.send(message)) return true;
    if (!this.#connection()) {
      this.#problem("not_connected");
      return false;
    }
    this.#keep(message);
    return true;
  }

  #keep(what) {
    // A long utterance must not keep its own end out.
    if (this.#waiting.length < (ArrayBuffer.isView(what) ? 1 : 2) * MAX_WAITING) this.#waiting.push(what);
  }

  #connection() {
    return this.state === "connected" || this.state === "reconnecting";
  }

  #reportVolume() {
    this.#socket?.send({ type: "volume", percent: Math.round(this.volume * 100) });
  }

  /** Tell of a ClientError, or of one by its code. */
  #problem(what) {
    const { code, message, hint } = what instanceof ClientError ? what : new ClientError(what);
    this.#tell("problem", { code, message, hint });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
