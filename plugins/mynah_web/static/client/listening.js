// Listening: from the wish to be heard to the frames that the hub gets, also where the wish ends before the microphone is on.

import { ClientError } from "./problems.js";

/**
 * The microphone of a client. `on.send(message)` sends to the hub, `on.frame(bytes)` too, `on.event(name, detail)` tells of
 * "listening" and "level", `on.problem(error)` that the microphone went away. `options` are those of the client.
 */
export class Listening {
  #sound;
  #options;
  #on;
  #microphone = null;
  #attempt = null; // which call of `begin` it is that may begin
  #early = []; // frames that came before the hub was told of them
  #ending = null;
  #format = null;
  /** null, "push_to_talk" or "open". */
  mode = null;

  constructor(sound, options, on) {
    this.#sound = sound;
    this.#options = options;
    this.#on = on;
  }

  /** Open the microphone. Throws ClientError. */
  async open() {
    await (await this.#ear()).open();
  }

  /** The microphone; its code comes when it is first needed, so that a page is there sooner. */
  async #ear() {
    const { Microphone } = await import("./microphone.js").catch(() => {
      throw new ClientError("unreachable");
    });
    const { chunkMs, microphone: wishes, codec } = this.#options;
    this.#microphone ??= new Microphone(this.#sound, { chunkMs, wishes, codec }, {
      frame: (bytes) => this.#frame(bytes),
      level: (level) => this.#on.event("level", { level }),
      failed: (error) => {
        this.end();
        this.#on.problem(error);
      },
    });
    return this.#microphone;
  }

  /** Listen until `end`. Throws ClientError. */
  async begin(mode) {
    await this.#ending;
    if (this.mode) await this.end();
    this.mode = mode;
    this.#format = null;
    this.#early = [];
    if (!(await this.#record((this.#attempt = Symbol(mode))))) return;
    this.#on.send(this.message);
    for (const frame of this.#early.splice(0)) this.#frame(frame);
    this.#on.event("listening", { mode });
  }

  /** Have the microphone record; false where that attempt was ended, maybe while the person was asked for it. */
  async #record(attempt) {
    const ended = () => attempt !== this.#attempt;
    try {
      const microphone = await this.#ear();
      if (!ended()) await microphone.open();
      if (ended()) return false;
      const format = await microphone.start();
      if (!ended()) this.#format = format;
      else if (!this.#attempt) await microphone.stop();
      return !ended();
    } catch (error) {
      if (ended()) return false; // nobody waits for it any more
      this.mode = this.#attempt = null;
      throw error;
    }
  }

  /** What the hub is told as it begins, once it has; else null. */
  get message() {
    return this.#format && { type: "listen", mode: this.mode, format: this.#format };
  }

  /** The utterance is complete, or the open microphone off. Resolves when all was sent. */
  end() {
    if (!this.mode || this.#ending) return Promise.resolve(this.#ending);
    const begun = this.#format !== null;
    const release = this.mode === "open";
    this.#ending = Promise.resolve(this.#microphone?.stop({ release })).then(() => {
      this.mode = this.#format = this.#ending = null;
      if (begun) this.#on.send({ type: "end_listening" });
      this.#on.event("listening", { mode: null });
    });
    if (!begun) this.mode = this.#attempt = null;
    return this.#ending;
  }

  /** Let go of the microphone at once. */
  close() {
    this.#early = [];
    this.#microphone?.close();
    if (this.mode) this.#on.event("listening", { mode: null });
    this.mode = this.#format = this.#attempt = null;
  }

  #frame(bytes) {
    if (this.#format) this.#on.frame(bytes);
    else this.#early.push(bytes);
  }
}
