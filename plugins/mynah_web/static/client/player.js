// Plays phrases through a worklet: samples as they are, MP3 decoded frame by frame.

import { Mp3Decoder } from "./mp3.js";

export { decodesMp3 } from "./mp3.js";

/** How long a worklet is waited for that does not answer: the browser may have stopped the audio. */
const ANSWER_MS = 200;

/**
 * Plays phrases one after the other. `on.place(id, ms)` as they sound, `on.idle(id)` when that one and all before it
 * have, `on.failed()`. See media-player.js for the same without worklets.
 */
export class Player {
  #node;
  #on;
  #decoders = new Map();
  #answer = null;

  constructor(context, output, on) {
    this.#on = on;
    this.#node = new AudioWorkletNode(context, "mynah-loudspeaker", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.connect(output);
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#node.onprocessorerror = () => on.failed();
  }

  begin(id, format) {
    this.#tell({ begin: id, rate: format.rate });
    if (format.codec !== "mp3") return;
    const decoder = new Mp3Decoder(format, {
      samples: (samples) => this.#tell({ id, samples, scale: 1 }, samples),
      end: () => this.#ended(id),
      failed: () => this.#decoders.has(id) && this.#on.failed(),
    });
    this.#decoders.set(id, decoder);
  }

  feed(id, bytes) {
    const decoder = this.#decoders.get(id);
    if (decoder) {
      decoder.feed(bytes);
      return;
    }
    // A frame's first byte is the stream's number, so that its samples begin at an odd place: they are copied.
    const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.byteLength & ~1)));
    this.#tell({ id, samples, scale: 1 / 32768 }, samples);
  }

  end(id) {
    const decoder = this.#decoders.get(id);
    if (decoder) decoder.end();
    else this.#ended(id);
  }

  /** Be silent from the next block on, and forget all phrases. */
  stop() {
    this.#tell({ stop: true });
    const decoders = [...this.#decoders.values()];
    this.#decoders.clear();
    for (const decoder of decoders) decoder.close();
  }

  /** Stand still; resolves when it does, with {id, ms} of what sounds, where anything does. */
  hold() {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer?.({}), ANSWER_MS);
      this.#answer = (place) => {
        clearTimeout(timer);
        this.#answer = null;
        resolve(place);
      };
      this.#tell({ hold: true });
    });
  }

  release() {
    this.#tell({ release: true });
  }

  close() {
    this.stop();
    this.#tell({ close: true });
    this.#node.port.onmessage = null;
    this.#node.disconnect();
    this.#answer?.({});
  }

  #ended(id) {
    this.#decoders.delete(id);
    this.#tell({ id, end: true });
  }

  #tell(what, samples) {
    this.#node.port.postMessage(what, samples ? [samples.buffer] : []);
  }

  #take(told) {
    if (told.held) this.#answer?.(told);
    else if (told.idle !== undefined) this.#on.idle(told.idle);
    else this.#on.place(told.id, told.ms);
  }
}
