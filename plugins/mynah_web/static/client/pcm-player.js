// Plays samples by a worklet, as they come.

/** How long a worklet is waited for that does not answer: the browser may have stopped the audio. */
const ANSWER_MS = 200;

/** Plays phrases of 16-bit samples one after the other; see mp3-player.js for the same of MP3. */
export class PcmPlayer {
  #node;
  #on;
  #answer = null;

  /** `on.place(id, ms)` as phrases sound, `on.idle()` when all has sounded. */
  constructor(context, output, on) {
    this.#on = on;
    this.#node = new AudioWorkletNode(context, "mynah-loudspeaker", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.connect(output);
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#node.onprocessorerror = () => on.failed();
  }

  begin(id, format) {
    this.#node.port.postMessage({ begin: id, rate: format.rate });
  }

  feed(bytes) {
    // A frame's first byte is the stream's number, so that its samples begin at an odd place: they are copied.
    const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.byteLength & ~1)));
    this.#node.port.postMessage({ data: samples }, [samples.buffer]);
  }

  end() {
    this.#node.port.postMessage({ end: true });
  }

  /** Be silent from the next block on, and forget all phrases. */
  stop() {
    this.#node.port.postMessage({ stop: true });
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
      this.#node.port.postMessage({ hold: true });
    });
  }

  release() {
    this.#node.port.postMessage({ release: true });
  }

  close() {
    this.#node.port.postMessage({ close: true });
    this.#node.port.onmessage = null;
    this.#node.disconnect();
    this.#answer?.({});
  }

  #take(told) {
    if (told.held) this.#answer?.(told);
    else if (told.idle) this.#on.idle();
    else this.#on.place(told.id, told.ms);
  }
}
