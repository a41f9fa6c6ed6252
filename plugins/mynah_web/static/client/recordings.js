// The speech of the last few turns as files, for who wants to hear it again.

const TURNS = 4;
const MAX_BYTES = 16 * 1024 * 1024;
const HEADER = 44;

/** Keeps the speech of the last turns; of a turn with two tracks each on its own. */
export class Recordings {
  #turns = new Map();

  /** Note that a phrase begins (as in `speech_started`). Returns what `add` takes, null where it is not to be kept. */
  begin({ turn, track, phrase, format, at_ms: atMs }) {
    const tracks = this.#turn(turn);
    const kept = tracks.get(track) ?? { format, phrases: new Map(), bytes: 0, whole: true };
    tracks.set(track, kept);
    const before = kept.phrases.get(phrase);
    if (before?.whole) return null; // it comes again after a loss, or a part of it
    if (before && format.codec !== "pcm_s16le") kept.whole = false; // where to go on cannot be told
    if (format.codec !== kept.format.codec || format.rate !== kept.format.rate) kept.whole = false;
    const part = before ? cut(before, atMs) : { atMs, chunks: [], format, whole: false };
    part.kept = kept;
    kept.phrases.set(phrase, part);
    return part;
  }

  add(part, bytes) {
    if (!part) return;
    part.kept.bytes += bytes.byteLength;
    if (part.kept.bytes > MAX_BYTES) {
      part.kept.whole = false;
      part.kept.phrases.clear();
    }
    if (part.kept.whole) part.chunks.push(bytes);
  }

  end(part) {
    if (part) part.whole = true;
  }

  /** A Blob of what was kept of a turn: of `track`, or its last one. Null where nothing, or not all, is kept. */
  blob(turn, track) {
    const tracks = this.#turns.get(turn);
    const kept = tracks?.get(track ?? Math.max(...tracks.keys()));
    if (!kept?.whole || !kept.bytes) return null;
    const phrases = [...kept.phrases].sort(([a], [b]) => a - b).map(([, part]) => part);
    const chunks = phrases.flatMap((part) => part.chunks);
    if (kept.format.codec === "mp3") return new Blob(chunks, { type: "audio/mpeg" });
    return new Blob([header(kept.format, chunks), ...chunks], { type: "audio/wav" });
  }

  clear() {
    this.#turns.clear();
  }

  #turn(turn) {
    if (!this.#turns.has(turn)) this.#turns.set(turn, new Map());
    if (this.#turns.size > TURNS) this.#turns.delete(this.#turns.keys().next().value);
    return this.#turns.get(turn);
  }
}

/** Keep of a phrase what lies before a place: from there on it comes again. */
function cut(part, atMs) {
  let left = Math.round(((atMs - part.atMs) * part.format.rate) / 1000) * 2;
  const chunks = [];
  for (const chunk of part.chunks) {
    if (left <= 0) break;
    chunks.push(chunk.subarray(0, left));
    left -= chunk.byteLength;
  }
  return { ...part, chunks };
}

function header({ rate, channels }, chunks) {
  const size = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const view = new DataView(new ArrayBuffer(HEADER));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER - 8 + size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, size, true);
  return view;
}
