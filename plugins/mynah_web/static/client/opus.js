// Opus by the browser's own encoder, where it has one.

const RATE = 16000;
const FRAMES_MS = [60, 40, 20];
const BITRATE = 32000;

/** The settings for frames of at most `chunkMs`, or null where this browser does not encode Opus. */
export async function opusSettings(chunkMs) {
  if (!globalThis.AudioEncoder) return null;
  const frameMs = FRAMES_MS.find((each) => each <= chunkMs) ?? FRAMES_MS.at(-1);
  const settings = {
    codec: "opus",
    sampleRate: RATE,
    numberOfChannels: 1,
    bitrate: BITRATE,
    opus: { frameDuration: frameMs * 1000, application: "voip", signal: "voice" },
  };
  try {
    const { supported } = await AudioEncoder.isConfigSupported(settings);
    return supported ? { settings, frameMs } : null;
  } catch {
    return null; // a browser that knows Opus in another form only: samples do as well
  }
}

/** Encodes 16 kHz mono samples; `packet(Uint8Array)` is called for each frame, `failed(error)` once. */
export class OpusEncoder {
  #encoder;
  #samples;
  #time = 0;

  constructor({ settings, frameMs }, packet, failed) {
    this.#samples = (frameMs * RATE) / 1000;
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        packet(bytes);
      },
      error: failed,
    });
    this.#encoder.configure(settings);
  }

  /** Encode a piece, an Int16Array of at most a frame; the last one may be shorter and is filled with silence. */
  encode(piece) {
    if (this.#encoder.state !== "configured") return;
    const data = new Int16Array(this.#samples);
    data.set(piece);
    const sound = new AudioData({
      format: "s16",
      sampleRate: RATE,
      numberOfFrames: this.#samples,
      numberOfChannels: 1,
      timestamp: this.#time,
      data,
    });
    this.#encoder.encode(sound);
    sound.close();
    this.#time += (this.#samples * 1e6) / RATE;
  }

  /** Resolves when all packets are out. */
  async finish() {
    try {
      if (this.#encoder.state === "configured") await this.#encoder.flush();
    } catch {
      // it failed, which `failed` has told
    }
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }
}
