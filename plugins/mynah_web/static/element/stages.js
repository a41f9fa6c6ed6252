// What a turn is at: listening, transcribing, thinking, translating, speaking.

import { h } from "../parts/dom.js";
import { icon } from "./icons.js";

const STAGES = ["listening", "transcribing", "thinking", "translating", "speaking"];

/** The steps of a turn, and a line for screen readers that tells of each as it begins. */
export class Stages {
  #t;
  #steps = new Map();
  #said = h("span", { class: "hidden", role: "status" });
  #stage; // that is shown

  constructor(t, { translates }) {
    this.#t = t;
    for (const stage of STAGES) {
      this.#steps.set(stage, h("li", { class: `step ${stage}` }, icon(stage), h("span", {}, t(`chat.stage.${stage}`))));
    }
    this.#steps.get(translates ? "thinking" : "translating").hidden = true; // until a turn comes to it
    this.element = h("div", { class: "stages", part: "stages" },
      h("ol", { "aria-label": t("chat.stages") }, [...this.#steps.values()]), this.#said);
  }

  /** Show the stage that has begun; null: nothing is under way. */
  show(stage) {
    if (stage === this.#stage) return;
    this.#stage = stage;
    if (stage) this.#steps.get(stage).hidden = false;
    const at = STAGES.indexOf(stage);
    for (const [index, name] of STAGES.entries()) {
      const step = this.#steps.get(name);
      step.classList.toggle("done", index < at);
      step.classList.toggle("now", index === at);
      if (index === at) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    }
    const text = stage ? this.#t(`chat.stage.${stage}`) : this.#t("chat.ready");
    if (this.#said.textContent !== text) this.#said.textContent = text;
  }
}
