// What the hub sends of speech, carried to the loudspeaker and the recordings; and what has sounded, reported.

import { Loudspeaker, playable } from "./loudspeaker.js";
import { Recordings } from "./recordings.js";

const REPORT_MS = 200;
/** A hub that has the rest of what was held sends it at once after a resumption; else what is held here goes on. */
const RESUME_MS = 1000;
const ENDS = ["interrupted", "turn_finished", "turn_failed", "turn_dropped"];

/**
 * The speech of a session. `on.send(message)` sends to the hub; `on.event(name, detail)` tells of "sound" and "playing";
 * `on.problem(code)`. With `both` two tracks are heard, of which the second is the one that is reported.
 */
export class Speech {
  #streams = new Map();
  #on;
  #both;
  #timer = null;
  #waiting = null;
  #reported = null;
  #stopped = new Set();
  recordings = new Recordings();
  loudspeaker;

  constructor(sound, { both }, on) {
    this.#on = on;
    this.#both = both;
    this.loudspeaker = new Loudspeaker(sound, {
      sounds: (what) => this.#sounds(what),
      first: (turn, track, latencyMs) => on.event("sound", { turn, track, first: true, latencyMs }),
      problem: on.problem,
    });
  }

  /** Audio frame of the hub: the stream's number, then its sound. */
  chunk(frame) {
    const stream = this.#streams.get(frame[0]);
    if (!stream) return;
    const bytes = frame.subarray(1);
    if (stream.phrase) this.loudspeaker.feed(stream.phrase, bytes);
    this.recordings.add(stream.part, bytes);
  }

  /** Take a message of the hub; with `aloud` its speech is played. */
  take(message, aloud) {
    if (message.type === "speech_started") this.#begin(message, aloud);
    else if (message.type === "speech_ended" || message.type === "phrase_failed") this.#end(message);
    else if (ENDS.includes(message.type)) this.#over(message);
  }

  /** Stop all sound at once; what of the turns that sound is still under way is not played. */
  stop() {
    this.#report();
    for (const { message } of this.#streams.values()) this.#stop(message.turn);
    if (this.loudspeaker.place) this.#stop(this.loudspeaker.place.turn);
    this.loudspeaker.stop();
    this.#resume();
  }

  /** What hello says of speech: the formats, and the place from which a resumed turn goes on. Sound stands still. */
  async hello() {
    const place = await this.loudspeaker.hold();
    const mine = place && this.#isReported(place);
    return { plays: await playable(), resume: place ? { turn: place.turn, played_ms: mine ? place.ms : 0 } : {} };
  }

  /** A connection is there. Of a session that goes on the hub sends again what has not sounded. */
  welcomed(resumed) {
    this.#streams.clear();
    if (!resumed) {
      this.loudspeaker.stop();
      this.recordings.clear();
      this.#stopped.clear();
      this.#resume();
      return;
    }
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#resume(), RESUME_MS);
  }

  /** The connection is lost or was not made: what is held goes on sounding. */
  lost() {
    this.#resume();
  }

  close() {
    clearInterval(this.#timer);
    clearTimeout(this.#waiting);
    this.#streams.clear();
    this.loudspeaker.close();
  }

  #begin(message, aloud) {
    if (this.#waiting !== null) {
      this.loudspeaker.forget();
      this.#resume();
    }
    const plays = aloud && !this.#stopped.has(message.turn);
    this.#streams.set(message.stream, {
      message,
      phrase: plays ? this.loudspeaker.begin(message) : null,
      part: this.recordings.begin(message),
    });
  }

  #end({ type, stream: number }) {
    const stream = this.#streams.get(number);
    if (!stream) return;
    this.#streams.delete(number);
    if (stream.phrase) this.loudspeaker.end(stream.phrase);
    if (type === "speech_ended") this.recordings.end(stream.part);
  }

  #over({ type, turn }) {
    for (const [number, { message, phrase }] of this.#streams) {
      if (message.turn !== turn) continue;
      if (phrase) this.loudspeaker.end(phrase);
      this.#streams.delete(number);
    }
    if (type === "interrupted") this.loudspeaker.stop(turn);
  }

  #stop(turn) {
    this.#stopped.add(turn);
    if (this.#stopped.size > 16) this.#stopped.delete(this.#stopped.values().next().value);
  }

  #resume() {
    clearTimeout(this.#waiting);
    this.#waiting = null;
    this.loudspeaker.release();
  }

  #sounds(what) {
    clearInterval(this.#timer);
    this.#timer = what && setInterval(() => this.#report(), REPORT_MS);
    if (!what) this.#report();
    this.#on.event("playing", what ?? { turn: null, track: null });
  }

  #report() {
    const { place } = this.loudspeaker;
    if (!place) return;
    const ms = this.#isReported(place) ? place.ms : 0;
    const report = `${place.turn} ${ms}`;
    if (report === this.#reported || (ms === 0 && this.#reported?.startsWith(`${place.turn} `))) return;
    this.#reported = report;
    this.#on.send({ type: "played", turn: place.turn, ms });
  }

  #isReported({ track }) {
    return !this.#both || track > 0;
  }
}
