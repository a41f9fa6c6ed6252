// The microphone: asked for once, kept open for a while, sent as Opus or as samples.

import { OpusEncoder, opusSettings } from "./opus.js";
import { ClientError } from "./problems.js";
import { Sound } from "./sound.js";

const WORKLET = new URL("./microphone-worklet.js", import.meta.url);
const RATE = 16000;
const WISHES = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
/** How long it stays open after it was used: the next word is heard from its beginning. */
const KEEP_MS = 60000;
const DONE_MS = 500;
const FLOOR_DB = 60;
const CODES = {
  NotAllowedError: "microphone_denied",
  SecurityError: "microphone_denied",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
};

/**
 * Records. `on.frame(Uint8Array)` is a frame for the hub, `on.level(0…1)` how loud it is, some twenty times a second;
 * `on.failed(ClientError)` that it went away.
 */
export class Microphone {
  #sound;
  #chunkMs;
  #wishes;
  #codec;
  #on;
  #stream = null;
  #source = null;
  #node = null;
  #encoder = null;
  #opening = null;
  #done = null;
  #closing = null;
  #closed = 0;

  /** `wishes` are constraints of the track in place of the usual ones; `codec` is "opus", or "pcm_s16le" to send samples. */
  constructor(sound, { chunkMs, wishes = {}, codec = "opus" }, on) {
    this.#sound = sound;
    this.#chunkMs = chunkMs;
    this.#wishes = { ...WISHES, ...wishes };
    this.#codec = codec;
    this.#on = on;
  }

  /** Ask for it and open it. Throws ClientError. */
  open() {
    clearTimeout(this.#closing);
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Begin to record; resolves with the format of the frames. What was heard a moment before comes first. */
  async start() {
    await this.open();
    const opus = this.#codec === "opus" ? await opusSettings(this.#chunkMs) : null;
    if (!this.#node) throw new ClientError("microphone_failed");
    this.#encoder?.finish(); // of a start that was not stopped
    this.#encoder = opus
      ? new OpusEncoder(opus, (packet) => this.#on.frame(packet), () => this.#fail())
      : null;
    this.#node.port.postMessage({ start: Math.round(((opus?.frameMs ?? this.#chunkMs) * RATE) / 1000) });
    return { codec: opus ? "opus" : "pcm_s16le", rate: RATE, channels: 1 };
  }

  /** Record no more; resolves when the last frame was given. It stays open for a minute, unless `release`. */
  async stop({ release = false } = {}) {
    if (this.#node) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, DONE_MS);
        this.#done = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#node.port.postMessage({ stop: true });
      });
    }
    const encoder = this.#encoder;
    this.#encoder = null;
    await encoder?.finish();
    clearTimeout(this.#closing);
    if (release) this.close();
    else this.#closing = setTimeout(() => this.close(), KEEP_MS);
  }

  close() {
    this.#closed += 1;
    clearTimeout(this.#closing);
    this.#opening = null;
    this.#done?.();
    this.#encoder?.finish();
    this.#encoder = null;
    this.#source?.disconnect();
    this.#node?.port.postMessage({ close: true });
    this.#node?.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = this.#source = this.#node = null;
  }

  async #open() {
    if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new ClientError("insecure_origin");
    if (!Sound.worklets()) throw new ClientError("no_worklet");
    const closed = this.#closed;
    const [context, stream] = await Promise.allSettled([this.#context(), this.#ask()]);
    this.#stream = stream.value ?? null;
    // Whatever went wrong with one: of the other nothing stays open.
    const wrong = stream.reason ?? context.reason ?? (closed !== this.#closed && new ClientError("not_connected"));
    if (wrong) {
      this.close();
      throw wrong;
    }
    this.#attach(context.value, stream.value);
  }

  #attach(context, stream) {
    this.#sound.wake();
    for (const track of stream.getTracks()) track.onended = () => this.#fail();
    this.#source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    this.#node = new AudioWorkletNode(context, "mynah-microphone", { numberOfOutputs: 1, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    // Its output is silent; only what leads to a destination is run by every browser.
    this.#source.connect(this.#node).connect(context.destination);
  }

  async #context() {
    const context = await this.#sound.open();
    try {
      await context.audioWorklet.addModule(WORKLET);
    } catch (error) {
      throw new ClientError("no_worklet", error.message);
    }
    return context;
  }

  async #ask() {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: this.#wishes });
    } catch (error) {
      const code = CODES[error.name] ?? "microphone_failed";
      throw new ClientError(code, code === "microphone_failed" ? error.message : "");
    }
  }

  #take({ piece, level, done }) {
    if (piece && this.#encoder) this.#encoder.encode(piece);
    else if (piece) this.#on.frame(new Uint8Array(piece.buffer));
    else if (level !== undefined) this.#on.level(Math.max(0, Math.min(1, 1 + (20 * Math.log10(level + 1e-9)) / FLOOR_DB)));
    else if (done) this.#done?.();
  }

  #fail() {
    this.close();
    this.#on.failed(new ClientError("microphone_failed"));
  }
}
