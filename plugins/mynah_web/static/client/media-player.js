// Plays MP3 by a media source, in browsers that have no decoder for it, and in pages that are not secure, which get neither
// decoders nor worklets. Most browsers begin only when some 200 ms are there.

const TYPE = "audio/mpeg";
const LOOK_MS = 20;
/**
 * The browser keeps the last moment of a stream back until it knows that this is the end. So it is told, this long
 * before: what comes later is another stream.
 */
const TAIL_S = 0.15;

/** Whether this browser plays MP3 so. */
export function playsMedia() {
  return Boolean(globalThis.MediaSource?.isTypeSupported(TYPE));
}

/** Plays phrases of MP3 one after the other; as Player does. `on.blocked()`: the browser does not let it play. */
export class MediaPlayer {
  #audio = new Audio();
  #node;
  #output;
  #on;
  #source = null;
  #buffer = null;
  #waiting = [];
  #phrases = [];
  #timer = null;
  #held = false;
  #closed = false;

  constructor(context, output, on) {
    this.#on = on;
    this.#output = output;
    this.#node = context.createMediaElementSource(this.#audio);
    this.#audio.onerror = () => this.#phrases.length && on.failed();
    this.#audio.onended = () => this.#over();
    this.#prepare();
  }

  begin(id) {
    if (!this.#phrases.length) {
      this.#node.connect(this.#output);
      this.#timer = setInterval(() => this.#look(), LOOK_MS);
    }
    this.#waiting.push({ id, begin: true });
    this.#phrases.push({ id, from: null, to: null });
    this.#pump();
  }

  feed(id, bytes) {
    this.#waiting.push({ id, bytes });
    this.#pump();
  }

  end(id) {
    this.#waiting.push({ id, end: true });
    this.#pump();
  }

  stop() {
    if (!this.#phrases.length) return;
    this.#node.disconnect();
    this.#rest();
  }

  async hold() {
    this.#held = true;
    this.#audio.pause();
    return this.#place();
  }

  release() {
    this.#held = false;
    this.#play();
  }

  close() {
    clearInterval(this.#timer);
    this.#node.disconnect();
    this.#audio.onerror = this.#audio.onended = null;
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    this.#audio.load();
  }

  /** Forget all phrases and be ready for the next turn. */
  #rest() {
    clearInterval(this.#timer);
    this.#held = false;
    this.#phrases = [];
    this.#waiting = [];
    this.#prepare();
  }

  /** Open a new media source, and let it play: nothing is left to do then when the first bytes come. */
  #prepare() {
    const source = new MediaSource();
    const url = URL.createObjectURL(source);
    this.#source = source;
    this.#buffer = null;
    this.#closed = false;
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(url);
      if (source !== this.#source) return;
      this.#buffer = source.addSourceBuffer(TYPE);
      this.#buffer.mode = "sequence";
      this.#buffer.addEventListener("updateend", () => source === this.#source && this.#pump());
      this.#pump();
    }, { once: true });
    this.#audio.src = url;
    this.#play();
  }

  #play() {
    // It waits for data, and is given up whenever another source takes its place: neither is an error.
    this.#audio.play().catch((error) => error.name === "NotAllowedError" && this.#on.blocked());
  }

  #pump() {
    while (this.#buffer && !this.#closed && !this.#buffer.updating && this.#waiting.length) {
      const { id, begin, bytes, end } = this.#waiting[0];
      const phrase = this.#phrases.find((each) => each.id === id);
      if (begin) phrase.from = this.#end();
      else if (end) phrase.to = this.#end();
      else if (!this.#append(bytes)) return;
      this.#waiting.shift();
    }
  }

  #append(bytes) {
    try {
      this.#buffer.appendBuffer(bytes);
      return true;
    } catch (error) {
      if (error.name !== "QuotaExceededError") this.#on.failed();
      return false; // full: what has sounded makes room
    }
  }

  #end() {
    const { buffered } = this.#buffer;
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  }

  #place() {
    const at = this.#audio.currentTime;
    const phrase = this.#phrases.findLast((each) => each.from !== null && each.from < at) ?? this.#phrases[0];
    if (!phrase || phrase.from === null) return {};
    return { id: phrase.id, ms: Math.max(0, Math.min(at, phrase.to ?? at) - phrase.from) * 1000 };
  }

  #look() {
    this.#pump();
    const { id, ms } = this.#place();
    if (id === undefined || this.#held) return;
    if (ms > 0) this.#on.place(id, ms);
    const last = this.#phrases[this.#phrases.length - 1];
    if (this.#closed || last.to === null || last.to - this.#audio.currentTime > TAIL_S) return;
    this.#closed = true;
    this.#source.endOfStream();
  }

  /** All of this stream has sounded; phrases that came too late for it are the next one. */
  #over() {
    const sounded = this.#phrases.filter((phrase) => phrase.to !== null);
    const last = sounded[sounded.length - 1];
    if (!last) return;
    this.#on.place(last.id, (last.to - last.from) * 1000);
    this.#phrases = this.#phrases.filter((phrase) => phrase.to === null);
    if (this.#phrases.length) this.#prepare();
    else this.#rest();
    this.#on.idle(last.id);
  }
}
