// The connection to a hub: hello and welcome, a sign of life, and coming back after a loss.

import { ClientError } from "./problems.js";

const PAUSE_MS = [250, 5000];
const WELCOME_MS = 10000;
const PING_MS = 5000;
/** A hub that says nothing for this long, though it was asked, is lost. */
const SILENT_MS = 12000;
/** What ends a connection for good, by the WebSocket's code. */
const FINAL = { 4401: "unauthorized", 4403: "forbidden", 4409: "taken_over" };

/**
 * Keeps a connection. `on.hello()` gives the hello of each (it may be a promise), `on.message(object)` and
 * `on.sound(Uint8Array)` take what comes, `on.state(state, reason, retryMs)` what it is: connecting, connected,
 * reconnecting, closed.
 */
export class HubSocket {
  #address;
  #on;
  #socket = null;
  #timer = null;
  #alive = null;
  #heardAt = 0;
  #tries = 0;
  #state = "idle";
  #farewell = null;
  #fail = null;
  #now = () => this.#state === "reconnecting" && this.#again();

  constructor(address, on) {
    this.#address = address;
    this.#on = on;
  }

  get state() {
    return this.#state;
  }

  /** Connect; resolves with the welcome. Throws ClientError. After that it comes back by itself whenever it is lost. */
  async open() {
    this.#become("connecting");
    globalThis.addEventListener?.("online", this.#now);
    try {
      return await this.#meet();
    } catch (error) {
      this.#end(error.code);
      throw error;
    }
  }

  /** Send a message (an object) or sound (bytes); false where there is no connection now. */
  send(what) {
    if (this.#state !== "connected") return false;
    this.#socket.send(ArrayBuffer.isView(what) || what instanceof ArrayBuffer ? what : JSON.stringify(what));
    return true;
  }

  /** Say bye and end. */
  close(reason = "bye") {
    this.send({ type: "bye" });
    this.#end(reason);
  }

  /** One try: resolves with the welcome, throws ClientError. */
  #meet() {
    return new Promise((resolve, reject) => {
      const fail = (error) => {
        this.#drop();
        reject(error);
      };
      this.#drop();
      const socket = this.#dial(fail);
      if (!socket) return;
      this.#socket = socket;
      this.#farewell = null;
      this.#fail = fail;
      this.#timer = setTimeout(() => fail(new ClientError("unreachable")), WELCOME_MS);
      socket.onopen = () => this.#greet(socket, fail);
      socket.onclose = (event) => fail(this.#reason(event, "unreachable"));
      socket.onmessage = ({ data }) => {
        const message = typeof data === "string" ? JSON.parse(data) : null;
        if (message?.type === "error") this.#refused(message, fail);
        if (message?.type !== "welcome") return;
        this.#welcomed(socket, message);
        resolve(message);
      };
    });
  }

  #dial(fail) {
    try {
      const socket = new WebSocket(this.#address);
      socket.binaryType = "arraybuffer";
      return socket;
    } catch (error) {
      fail(new ClientError("unreachable", error.message)); // no address, or none that a page by https may call
      return null;
    }
  }

  async #greet(socket, fail) {
    try {
      const hello = await this.#on.hello();
      if (socket === this.#socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(hello));
    } catch (error) {
      fail(error);
    }
  }

  #refused(message, fail) {
    this.#farewell = message;
    if (!message.closes) fail(new ClientError(message.code, message.message)); // this hello will do no better next time
  }

  #welcomed(socket, welcome) {
    clearTimeout(this.#timer);
    this.#fail = null;
    this.#heardAt = performance.now();
    this.#alive = setInterval(() => this.#look(), PING_MS);
    socket.onclose = (event) => this.#lost(this.#reason(event, "lost"));
    socket.onmessage = ({ data }) => this.#take(data);
    this.#become("connected");
    this.#on.message(welcome);
  }

  #take(data) {
    this.#heardAt = performance.now();
    if (typeof data !== "string") {
      this.#on.sound(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "error" && message.closes) this.#farewell = message;
    this.#on.message(message);
  }

  #look() {
    this.#tries = 0; // a hub that greets and goes at once is not asked any sooner for its greeting
    const silent = performance.now() - this.#heardAt;
    if (silent > SILENT_MS) this.#lost(new ClientError("lost"));
    else if (silent > PING_MS / 2) this.send({ type: "ping" });
  }

  #reason({ code }, otherwise) {
    const told = this.#farewell;
    const ended = told?.code === "session_ended";
    return new ClientError(FINAL[code] ?? (ended ? "session_over" : otherwise), ended ? told.message : "");
  }

  #lost(error) {
    this.#drop();
    if (error.code !== "lost" && error.code !== "unreachable") {
      this.#end(error.code);
      return;
    }
    const [least, most] = PAUSE_MS;
    const pause = Math.min(most, least * 2 ** this.#tries) * (0.5 + Math.random() / 2);
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#again(), pause);
    this.#become("reconnecting", error.code, Math.round(pause));
  }

  #again() {
    clearTimeout(this.#timer);
    if (this.#state !== "reconnecting") return;
    this.#meet().catch((error) => this.#state !== "closed" && this.#lost(error));
  }

  #end(reason) {
    const fail = this.#fail;
    this.#fail = null;
    this.#drop();
    fail?.(new ClientError("not_connected")); // who waits for the welcome waits no longer
    globalThis.removeEventListener?.("online", this.#now);
    this.#become("closed", reason);
  }

  /** Let go of the socket and all timers. */
  #drop() {
    clearTimeout(this.#timer);
    clearInterval(this.#alive);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #become(state, reason = "", retryMs = 0) {
    if (state === this.#state && state === "closed") return;
    this.#state = state;
    this.#on.state(state, reason, retryMs);
  }
}
