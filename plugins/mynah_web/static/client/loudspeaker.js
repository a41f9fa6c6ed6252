// The loudspeaker: the phrases of all turns and tracks in the order in which they came, one after the other.

import { Mp3Player } from "./mp3-player.js";
import { PcmPlayer } from "./pcm-player.js";
import { Sound } from "./sound.js";

const PCM_RATES = [24000, 48000, 22050, 16000, 44100];
const MP3_RATES = [24000, 44100, 48000, 22050, 16000];
/** How much speech is held at most: eleven minutes of samples at 48 kHz. */
const MAX_HELD = 64 * 1024 * 1024;

/** What this browser plays, the best first, as in `plays` of hello. */
export function playable() {
  const list = (codec, rates) => rates.map((rate) => ({ codec, rate, channels: 1 }));
  return [
    ...(Sound.worklets() ? list("pcm_s16le", PCM_RATES) : []),
    ...(globalThis.AudioContext && Mp3Player.usable() ? list("mp3", MP3_RATES) : []),
  ];
}

/**
 * Plays what it is given. `on.place(turn, track, ms)` as it sounds, ms of that turn's track; `on.sounds({turn, track} or
 * null)` as that changes; `on.first(turn, track, latencyMs)` as a turn begins to sound; `on.problem(code)`.
 */
export class Loudspeaker {
  #sound;
  #on;
  #gain = null;
  #players = {};
  #queue = [];
  #playing = [];
  #active = null;
  #count = 0;
  #heldBytes = 0;
  #standing = false;
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
      idle: () => this.#idle(),
      blocked: () => this.#on.problem("sound_blocked"),
      failed: () => this.#fail(),
    };
    if (Sound.worklets()) this.#players.pcm_s16le = new PcmPlayer(context, this.#gain, on);
    if (Mp3Player.usable()) this.#players.mp3 = new Mp3Player(context, this.#gain, on);
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
    if (this.#heldBytes + bytes.byteLength > MAX_HELD) return;
    if (!this.#begun.has(phrase.turn)) this.#first(phrase.turn);
    phrase.bytes += bytes.byteLength;
    this.#heldBytes += bytes.byteLength;
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
      this.#active.stop();
      this.#finish();
    }
    this.#count_held();
    this.#pump();
  }

  /** Stand still; resolves with the place that was reached. What is held sounds after `release`, or not at all after `stop`. */
  async hold() {
    this.#standing = true;
    const { id, ms } = (await this.#active?.hold()) ?? {};
    if (id !== undefined) this.#placed(id, ms);
    return this.#place;
  }

  release() {
    if (!this.#standing) return;
    this.#standing = false;
    this.#active?.release();
    this.#pump();
  }

  close() {
    this.#queue = [];
    for (const player of Object.values(this.#players)) player.close();
    this.#players = {};
    this.#gain?.disconnect();
    this.#gain = null;
    this.#standing = false;
    this.#finish();
    this.#place = null;
    this.#begun.clear();
  }

  #set() {
    if (this.#gain) this.#gain.gain.value = this.#muted ? 0 : this.#volume ** 2;
  }

  /** Hand phrases to the player of their format; another format or turn waits until all before has sounded. */
  #pump() {
    while (this.#queue.length && !this.#standing) {
      const [phrase] = this.#queue;
      const player = this.#players[phrase.format.codec];
      if (!player || (!phrase.begun && !phrase.chunks.length)) {
        if (!phrase.ended && player) return;
        this.#queue.shift();
        continue;
      }
      if (this.#active && (this.#active !== player || this.#playing[0].turn !== phrase.turn)) return;
      this.#active = player;
      if (!phrase.begun) {
        phrase.begun = true;
        this.#playing.push(phrase);
        player.begin(phrase.id, phrase.format);
      }
      for (const chunk of phrase.chunks.splice(0)) player.feed(chunk);
      if (!phrase.ended) return;
      player.end();
      this.#queue.shift();
    }
  }

  #placed(id, ms) {
    const index = this.#playing.findIndex((phrase) => phrase.id === id);
    if (index < 0) return; // it was stopped meanwhile
    for (const over of this.#playing.splice(0, index)) this.#heldBytes -= over.bytes;
    const [{ turn, track, atMs }] = this.#playing;
    const before = this.#place;
    this.#place = { turn, track, ms: atMs + ms };
    if (before?.turn !== turn || before.track !== track || !before.sounds) this.#on.sounds({ turn, track });
    this.#place.sounds = true;
    const began = this.#begun.get(turn);
    if (began?.waits) {
      began.waits = false;
      this.#on.first(turn, track, performance.now() - began.at);
    }
    this.#on.place(this.#place);
  }

  #first(turn) {
    this.#begun.set(turn, { at: performance.now(), waits: true });
    if (this.#begun.size > 8) this.#begun.delete(this.#begun.keys().next().value);
  }

  #idle() {
    this.#finish();
    this.#pump();
  }

  #finish() {
    this.#playing = [];
    this.#active = null;
    this.#count_held();
    if (this.#place?.sounds) {
      this.#place = { ...this.#place, sounds: false };
      this.#on.sounds(null);
    }
  }

  #count_held() {
    this.#heldBytes = [...this.#playing, ...this.#queue].reduce((sum, phrase) => sum + (phrase.bytes ?? 0), 0);
  }

  #blocked() {
    this.#sound.wake();
    setTimeout(() => this.#sound.context?.state === "suspended" && this.#on.problem("sound_blocked"), 300);
  }

  #fail() {
    this.#on.problem("sound_failed");
    this.stop();
  }
}
