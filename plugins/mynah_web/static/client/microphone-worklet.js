// The microphone's side in the audio thread: 16 kHz mono in pieces, with what was heard just before it was asked for.
//
// It is told {start: samples in a piece}, {stop: true}, {close: true}. It tells {piece: Int16Array} while it is on,
// {level: root mean square of 50 ms}, {done: true} after the last piece of a stop.

const RATE = 16000;
/** People begin to speak as they press: this much from before the start goes with it. */
const BEFORE_S = 0.25;
const LEVEL_S = 0.05;

class Microphone extends AudioWorkletProcessor {
  #resampler = new globalThis.MynahResampler(sampleRate, RATE);
  #before = new Int16Array(BEFORE_S * RATE);
  #kept = 0;
  #piece = null;
  #filled = 0;
  #block = new Float32Array(256);
  #mono = new Float32Array(128);
  #squares = 0;
  #measured = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#told(data);
  }

  process([input]) {
    if (!input.length) return this.#open;
    const mono = this.#mix(input);
    for (let read = 0; read < mono.length;) {
      read += this.#resampler.push(mono, read, 1);
      for (let count; (count = this.#resampler.pull(this.#block, 0)) > 0;) this.#take(count);
    }
    return this.#open;
  }

  #told({ start, stop, close }) {
    if (start) this.#start(start);
    else if (stop) this.#stop();
    else if (close) this.#open = false;
  }

  #start(samples) {
    this.#piece = new Int16Array(samples);
    this.#filled = 0;
    const kept = Math.min(this.#kept, this.#before.length);
    const oldest = this.#kept - kept;
    for (let i = 0; i < kept; i += 1) this.#put(this.#before[(oldest + i) % this.#before.length]);
    this.#kept = 0;
  }

  #stop() {
    if (this.#piece && this.#filled) this.port.postMessage({ piece: this.#piece.slice(0, this.#filled) });
    this.#piece = null;
    this.port.postMessage({ done: true });
  }

  #mix(channels) {
    if (channels.length === 1) return channels[0];
    const mono = this.#mono.length === channels[0].length ? this.#mono : new Float32Array(channels[0].length);
    for (let i = 0; i < mono.length; i += 1) {
      mono[i] = channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
    }
    return mono;
  }

  #take(count) {
    for (let i = 0; i < count; i += 1) {
      const value = Math.max(-1, Math.min(1, this.#block[i]));
      const sample = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
      this.#squares += value * value;
      this.#measured += 1;
      if (this.#piece) this.#put(sample);
      else {
        this.#before[this.#kept % this.#before.length] = sample;
        this.#kept += 1;
      }
    }
    if (this.#measured < LEVEL_S * RATE) return;
    if (this.#piece) this.port.postMessage({ level: Math.sqrt(this.#squares / this.#measured) });
    this.#squares = this.#measured = 0;
  }

  #put(sample) {
    this.#piece[this.#filled] = sample;
    this.#filled += 1;
    if (this.#filled < this.#piece.length) return;
    this.port.postMessage({ piece: this.#piece.slice() });
    this.#filled = 0;
  }
}

registerProcessor("mynah-microphone", Microphone);
