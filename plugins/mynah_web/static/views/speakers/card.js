// One speaker: how it is, and what it can be told.

import { h, replace } from "../../parts/dom.js";
import { ago } from "../../parts/live.js";

const HELD_MS = 3000; // for so long after it was moved, a slider shows what was asked for, not what was told before
const STEPS = { loading: 1, rebooting: 2, confirmed: 3 };
let numbers = 0;

/** A card for one speaker. `options`: admin, personas(), refresh(), say(id). */
export class SpeakerCard {
  #house;
  #options;
  #speaker = {};
  #told = "";
  #heldUntil = 0;
  #parts;
  element;

  constructor(house, options) {
    this.#house = house;
    this.#options = options;
    this.#build();
  }

  /** Show a speaker as the hub tells of it; nothing is touched where nothing has changed. */
  show(speaker) {
    const told = JSON.stringify(speaker);
    if (told === this.#told) return this.#seen();
    this.#told = told;
    this.#speaker = speaker;
    this.#head();
    this.#controls();
    if (this.#parts.more.open) this.#more();
  }

  #build() {
    const { t } = this.#house;
    const id = `speaker-${++numbers}`;
    const part = (tag, properties, ...children) => h(tag, properties, ...children);
    this.#parts = {
      name: part("h3", { id }),
      phase: part("span", { class: "phase" }),
      note: part("p", { class: "muted small" }),
      volume: part("input", { type: "range", min: 0, max: 100, step: 1, oninput: () => this.#slide(), onchange: () => this.#setVolume() }),
      percent: part("output", { class: "percent" }),
      mute: part("button", { class: "mute", "aria-pressed": "false", onclick: () => this.#mute() }, t("speakers.mute")),
      say: part("button", { onclick: () => this.#options.say(this.#speaker.id) }, t("speakers.say")),
      stop: part("button", { onclick: () => this.#tell({ command: "stop" }) }, t("speakers.stop")),
      update: part("p", { class: "update small", role: "status" }),
      more: part("details", { ontoggle: (event) => event.target.open && this.#more() }, h("summary", {}, t("speakers.more"))),
      body: part("div", { class: "more" }),
      result: part("p", { class: "small bad", role: "alert", hidden: true }),
    };
    const { name, phase, note, volume, percent, mute, say, stop, update, more, body, result } = this.#parts;
    more.append(body);
    this.element = h("article", { class: "card speaker", "aria-labelledby": id },
      h("div", { class: "head" }, name, phase), note,
      h("div", { class: "row loud" }, mute, volume, percent),
      h("div", { class: "row" }, say, stop), update, result, more);
  }

  #head() {
    const { t } = this.#house;
    const { id, name, online, phase, groups } = this.#speaker;
    const state = !online ? "away" : phase ?? "here";
    this.element.dataset.id = id;
    this.element.dataset.state = state;
    this.#parts.name.textContent = name;
    this.#parts.phase.textContent = t(`speakers.phase_${state}`);
    this.#parts.phase.dataset.state = state;
    this.#parts.label = [name === id ? "" : id, groups.join(", ")].filter(Boolean).join(" · ");
    this.#seen();
  }

  #seen() {
    const { t } = this.#house;
    const { online, last_seen: seen } = this.#speaker;
    const when = online ? "" : seen ? t("speakers.seen", { when: ago(t, seen) }) : t("speakers.never_seen");
    const note = [this.#parts.label, when].filter(Boolean).join(" · ");
    if (this.#parts.note.textContent !== note) this.#parts.note.textContent = note;
  }

  #controls() {
    const { t } = this.#house;
    const { name, volume, mute, commands, update, latest, firmware } = this.#speaker;
    const { volume: slider, percent, mute: button, say, stop } = this.#parts;
    const why = this.#options.admin ? t("speakers.cannot") : t("speakers.viewer");
    this.#allow(slider, "volume", why);
    this.#allow(button, "mute", why);
    this.#allow(stop, "stop", why);
    say.disabled = !this.#options.admin;
    slider.setAttribute("aria-label", t("speakers.volume_of", { name }));
    button.setAttribute("aria-label", t("speakers.mute_of", { name }));
    button.setAttribute("aria-pressed", String(Boolean(mute)));
    button.textContent = t(mute ? "speakers.muted" : "speakers.mute");
    say.setAttribute("aria-label", t("speakers.say_to", { name }));
    stop.setAttribute("aria-label", t("speakers.stop_of", { name }));
    if (Date.now() > this.#heldUntil) {
      slider.value = volume ?? 0;
      percent.textContent = volume === null ? "–" : `${volume} %`;
    }
    this.#showUpdate(update, latest && firmware && latest !== firmware && commands.includes("update") ? latest : "");
  }

  #allow(element, command, why) {
    element.disabled = !this.#options.admin || !this.#speaker.commands.includes(command);
    if (element.disabled) element.title = why;
    else element.removeAttribute("title");
  }

  #showUpdate(update, latest) {
    const { t } = this.#house;
    const { firmware, name } = this.#speaker;
    const busy = update && update.status in STEPS && update.version !== firmware;
    if (busy) {
      const text = t(`speakers.update_${update.status}`, update);
      replace(this.#parts.update, text, h("progress", { max: 3, value: STEPS[update.status], "aria-label": text }));
    } else if (latest) {
      const failed = update?.status === "rolled_back";
      replace(this.#parts.update, failed ? `${t("speakers.update_rolled_back", update)} ` : "",
        h("button", { class: "primary", disabled: !this.#options.admin, "aria-label": t("speakers.update_of", { name, latest }),
          onclick: () => this.#tell({ command: "update" }) }, t("speakers.update_to", { latest })));
    } else if (update?.status === "confirmed") {
      replace(this.#parts.update, t("speakers.update_confirmed", update));
    } else {
      replace(this.#parts.update);
    }
  }

  #more() {
    const { t } = this.#house;
    const { persona, context, firmware, formats, session, commands, id } = this.#speaker;
    const facts = [
      ["id", id], ["persona", persona], ["context", Object.entries(context).map(([key, value]) => `${key}: ${value}`).join(", ")],
      ["session", session && `${session.slice(0, 8)}…`], ["firmware", firmware], ["formats", formats.join(", ")],
    ].filter(([, value]) => value);
    const focused = this.#parts.body.contains(document.activeElement);
    if (focused && this.#parts.body.childElementCount) return; // not from under somebody's hands
    const can = (command) => this.#options.admin && commands.includes(command);
    replace(this.#parts.body,
      h("dl", { class: "facts" }, facts.map(([key, value]) => [h("dt", {}, t(`speakers.fact_${key}`)), h("dd", {}, value)])),
      this.#personas(can("persona")), this.#context(can("context")),
      h("div", { class: "row" },
        h("button", { disabled: !can("listen"), onclick: () => this.#tell({ command: "listen", seconds: 8 }) }, t("speakers.listen")),
        h("button", { disabled: !can("reboot"), onclick: () => this.#tell({ command: "reboot" }) }, t("speakers.reboot")),
        h("button", { class: "danger", disabled: !this.#options.admin, onclick: () => this.#remove() }, t("speakers.remove"))),
      this.#options.admin && !commands.includes("listen") && commands.length ? h("p", { class: "muted small" }, t("speakers.no_mqtt")) : null);
  }

  #personas(can) {
    const { t } = this.#house;
    const { persona, name } = this.#speaker;
    const options = this.#options.personas().map((each) =>
      h("option", { value: each.name, selected: each.name === persona }, each.title || each.name));
    return h("label", { class: "field" }, t("speakers.persona"), h("select", {
      disabled: !can, "aria-label": t("speakers.persona_of", { name }),
      onchange: (event) => this.#tell({ command: "persona", persona: event.target.value }),
    }, persona ? null : h("option", { value: "", disabled: true, selected: true }, t("speakers.persona_default")), options));
  }

  #context(can) {
    const { t } = this.#house;
    const { name } = this.#speaker;
    const field = (key) => h("input", { name: key, maxlength: 64, disabled: !can, required: key === "key",
      "aria-label": t(`speakers.context_${key}`, { name }), placeholder: t(`speakers.context_${key}`, { name }) });
    const [key, value] = [field("key"), field("value")];
    return h("form", {
      class: "row context",
      onsubmit: async (event) => {
        event.preventDefault();
        await this.#tell({ command: "context", context: { [key.value.trim()]: value.value.trim() } });
        event.target.reset();
        document.activeElement.blur(); // so that what is known of it is shown afresh
      },
    }, key, value, h("button", { disabled: !can }, t("speakers.context_set")));
  }

  #slide() {
    this.#heldUntil = Date.now() + HELD_MS;
    this.#parts.percent.textContent = `${this.#parts.volume.value} %`;
  }

  #setVolume() {
    this.#slide();
    return this.#tell({ command: "volume", volume: Number(this.#parts.volume.value) });
  }

  #mute() {
    return this.#tell({ command: "mute", mute: !this.#speaker.mute });
  }

  async #tell(body) {
    const { t } = this.#house;
    const { id } = this.#speaker;
    const { result } = this.#parts;
    try {
      const { missed } = await this.#house.api("POST", `/api/v1/speakers/${encodeURIComponent(id)}/commands`, body);
      result.textContent = missed[id] ? t("speakers.not_done", { why: missed[id] }) : "";
      result.hidden = !missed[id];
      if (missed[id]) this.#heldUntil = 0;
    } catch (error) {
      if (!this.#house.signal.aborted) this.#house.say(error);
    }
    this.#told = "";
    this.#options.refresh();
  }

  #remove() {
    const { t } = this.#house;
    const { id, name } = this.#speaker;
    const remove = async () => {
      try {
        await this.#house.api("DELETE", `/api/v1/speakers/${encodeURIComponent(id)}`);
      } catch (error) {
        this.#house.say(error);
      }
      this.#options.refresh();
    };
    const dialog = h("dialog", { "aria-labelledby": "remove-title", onclose: () => dialog.remove() },
      h("form", { method: "dialog" },
        h("h2", { id: "remove-title" }, t("speakers.remove_title", { name })), h("p", {}, t("speakers.remove_text")),
        h("div", { class: "row" },
          h("button", { type: "button", class: "danger", onclick: () => [dialog.close(), remove()] }, t("speakers.remove_yes")),
          h("button", {}, t("speakers.keep")))));
    document.body.append(dialog);
    dialog.showModal();
  }
}
