// What a session has come to, counted from its messages.

const PENDING = { listening: "hearing", transcribing: "hearing", thinking: "replying", translating: "replying" };
const OVER = ["turn_finished", "turn_failed", "turn_dropped"];

/** Counts a session's turns; `statistics()` has the names of the older study partner's API. */
export class Tally {
  #turns = new Map();
  #created = null;
  #active = null;
  #entries = 0;
  #chunks = 0;
  #bytes = 0;
  finished = 0;

  begin() {
    this.#turns.clear();
    this.#created = this.#active = Date.now() / 1000;
    this.#entries = this.#chunks = this.#bytes = this.finished = 0;
  }

  /** Count a frame of the microphone. */
  sent(bytes) {
    this.#active = Date.now() / 1000;
    this.#chunks += 1;
    this.#bytes += bytes;
  }

  /** Count a question in writing. */
  asked() {
    this.#active = Date.now() / 1000;
    this.#entries += 1;
  }

  take(message) {
    this.#active = Date.now() / 1000;
    const { type, turn } = message;
    if (type === "stage") this.#turns.set(turn, PENDING[message.stage]);
    if (type === "transcript") {
      this.#chunks = this.#bytes = 0;
      if (message.text) this.#entries += 1;
      this.#turns.set(turn, "replying");
    }
    if (type === "turn_finished") this.finished += 1;
    if ((type === "turn_finished" && message.reply) || (type === "interrupted" && this.#turns.has(turn) && message.heard)) {
      this.#entries += 1;
    }
    if (OVER.includes(type) || type === "interrupted") this.#turns.delete(turn);
  }

  statistics({ session, language, active }) {
    const pending = (what) => [...this.#turns.values()].filter((each) => each === what).length;
    return {
      sessionId: session,
      createdAt: this.#created,
      lastActivity: this.#active,
      isActive: active,
      language,
      conversationEntries: this.#entries,
      bufferChunks: this.#chunks,
      bufferSize: this.#bytes,
      pendingTranscriptions: pending("hearing"),
      pendingResponses: pending("replying"),
    };
  }
}
