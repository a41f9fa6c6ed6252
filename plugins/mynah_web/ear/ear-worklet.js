// Takes down what it hears, with the number of each block's first sample, in pieces of 32 blocks; and tells when sound
// begins after some silence.

const BLOCKS = 32;
const SILENT = 32;

class Ear extends AudioWorkletProcessor {
  #first = null;
  #blocks = [];
  #silent = SILENT;

  constructor() {
    super();
    this.port.onmessage = () => this.#give(true);
  }

  process([input]) {
    this.#first ??= currentFrame;
    this.#blocks.push(input.length ? input[0].slice() : new Float32Array(128));
    if (!input.length || input[0].every((sample) => sample === 0)) this.#silent += 1;
    else {
      if (this.#silent >= SILENT) this.port.postMessage({ onset: Date.now() });
      this.#silent = 0;
    }
    if (this.#blocks.length >= BLOCKS) this.#give(false);
    return true;
  }

  #give(last) {
    const samples = new Float32Array(this.#blocks.length * 128);
    this.#blocks.forEach((block, i) => samples.set(block, i * 128));
    this.port.postMessage({ first: this.#first, samples, last }, [samples.buffer]);
    this.#first = null;
    this.#blocks = [];
  }
}

registerProcessor("mynah-ear", Ear);
