// All that is seen of the element, in one language; what it does is told to it.

import { h, replace } from "../parts/dom.js";
import { Conversation } from "./conversation.js";
import { keys } from "./keys.js";
import { Notice } from "./notice.js";
import { Dock, Head } from "./panel.js";
import { Stages } from "./stages.js";

/**
 * Shows a conversation in `root`. `does` has what people may do, as Dock, Notice and Conversation name it, and figures().
 */
export class Shell {
  #root;
  #does;
  #t = null;
  #head;
  #stages;
  #dock;
  notice = null;
  conversation = null;

  constructor(root, does) {
    this.#root = root;
    this.#does = does;
    keys(root, () => this.#dock?.talk, does.stop);
  }

  /** Draw everything with the texts of `t`; a conversation that is there stays. */
  draw(t, { translates }) {
    const does = this.#does;
    this.stop();
    this.#t = t;
    this.#head = new Head(t, does.figures);
    this.#stages = new Stages(t, { translates });
    this.notice = new Notice(t, { ...does, type: () => this.#dock.field.focus() });
    this.#dock = new Dock(t, does);
    this.conversation ??= new Conversation(t, does);
    replace(this.#root, h("section", { class: "chat", part: "chat", lang: t.language, "aria-label": t("chat.name") },
      this.#head.element, this.conversation.element, this.#stages.element, this.notice.element, this.#dock.element));
  }

  /** Show what can change: what Head and Dock show, and the `stage`, null where nothing is under way. */
  show({ state, persona, stage, ...rest }) {
    if (!this.#t) return;
    this.#head.show(state, this.#t(`chat.state.${state}`), persona);
    this.#stages.show(stage);
    this.#dock.show(rest);
  }

  /** Take one of the hub's messages about a turn; returns its entry, where it has one. */
  take(message) {
    return this.conversation?.take(message);
  }

  level(level) {
    this.#dock?.talk.level(level);
  }

  /** What was asked last could not be sent. */
  unexpect(entry) {
    this.conversation.unexpect(entry, this.#t("chat.not_sent"));
  }

  /** The hub does not take what was asked. */
  refuse(message) {
    this.conversation?.refuse(message);
  }

  /** Show what went wrong; returns what happened, in words. */
  trouble(problem) {
    return this.notice ? this.notice.tell(problem) : problem.message;
  }

  /** Let go of the timers. */
  stop() {
    this.#head?.stop();
    this.#dock?.talk.stop();
  }
}
