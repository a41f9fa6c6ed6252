// Addresses (blob:) of what was said: the last few only, as each holds its sound in memory until it is revoked.

const KEPT = 8;

/** Keeps addresses by entry; calls `gone(entry)` for each that is revoked. */
export class Recordings {
  #urls = new Map();
  #gone;

  constructor(gone) {
    this.#gone = gone;
  }

  /** Make an address for an entry's speech, a Blob. */
  add(entry, blob) {
    this.remove(entry);
    const url = URL.createObjectURL(blob);
    this.#urls.set(entry, url);
    if (this.#urls.size > KEPT) this.remove(this.#urls.keys().next().value);
    return url;
  }

  get(entry) {
    return this.#urls.get(entry);
  }

  remove(entry) {
    const url = this.#urls.get(entry);
    if (!url) return;
    URL.revokeObjectURL(url);
    this.#urls.delete(entry);
    this.#gone(entry);
  }

  clear() {
    for (const entry of [...this.#urls.keys()]) this.remove(entry);
  }
}
