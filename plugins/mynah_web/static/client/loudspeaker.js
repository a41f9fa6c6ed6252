// The loudspeaker: the phrases of all turns and tracks in the order in which they came, one after the other.

import { decodesMp3 } from "./mp3.js";
import { Player } from "./player.js";
import { Sound } from "./sound.js";

const PCM_RATES = [24000, 48000, 22050, 16000, 44100];
const MP3_RATES = [24000, 44100, 48000, 22050, 16000];
/** How much speech is held at most: eleven minutes of samples at 48 kHz. */
const MAX_HELD = 64 * 1024 * 1024;
/** Of how many turns it is known when they began. */
const KNOWN = 8;
const BLOCKED_MS = 300;

/** What this browser plays, the best first, as in `plays` of hello. */
export async function playable() {
  const list = (codec, rates) => rates.map((rate) => ({ codec, rate, channels: 1 }));
  if (Sound.worklets()) return [...list("pcm_s16le", PCM_RATES), ...((await decodesMp3()) ? list("mp3", MP3_RATES) : [])];
  const { playsMedia } = await import("./media-player.js");
  return playsMedia() ? list("mp3", MP3_RATES) : [];
}

/**
 * Plays what it is given. `on.sounds({turn, track} or null)` as that changes, `on.first(turn, track, latencyMs)` as a turn
 * begins to sound, `on.problem(code)`.
 */
export class Loudspeaker {
  #sound;
  #on;
  #gain = null;
  #player = null;
  #queue = [];
  #playing = [];
  #count = 0;
  #standing = false;
  #sounding = false;
  #place = null;
  #begun = new Map();
  #muted = false;
  #volume = 1;

  constructor(sound, on) {
    this.#sound = sound;
    this.#on = on;
  }

  /** Make everything ready to play, so that the first chunk finds no work left to do. */
  async open() {
    const context = await this.#sound.open();
    if (this.#gain) return;
    this.#gain = new GainNode(context);
    this.#gain.connect(context.destination);
    this.#set();
    const on = {
      place: (id, ms) => this.#placed(id, ms),
      idle: (id) => this.#idle(id),
      blocked: () => this.#on.problem("sound_blocked"),
      failed: () => this.#fail(),
    };
    const Kind = Sound.worklets() ? Player : (await import("./media-player.js")).MediaPlayer;
    this.#player = new Kind(context, this.#gain, on);
  }

  set muted(muted) {
    this.#muted = muted;
    this.#set();
  }

  get muted() {
    return this.#muted;
  }

  /** From 0 to 1; louder by squares, as ears hear it. */
  set volume(volume) {
    this.#volume = Math.max(0, Math.min(1, volume));
    this.#set();
  }

  get volume() {
    return this.#volume;
  }

  /** The place that sounds, or sounded last: {turn, track, ms}; null before anything has. */
  get place() {
    return this.#place;
  }

  /** Begin a phrase: {turn, track, format, at_ms} as in `speech_started`. Returns what `feed` and `end` take. */
  begin({ turn, track, format, at_ms: atMs }) {
    this.#count += 1;
    const phrase = { id: this.#count, turn, track, format, atMs, chunks: [], ended: false, begun: false, bytes: 0 };
    this.#queue.push(phrase);
    if (this.#sound.context?.state === "suspended") this.#blocked();
    return phrase;
  }

  /** Give a phrase more sound, a Uint8Array that is not changed any more. */
  feed(phrase, bytes) {
    if (this.#held() + bytes.byteLength > MAX_HELD) return;
    if (!this.#begun.has(phrase.turn)) this.#first(phrase.turn);
    phrase.bytes += bytes.byteLength;
    phrase.chunks.push(bytes);
    this.#pump();
  }

  end(phrase) {
    phrase.ended = true;
    this.#pump();
  }

  /** Stop all sound of a turn within a block; without a turn that of all. */
  stop(turn = null) {
    const goes = (phrase) => turn === null || phrase.turn === turn;
    this.#queue = this.#queue.filter((phrase) => !goes(phrase));
    if (this.#playing.some(goes)) {
      this.#player.stop();
      this.#playing = [];
      this.#silent();
    }
    this.#pump();
  }

  /** Forget all that is held: the same comes again, and sounds from where this was. */
  forget() {
    this.#queue = [];
    this.#playing = [];
    this.#player?.stop();
  }

  /** Stand still; resolves with the place that was reached. What is held sounds after `release`, or not at all after `stop`. */
  async hold() {
    this.#standing = true;
    const { id, ms } = (await this.#player?.hold()) ?? {};
    if (id !== undefined) this.#placed(id, ms);
    return this.#place;
  }

  release() {
    if (!this.#standing) return;
    this.#standing = false;
    this.#player?.release();
    this.#pump();
  }

  close() {
    this.#queue = [];
    this.#playing = [];
    this.#player?.close();
    this.#player = null;
    this.#gain?.disconnect();
    this.#gain = null;
    this.#standing = false;
    this.#silent();
    this.#place = null;
    this.#begun.clear();
  }

  #set() {
    if (this.#gain) this.#gain.gain.value = this.#muted ? 0 : this.#volume ** 2;
  }

  /** Hand phrases to the player, of one turn at a time: so that one can be stopped without the others. */
  #pump() {
    while (this.#queue.length && this.#player && !this.#standing) {
      const [phrase] = this.#queue;
      if (!phrase.begun) {
        if (this.#playing.length && this.#playing[0].turn !== phrase.turn) return;
        phrase.begun = true;
        this.#playing.push(phrase);
        this.#player.begin(phrase.id, phrase.format);
      }
      for (const chunk of phrase.chunks.splice(0)) this.#player.feed(phrase.id, chunk);
      if (!phrase.ended) return;
      this.#player.end(phrase.id);
      this.#queue.shift();
    }
  }

  #placed(id, ms) {
    const index = this.#playing.findIndex((phrase) => phrase.id === id);
    if (index < 0) return; // it was stopped meanwhile
    this.#playing.splice(0, index);
    const [{ turn, track, atMs }] = this.#playing;
    const same = this.#sounding && this.#place.turn === turn && this.#place.track === track;
    this.#place = { turn, track, ms: atMs + ms };
    this.#sounding = true;
    if (!same) this.#on.sounds({ turn, track });
    const began = this.#begun.get(turn);
    if (!began?.waits) return;
    began.waits = false;
    this.#on.first(turn, track, performance.now() - began.at);
  }

  #first(turn) {
    this.#begun.set(turn, { at: performance.now(), waits: true });
    if (this.#begun.size > KNOWN) this.#begun.delete(this.#begun.keys().next().value);
  }

  /** All up to that phrase has sounded; another may have been handed on meanwhile. */
  #idle(id) {
    this.#playing = this.#playing.filter((phrase) => phrase.id > id);
    if (!this.#playing.length) this.#silent();
    this.#pump();
  }

  #silent() {
    if (!this.#sounding) return;
    this.#sounding = false;
    this.#on.sounds(null);
  }

  #held() {
    return [...this.#playing, ...this.#queue].reduce((sum, phrase) => sum + phrase.bytes, 0);
  }

  #blocked() {
    this.#sound.wake();
    setTimeout(() => this.#sound.context?.state === "suspended" && this.#on.problem("sound_blocked"), BLOCKED_MS);
  }

  #fail() {
    this.#on.problem("sound_failed");
    this.stop();
  }
}
