// What was said, to be heard again: the last few answers only, as each address (blob:) holds its sound until it is revoked.

const KEPT = 8;

/** Keeps addresses by entry. `on.gone(entry)` is told of each that is revoked, `on.sounds()` when one begins or ends to sound. */
export class Recordings {
  #urls = new Map();
  #on;
  #sound = null;

  constructor(on) {
    this.#on = on;
  }

  /** Make an address for an entry's speech, a Blob. */
  add(entry, blob) {
    const url = URL.createObjectURL(blob);
    this.#urls.set(entry, url);
    if (this.#urls.size > KEPT) this.remove(this.#urls.keys().next().value);
    return url;
  }

  remove(entry) {
    if (!this.#urls.has(entry)) return;
    URL.revokeObjectURL(this.#urls.get(entry));
    this.#urls.delete(entry);
    this.#on.gone(entry);
  }

  clear() {
    this.stop();
    for (const entry of [...this.#urls.keys()]) this.remove(entry);
  }

  /** Whether one sounds. */
  get sounds() {
    return this.#sound !== null;
  }

  /** Play an entry's speech, as loud as { muted, volume } say. Rejects where the browser cannot. */
  async play(entry, loudness) {
    this.stop();
    const sound = Object.assign(new Audio(this.#urls.get(entry)), loudness);
    sound.onpause = () => this.#sound === sound && this.stop(); // at its end, too
    this.#sound = sound;
    this.#on.sounds();
    await sound.play().catch((error) => {
      if (error.name !== "AbortError") throw error; // it was stopped before it began
    });
  }

  set loudness(loudness) {
    if (this.#sound) Object.assign(this.#sound, loudness);
  }

  stop() {
    const sound = this.#sound;
    if (!sound) return;
    this.#sound = null;
    sound.pause();
    this.#on.sounds();
  }
}
