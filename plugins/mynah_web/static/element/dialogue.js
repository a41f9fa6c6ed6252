// What stands between a client and what people press and see: the turns that are under way, what sounds, and whether the
// microphone is wanted.

const OVER = new Set(["turn_finished", "turn_failed", "turn_dropped", "interrupted"]);
const TURNS = ["stage", "partial_transcript", "transcript", "phrase", "token", "translation", ...OVER];

/** Whether a message is the last one of its turn. */
export function ends({ type }) {
  return OVER.has(type);
}

/**
 * Has one client at a time, which `make()` returns when it is first needed. `on` is told: `made(client)`, `turn(message)` of
 * all that belongs to a turn, `over()` when nothing of what was under way will come, `trouble(error)`, `changed()` when
 * there is something else to show; `events` are other events of the client by their types.
 */
export class Dialogue {
  #make;
  #on;
  #unwire = () => {};
  #under = new Set(); // turns
  #stage = null;
  #wanted = false; // whether the microphone is to be on: a press may end before it is
  client = null; // the one that there is
  listening = false; // whether the microphone is on

  constructor(make, on) {
    this.#make = make;
    this.#on = on;
  }

  /** Its client, which is made where there is none. */
  need() {
    if (!this.client) this.#wire(this.#make());
    return this.client;
  }

  /** Whether something sounds, or is going to. */
  get busy() {
    return this.#under.size > 0 || this.#speaks;
  }

  /** What the newest turn is at, until it has sounded; null where none is under way. */
  get stage() {
    if (this.#under.size) return this.#stage;
    return this.#speaks ? "speaking" : null;
  }

  get #speaks() {
    return this.client?.speaking ?? false;
  }

  /** Whether the microphone is wanted, and not on yet. */
  get asking() {
    return this.#wanted && !this.listening;
  }

  /** Its client, connected. Throws ClientError. */
  async connected() {
    const client = this.need();
    if (client.state !== "connected" && client.state !== "reconnecting") await client.connect();
    return client;
  }

  /** Do something that may fail; resolves to whether it did not, and tells of it if it did. */
  async attempt(work) {
    try {
      await work();
      return true;
    } catch (error) {
      this.#on.trouble(error);
      return false;
    } finally {
      this.#on.changed();
    }
  }

  /** Listen in that mode; `first()` is called where the microphone was not wanted before. */
  async begin(mode, first = () => {}) {
    if (this.#wanted) return;
    this.#wanted = true;
    first();
    this.#on.changed();
    const begun = await this.attempt(async () => {
      const client = await this.connected();
      if (this.#wanted) await client.listen(mode);
    });
    if (!begun) this.#wanted = false;
    else if (!this.#wanted) this.client?.endListening(); // the button came up meanwhile
    this.#on.changed();
  }

  /** Listen no longer. */
  end() {
    this.#wanted = false;
    if (this.client?.listening) this.client.endListening();
    this.#on.changed();
  }

  /** Stop every reply at once. */
  stop() {
    if (this.busy && this.client?.state === "connected") this.client.interrupt("stop");
    this.#on.changed();
  }

  /** Let the client go, and its session: the next one has another. */
  drop() {
    const { client } = this;
    this.#unwire();
    this.client = null;
    this.#over();
    client?.close().catch(() => {}); // what it was at is told to nobody any more
  }

  #wire(client) {
    const controller = new AbortController();
    const hear = (type, take) => client.addEventListener(type, ({ detail }) => take(detail), { signal: controller.signal });
    const note = (type, take) => hear(type, (detail) => {
      take(detail);
      this.#on.changed();
    });
    for (const type of TURNS) note(type, (message) => this.#take({ ...message, type }));
    hear("welcome", ({ resumed }) => !resumed && this.#under.clear()); // its turns are counted from 1 again
    note("state", ({ state }) => state === "closed" && this.#over());
    note("playing", () => {});
    note("listening", ({ mode }) => {
      this.listening = mode !== null;
      this.#wanted &&= this.listening;
    });
    note("volume", () => {});
    hear("problem", (problem) => this.#on.trouble(problem));
    for (const [type, take] of Object.entries(this.#on.events)) hear(type, take);
    this.#unwire = () => controller.abort();
    this.client = client;
    this.#on.made(client);
  }

  #take(message) {
    if (message.type === "stage") {
      this.#under.add(message.turn);
      this.#stage = message.stage;
    }
    if (ends(message)) this.#under.delete(message.turn);
    this.#on.turn(message);
  }

  #over() {
    this.#under.clear();
    this.#wanted = this.listening = false;
    this.#on.over();
  }
}
