// How it is interpreted: between which languages, in which manner, and whether two people share the device.

import { h } from "./dom.js";
import { keep, recall } from "./kept.js";
import { languageOptions } from "./languages.js";

const NAME = "interpret";
const USUAL = { source: "en", target: "es", manner: "streaming", both: true, original: true };

/** Controls for the choice, which is remembered; `chosen` is called after each change. */
export class InterpretChoice {
  #t;
  #chosen;
  #values = recall(NAME, USUAL);
  #selects = {};

  constructor(t, chosen) {
    this.#t = t;
    this.#chosen = chosen;
    this.element = h("div", { class: "card settings" }, this.#pair(),
      this.#either("manner", ["streaming", "parallel"]),
      h("div", { class: "ticks" }, this.#tick("both"), this.#tick("original")));
  }

  /** {source, target, manner: "streaming" | "parallel", both, original} as chosen just now. */
  get values() {
    return this.#values;
  }

  /** The choice as `interpret` of the hub's `hello` has it. */
  get interpret() {
    const { source, target, manner, both, original } = this.#values;
    return { source, target, original, parallel: manner === "parallel", both_ways: both };
  }

  #pair() {
    const swap = () => this.#choose({ source: this.#values.target, target: this.#values.source });
    const name = this.#t("interpret.swap");
    return h("div", { class: "pair" }, this.#select("source", "target"),
      h("button", { type: "button", class: "swap", "aria-label": name, title: name, onclick: swap }, "⇄"),
      this.#select("target", "source"));
  }

  #select(which, other) {
    const choose = ({ target: { value } }) =>
      this.#choose(value === this.#values[other] ? { [which]: value, [other]: this.#values[which] } : { [which]: value });
    this.#selects[which] = h("select", { name: which, onchange: choose }, languageOptions(this.#values[which], this.#t));
    return h("label", {}, h("span", {}, this.#t(`interpret.${which}`)), this.#selects[which]);
  }

  #either(name, options) {
    const radio = (value) => h("label", {}, h("input", { type: "radio", name, value, checked: value === this.#values[name],
      onchange: () => this.#choose({ [name]: value }) }), h("span", {}, this.#t(`interpret.${value}`)));
    return h("fieldset", {}, h("legend", {}, this.#t(`interpret.${name}`)), options.map(radio));
  }

  #tick(name) {
    const choose = (event) => this.#choose({ [name]: event.target.checked });
    return h("label", {}, h("input", { type: "checkbox", name, checked: this.#values[name], onchange: choose }),
      h("span", {}, this.#t(`interpret.${name}`)));
  }

  #choose(changes) {
    this.#values = { ...this.#values, ...changes };
    keep(NAME, this.#values);
    for (const [which, select] of Object.entries(this.#selects)) {
      // Both lists hold the languages on offer, and what was remembered, which a swap may bring to the other.
      if (![...select.options].some((option) => option.value === this.#values[which])) {
        select.replaceChildren(...languageOptions(this.#values[which], this.#t));
      }
      select.value = this.#values[which];
    }
    this.#chosen();
  }
}
