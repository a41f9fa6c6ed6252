// What went wrong, what to do about it, and buttons that do it.

import { h, replace } from "../parts/dom.js";
import { icon } from "./icons.js";

const MICROPHONE = ["listen", "type"];
const WAYS = {
  microphone_denied: MICROPHONE, microphone_missing: MICROPHONE, microphone_failed: MICROPHONE,
  insecure_origin: ["type"], no_worklet: ["type"], unauthorized: ["token"], forbidden: ["token"],
  unreachable: ["restart"], taken_over: ["restart"], session_over: ["restart"], not_connected: ["restart"],
};

/** Shows one problem at a time; `does` has a function for each way out: listen, type, restart, token(text). */
export class Notice {
  #t;
  #does;

  constructor(t, does) {
    this.#t = t;
    this.#does = does;
    this.element = h("div", { class: "notice", part: "notice", role: "alert", hidden: true });
  }

  /** Tell of a problem in the page's words, where it has some, and what to do; returns what happened, in words. */
  tell({ code = "failed", message = "", hint = "" }) {
    const words = (key, otherwise) => (this.#t.has(key) ? this.#t(key) : otherwise);
    const told = words(`client.${code}`, message);
    // A lost connection is shown where its state is, as long as it is lost; the client is at it.
    if (code !== "lost") this.#show(code, told, words(`client.${code}.hint`, hint));
    return told;
  }

  #show(code, message, hint) {
    const close = h("button", { type: "button", class: "quiet", onclick: () => this.clear() }, this.#t("chat.way.close"));
    replace(this.element, icon("alert"),
      h("div", { class: "what" }, h("p", {}, h("strong", {}, message), hint ? ` ${hint}` : ""),
        h("div", { class: "ways" }, (WAYS[code] ?? []).map((way) => (way === "token" ? this.#token() : this.#way(way))), close)));
    this.element.dataset.code = code;
    this.element.hidden = false;
  }

  #way(way) {
    const act = () => {
      this.clear();
      this.#does[way]();
    };
    return h("button", { type: "button", class: `way ${way}`, onclick: act }, this.#t(`chat.way.${way}`));
  }

  #token() {
    const field = h("input", { type: "password", autocomplete: "current-password", "aria-label": this.#t("token.label"),
      placeholder: this.#t("token.label"), required: true });
    const use = (event) => {
      event.preventDefault();
      this.clear();
      this.#does.token(field.value.trim());
    };
    return h("form", { class: "token", onsubmit: use }, field, h("button", { class: "way" }, this.#t("token.use")));
  }

  /** Take away what is shown. */
  clear() {
    this.element.hidden = true;
    delete this.element.dataset.code;
    replace(this.element);
  }
}
