// Streaming conversion of sample rates by a windowed sinc. Used inside of worklets, where the browser has nothing for it.
// They find it in their global scope: bundlers carry a worklet's file along as it is, and what it imports they would not.

const HALF_TAPS = 16;
const KAISER_BETA = 8;
/** How much of the band is kept: the rest is where the filter falls. */
const PASSES = 0.93;
const ROOM = 4096;

/** Converts mono samples from one whole rate to another; what comes out is in step with what went in. */
globalThis.MynahResampler = class Resampler {
  #step;
  #phases;
  #half;
  #table;
  #input;
  #end;
  #at;
  #phase = 0;
  #gone = 0;

  constructor(from, to) {
    const divisor = common(from, to);
    this.#phases = to / divisor;
    this.#step = from / divisor;
    this.#half = from === to ? 0 : Math.ceil(HALF_TAPS * Math.max(1, from / to));
    this.#table = this.#half ? kernel(this.#phases, this.#half, PASSES * Math.min(1, to / from)) : null;
    this.#input = new Float32Array(ROOM + 2 * this.#half);
    this.#at = this.#end = this.#half;
  }

  /** Samples of the input that have been passed by what came out. */
  get passed() {
    return this.#gone + this.#at - this.#half;
  }

  /** Samples of the input that can be taken now. */
  get room() {
    this.#compact();
    return this.#input.length - this.#end;
  }

  /** Take samples from `begin` on, as many as there is room for; returns how many. `scale` multiplies them. */
  push(samples, begin, scale) {
    const count = Math.min(samples.length - begin, this.room);
    for (let i = 0; i < count; i += 1) this.#input[this.#end + i] = samples[begin + i] * scale;
    this.#end += count;
    return count;
  }

  /** Let the last samples out: nothing follows them. */
  flush() {
    this.#compact();
    const count = Math.min(this.#half, this.#input.length - this.#end);
    this.#input.fill(0, this.#end, this.#end + count);
    this.#end += count;
  }

  /** Write samples to `output` from `begin` on, as many as there are and fit; returns how many. */
  pull(output, begin) {
    let written = 0;
    while (begin + written < output.length && this.#at + this.#half < this.#end) {
      output[begin + written] = this.#half ? this.#sum() : this.#input[this.#at];
      written += 1;
      this.#phase += this.#step;
      const forward = Math.floor(this.#phase / this.#phases);
      this.#at += forward;
      this.#phase -= forward * this.#phases;
    }
    return written;
  }

  #sum() {
    const taps = 2 * this.#half;
    const first = this.#at - this.#half + 1;
    const row = this.#phase * taps;
    let sum = 0;
    for (let k = 0; k < taps; k += 1) sum += this.#input[first + k] * this.#table[row + k];
    return sum;
  }

  #compact() {
    const unused = this.#at - this.#half;
    if (unused <= 0) return;
    this.#input.copyWithin(0, unused, this.#end);
    this.#at -= unused;
    this.#end -= unused;
    this.#gone += unused;
  }
};

function common(a, b) {
  return b ? common(b, a % b) : a;
}

/** One row of weights for each place between two samples; each row keeps a constant as it is. */
function kernel(phases, half, cutoff) {
  const taps = 2 * half;
  const table = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase += 1) {
    let sum = 0;
    for (let k = 0; k < taps; k += 1) {
      const x = k - half + 1 - phase / phases;
      const weight = sinc(x * cutoff) * kaiser(x / half);
      table[phase * taps + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < taps; k += 1) table[phase * taps + k] /= sum;
  }
  return table;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** The modified Bessel function of order zero, by its series. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-9; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
