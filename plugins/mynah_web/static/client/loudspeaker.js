// The loudspeaker: the phrases of all turns and tracks in the order in which they came, one after the other.

import { ClientError } from "./problems.js";
import { Sound } from "./sound.js";

const RATES = { pcm_s16le: [24000, 48000, 22050, 16000, 44100], mp3: [24000, 44100, 48000, 22050, 16000] };
/** How much speech is held at most: eleven minutes of samples at 48 kHz. */
const MAX_HELD = 64 * 1024 * 1024;
/** Of how many turns it is known when they began. */
const KNOWN = 8;
const BLOCKED_MS = 300;

/** By what this browser plays which codec: samples by worklets; MP3 so, too, where it has a decoder, else by a media source. */
async function players() {
  try {
    const { Player, decodesMp3 } = Sound.worklets() ? await import("./player.js") : {};
    const found = Player ? { pcm_s16le: Player } : {};
    if (Player && (await decodesMp3())) return { ...found, mp3: Player };
    const { MediaPlayer, playsMedia } = await import("./media-player.js");
    return playsMedia() ? { ...found, mp3: MediaPlayer } : found;
  } catch {
    throw new ClientError("unreachable"); // their code comes when it is first needed, so that a page is there sooner
  }
}

/** What this browser plays, the best first, as in `plays` of hello. */
export async function playable() {
  return Object.keys(await players()).flatMap((codec) => RATES[codec].map((rate) => ({ codec, rate, channels: 1 })));
}

/**
 * Plays what it is given. `on.sounds({turn, track} or null)` as that changes, `on.first(turn, track, latencyMs)` as a turn
 * begins to sound, `on.problem(code)`.
 */
export class Loudspeaker {
  #sound;
  #on;
  #gain = null;
  #players = null; // by codec
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
    const [context, kinds] = await Promise.all([this.#sound.open(), players()]);
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
    const made = new Map([...new Set(Object.values(kinds))].map((Kind) => [Kind, new Kind(context, this.#gain, on)]));
    this.#players = Object.fromEntries(Object.entries(kinds).map(([codec, Kind]) => [codec, made.get(Kind)]));
    this.#pump();
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

  /** Whether something sounds, or is there to sound. */
  get busy() {
    return this.#playing.length + this.#queue.length > 0;
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
      this.#playing[0].player.stop();
      this.#playing = [];
      this.#silent();
    }
    this.#pump();
  }

  /** Forget all that is held: the same comes again, and sounds from where this was. */
  forget() {
    this.#queue = [];
    this.#playing = [];
    for (const player of this.#all()) player.stop();
  }

  /** Stand still; resolves with the place that was reached. What is held sounds after `release`, or not at all after `stop`. */
  async hold() {
    this.#standing = true;
    for (const { id, ms } of await Promise.all(this.#all().map((player) => player.hold()))) {
      if (id !== undefined) this.#placed(id, ms);
    }
    return this.#place;
  }

  release() {
    if (!this.#standing) return;
    this.#standing = false;
    for (const player of this.#all()) player.release();
    this.#pump();
  }

  close() {
    this.#queue = [];
    this.#playing = [];
    for (const player of this.#all()) player.close();
    this.#players = null;
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

  #all() {
    return [...new Set(Object.values(this.#players ?? {}))];
  }

  /** Hand phrases on, of one turn and to one player at a time: so that one can be stopped without the others. */
  #pump() {
    while (this.#queue.length && this.#players && !this.#standing) {
      const [phrase] = this.#queue;
      if (!phrase.begun && !this.#begin(phrase)) return;
      for (const chunk of phrase.chunks.splice(0)) phrase.player.feed(phrase.id, chunk);
      if (!phrase.ended) return;
      phrase.player.end(phrase.id);
      this.#queue.shift();
    }
  }

  #begin(phrase) {
    const player = this.#players[phrase.format.codec];
    const [sounds] = this.#playing;
    if (sounds && (sounds.turn !== phrase.turn || sounds.player !== player)) return false;
    Object.assign(phrase, { player, begun: true });
    this.#playing.push(phrase);
    player.begin(phrase.id, phrase.format);
    return true;
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
    // That the next phrase is another player's is nothing to tell of.
    if (this.#queue[0]?.turn === this.#place?.turn) this.#pump();
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
