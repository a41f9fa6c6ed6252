// MP3 to samples by the browser's own decoder, frame by frame: what comes is heard as soon as its first frame is whole.

const KBITS = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const RATES = [44100, 48000, 32000];
const settings = (format) => ({ codec: "mp3", sampleRate: format.rate, numberOfChannels: format.channels });

/** Whether this browser decodes MP3 so. */
export async function decodesMp3() {
  if (!globalThis.AudioDecoder) return false;
  try {
    return (await AudioDecoder.isConfigSupported(settings({ rate: 24000, channels: 1 }))).supported;
  } catch {
    return false; // a browser that does not know the name does not decode it
  }
}

/** Decodes one phrase: `on.samples(Float32Array)`, `on.end()` after the last, `on.failed()` where it cannot. */
export class Mp3Decoder {
  #decoder;
  #frames = new Mp3Frames();
  #on;
  #time = 0;

  constructor(format, on) {
    this.#on = on;
    this.#decoder = new AudioDecoder({ output: (sound) => this.#take(sound), error: () => on.failed() });
    this.#decoder.configure(settings(format));
  }

  feed(bytes) {
    for (const data of this.#frames.cut(bytes)) {
      if (this.#decoder.state !== "configured") return;
      this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.#time, data }));
      this.#time += 1;
    }
  }

  async end() {
    try {
      await this.#decoder.flush();
    } catch {
      return; // closed meanwhile, or failed, which was told
    }
    this.#on.end();
    this.close();
  }

  close() {
    if (this.#decoder.state !== "closed") this.#decoder.close();
  }

  #take(sound) {
    const samples = new Float32Array(sound.numberOfFrames);
    sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    sound.close();
    this.#on.samples(samples);
  }
}

/** Cuts a stream that comes in any pieces into whole frames. */
class Mp3Frames {
  #rest = new Uint8Array(0);

  cut(bytes) {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const frames = [];
    let at = 0;
    while (at + 10 <= all.length) {
      const length = frameLength(all, at);
      if (at + length > all.length) break;
      if (length > 1 && all[at] === 0xff) frames.push(all.subarray(at, at + length));
      at += length;
    }
    this.#rest = all.slice(at);
    return frames;
  }
}

/** How long the frame or tag is that begins here, by ISO 11172-3 and id3v2; 1 where none does. */
function frameLength(data, at) {
  const [a, b, c] = data.subarray(at, at + 3);
  if (a === 0x49 && b === 0x44 && c === 0x33) {
    return 10 + data.subarray(at + 6, at + 10).reduce((size, byte) => size * 128 + (byte & 127), 0);
  }
  const version = (b >> 3) & 3;
  if (a !== 0xff || (b & 0xe0) !== 0xe0 || version === 1 || ((b >> 1) & 3) !== 1) return 1;
  const kbits = KBITS[version === 3 ? 1 : 2][c >> 4];
  const rate = RATES[(c >> 2) & 3] / [4, 0, 2, 1][version];
  if (!kbits || !rate) return 1;
  return Math.floor(((version === 3 ? 144 : 72) * kbits * 1000) / rate) + ((c >> 1) & 1);
}
