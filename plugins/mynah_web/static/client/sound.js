// The browser's audio: one context for microphone and loudspeaker, so that the echo canceller knows what sounds.

import { ClientError } from "./problems.js";

// Written out, each of them, so that bundlers find them; the first one is there for the others.
const RESAMPLER = new URL("./resampler.js", import.meta.url);
const LOUDSPEAKER = new URL("./loudspeaker-worklet.js", import.meta.url);
const GESTURES = ["pointerdown", "keydown", "touchend"];

/** The audio context of a client: opened once, ahead of need, and set going as soon as the browser lets it. */
export class Sound {
  #opening = null;
  #unlock = () => this.wake();
  context = null;

  /** Whether samples can be worked with: a page that is not secure has no worklets, but may play MP3. */
  static worklets() {
    return "audioWorklet" in (globalThis.AudioContext?.prototype ?? {}) && globalThis.isSecureContext;
  }

  /** Open it; resolves with the AudioContext. Throws ClientError "no_worklet" where the browser has no audio at all. */
  open() {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Set it going. A browser may hold it back until a person has touched the page: then it goes on by itself. */
  wake() {
    if (this.context?.state === "suspended") this.context.resume().catch(() => {});
  }

  async close() {
    this.#listen("removeEventListener");
    const context = this.context;
    this.context = this.#opening = null;
    if (context && context.state !== "closed") await context.close().catch(() => {});
  }

  async #open() {
    if (!globalThis.AudioContext) throw new ClientError("no_worklet");
    const context = new AudioContext({ latencyHint: "interactive" });
    this.context = context;
    this.#listen("addEventListener");
    context.onstatechange = () => {
      if (context === this.context) this.#listen(`${context.state === "running" ? "remove" : "add"}EventListener`);
    };
    try {
      if (Sound.worklets()) {
        await context.audioWorklet.addModule(RESAMPLER);
        await context.audioWorklet.addModule(LOUDSPEAKER);
      }
    } catch (error) {
      if (context !== this.context) throw new ClientError("not_connected"); // closed meanwhile
      await this.close();
      throw new ClientError("no_worklet", `${error.message ?? error}`);
    }
    return context;
  }

  #listen(what) {
    for (const name of GESTURES) globalThis.document?.[what](name, this.#unlock, { capture: true, passive: true });
  }
}
