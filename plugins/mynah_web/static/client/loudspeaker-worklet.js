// The loudspeaker's side in the audio thread: phrases of samples, one after the other without a gap.
//
// It is told {begin: id, rate}, {id, samples, scale}, {id, end: true}, {stop: true}, {hold: true}, {release: true},
// {close: true}. It tells {id, ms} as a phrase begins to sound and every few blocks, {idle: id} when all have sounded up
// to that one, {held: true, id, ms} where it stands while held.

/** Blocks between two reports: 8 of 128 samples are 21 ms at 48 kHz. */
const REPORT = 8;

class Loudspeaker extends AudioWorkletProcessor {
  #phrases = [];
  #voice = null;
  #rate = 0;
  #parts = [];
  #held = false;
  #open = true;
  #blocks = 0;
  #told = null;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  process(inputs, outputs) {
    const output = outputs[0][0];
    if (this.#held || !this.#phrases.length) return this.#open;
    let written = 0;
    while (written < output.length) {
      if (this.#voice === null && !this.#next()) break;
      written += this.#voice.pull(output, written);
      if (written < output.length && !this.#feed()) break;
    }
    if (written && this.#voice) this.#report();
    if (!this.#phrases.length) this.port.postMessage({ idle: this.#told });
    return this.#open;
  }

  #take(told) {
    const phrase = this.#phrases.find((each) => each.id === told.id);
    if (told.begin !== undefined) this.#phrases.push({ id: told.begin, rate: told.rate, chunks: [], read: 0, ended: false });
    else if (told.samples) phrase?.chunks.push(told);
    else if (told.end && phrase) phrase.ended = true;
    else if (told.stop) this.#stop();
    else if (told.hold) this.#hold();
    else if (told.release) this.#held = false;
    else if (told.close) this.#open = false;
  }

  #stop() {
    this.#phrases = [];
    this.#parts = [];
    this.#voice = null;
    this.#held = false;
    this.#told = null;
  }

  #hold() {
    this.#held = true;
    this.port.postMessage({ held: true, ...this.#place() });
  }

  /** Begin to play the first phrase by a voice of its rate. */
  #next() {
    const phrase = this.#phrases[0];
    if (!phrase) return false;
    this.#rate = phrase.rate;
    this.#voice = new globalThis.MynahResampler(phrase.rate, sampleRate);
    this.#parts = [{ phrase, from: 0 }];
    return true;
  }

  /** Give the voice more samples, or let it end; false where neither is possible now. */
  #feed() {
    const part = this.#parts[this.#parts.length - 1];
    const phrase = part.phrase;
    if (phrase.chunks.length) {
      const [{ samples, scale }] = phrase.chunks;
      const count = this.#voice.push(samples, phrase.read, scale);
      phrase.read += count;
      part.fed = (part.fed ?? 0) + count;
      if (phrase.read >= samples.length) {
        phrase.chunks.shift();
        phrase.read = 0;
      }
      return true;
    }
    if (!phrase.ended) return false;
    const following = this.#phrases[this.#phrases.indexOf(phrase) + 1];
    if (following && following.rate === this.#rate) {
      this.#parts.push({ phrase: following, from: part.from + (part.fed ?? 0) });
      return true;
    }
    return this.#finish(part);
  }

  /** No phrase goes on from here: let the voice's last samples out, then be done with what it played. */
  #finish(part) {
    if (!part.flushed) {
      part.flushed = true;
      this.#voice.flush();
      return true;
    }
    this.#report();
    this.#phrases = this.#phrases.filter((phrase) => !this.#parts.some((each) => each.phrase === phrase));
    this.#parts = [];
    this.#voice = null;
    return this.#phrases.length > 0;
  }

  /** Where the sound stands: the phrase, and how much of it has been given out. */
  #place() {
    if (!this.#voice) return {};
    const passed = this.#voice.passed;
    const part = this.#parts.findLast((each) => each.from < passed || each === this.#parts[0]);
    const samples = Math.min(passed - part.from, part.fed ?? 0);
    return { id: part.phrase.id, ms: (samples / part.phrase.rate) * 1000 };
  }

  #report() {
    const place = this.#place();
    this.#blocks += 1;
    if (place.id === this.#told && this.#blocks < REPORT && !this.#parts.at(-1).flushed) return;
    // All that sounded before this phrase has been told of with it.
    while (this.#parts.length > 1 && this.#parts[0].phrase.id !== place.id) {
      const { phrase } = this.#parts.shift();
      this.#phrases.splice(this.#phrases.indexOf(phrase), 1);
    }
    this.#blocks = 0;
    this.#told = place.id;
    this.port.postMessage(place);
  }
}

registerProcessor("mynah-loudspeaker", Loudspeaker);
