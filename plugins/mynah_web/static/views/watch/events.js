// Everything that happens, as it happens.

import { h, replace } from "../../parts/dom.js";
import { clock } from "../../parts/live.js";

const KEPT = 2000; // events that are remembered
const SHOWN = 200; // lines that are in the page at most
const WHO_MOST = 300; // sessions that can be chosen
const ALL = "";

/** The list of events. `take` each, `know` sessions and the names of speakers, `draw` with a frame. */
export class EventsCard {
  #house;
  #events = []; // the newest last; each {event, text}
  #fresh = [];
  #types = new Set();
  #speakers = {}; // by session
  #names = {};
  #filter = { type: ALL, who: ALL, text: "" };
  #paused = false;
  #missed = 0;
  #parts;
  element;

  constructor(house) {
    this.#house = house;
    this.#build();
  }

  /** Take an event; it is shown with the next `draw`. */
  take(event) {
    const entry = { event, text: JSON.stringify(event).toLowerCase() };
    this.#events.push(entry);
    if (this.#events.length > 2 * KEPT) this.#events.splice(0, this.#events.length - KEPT);
    if (this.#paused) this.#missed += 1;
    else {
      this.#fresh.push(entry);
      if (this.#fresh.length > 2 * SHOWN) this.#fresh.splice(0, this.#fresh.length - SHOWN);
    }
  }

  /** Know which sessions there are, and of which speakers. */
  know(sessions, names) {
    this.#names = names;
    const fresh = sessions.filter(({ id, speaker }) => speaker && this.#speakers[id] !== speaker);
    for (const { id, speaker } of fresh) this.#speakers[id] = speaker;
    for (const { id } of fresh) {
      for (const line of this.#parts.list.children) if (line.dataset.session === id) line.querySelector(".who").textContent = this.#name({ session_id: id });
    }
    const ids = Object.keys(this.#speakers);
    for (const id of ids.slice(0, Math.max(0, ids.length - KEPT))) delete this.#speakers[id];
    this.#offer(this.#parts.who, [
      [this.#house.t("nav.speakers"), Object.entries(names).map(([id, name]) => [`speaker ${id}`, name])],
      [this.#house.t("watch.sessions"), sessions.slice(0, WHO_MOST).map((each) => [`session ${each.id}`, `${names[each.speaker] ?? each.origin} · ${each.id.slice(0, 8)}`])],
    ], this.#house.t("watch.everybody"));
  }

  /** Say whether the stream of events stands. */
  connected(yes) {
    const { t } = this.#house;
    this.#parts.state.textContent = t(yes ? "watch.live" : "watch.not_live");
    this.#parts.state.dataset.state = yes ? "ready" : "away";
  }

  /** Show what came since the last time. */
  draw() {
    const { t } = this.#house;
    const { list, paused } = this.#parts;
    paused.textContent = this.#paused && this.#missed ? t("watch.missed", { count: this.#missed }) : "";
    if (!this.#fresh.length) return;
    const fresh = this.#fresh.filter((entry) => this.#matches(entry)).slice(-SHOWN);
    for (const { event } of this.#fresh) this.#types.add(event.type);
    this.#fresh = [];
    this.#offerTypes();
    if (!fresh.length) return;
    list.querySelector(".empty")?.remove();
    list.prepend(...fresh.map((entry) => this.#line(entry)).reverse());
    while (list.children.length > SHOWN) list.lastChild.remove();
  }

  #build() {
    const { t } = this.#house;
    const changed = (name) => (event) => {
      this.#filter[name] = event.target.value.trim().toLowerCase();
      this.#again();
    };
    this.#parts = {
      state: h("span", { class: "phase", role: "status" }),
      type: h("select", { "aria-label": t("watch.type"), onchange: changed("type") }, h("option", { value: ALL }, t("watch.every_type"))),
      who: h("select", { "aria-label": t("watch.who"), onchange: (event) => {
        this.#filter.who = event.target.value;
        this.#again();
      } }, h("option", { value: ALL }, t("watch.everybody"))),
      text: h("input", { type: "search", "aria-label": t("watch.search"), placeholder: t("watch.search"), oninput: changed("text") }),
      pause: h("button", { "aria-pressed": "false", onclick: () => this.#pause() }, t("watch.pause")),
      paused: h("span", { class: "muted small", role: "status" }),
      list: h("ol", { class: "plain events", tabindex: 0, "aria-label": t("watch.events") }, h("li", { class: "empty" }, t("watch.no_events"))),
    };
    const { state, type, who, text, pause, paused, list } = this.#parts;
    this.element = h("section", { class: "card", "aria-labelledby": "watch-events" },
      h("div", { class: "title" }, h("h2", { id: "watch-events" }, t("watch.events")), state),
      h("div", { class: "row filters" }, type, who, text, pause, paused), list);
  }

  #pause() {
    const { t } = this.#house;
    this.#paused = !this.#paused;
    this.#parts.pause.setAttribute("aria-pressed", String(this.#paused));
    this.#parts.pause.textContent = t(this.#paused ? "watch.go_on" : "watch.pause");
    if (!this.#paused) this.#again();
  }

  /** Show afresh what is remembered, after the filter has changed or a pause. */
  #again() {
    const { t } = this.#house;
    this.#missed = 0;
    this.#fresh = [];
    for (const { event } of this.#events) this.#types.add(event.type);
    this.#offerTypes();
    const shown = this.#events.filter((entry) => this.#matches(entry)).slice(-SHOWN).reverse();
    replace(this.#parts.list, shown.length ? shown.map((entry) => this.#line(entry))
      : h("li", { class: "empty" }, t(this.#events.length ? "watch.none_match" : "watch.no_events")));
    this.#parts.paused.textContent = "";
  }

  #matches({ event, text }) {
    const { type, who, text: wanted } = this.#filter;
    if (type !== ALL && event.type !== type) return false;
    const [kind, id] = who.split(" ");
    if (kind === "session" && event.session_id !== id) return false;
    if (kind === "speaker" && this.#speakers[event.session_id] !== id && event.speaker !== id) return false;
    return !wanted || text.includes(wanted) || (this.#name(event) ?? "").toLowerCase().includes(wanted);
  }

  #name(event) {
    const speaker = this.#speakers[event.session_id];
    return speaker ? this.#names[speaker] ?? speaker : event.session_id?.slice(0, 8);
  }

  #line({ event }) {
    const more = h("pre", { tabindex: 0 });
    const { type, time } = event;
    const who = this.#name(event);
    return h("li", { "data-type": type, "data-session": event.session_id }, h("details", {
      ontoggle: ({ target }) => target.open && replace(more, JSON.stringify(event, null, 2)),
    }, h("summary", {}, h("time", {}, time ? clock(this.#house.t, time) : ""), h("span", { class: `type ${tone(event)}` }, type),
      who ? h("span", { class: "who" }, who) : null, h("span", { class: "what" }, brief(this.#house.t, event))), more));
  }

  #offerTypes() {
    if (this.#parts.type.options.length === this.#types.size + 1) return;
    const chosen = this.#filter.type;
    replace(this.#parts.type, h("option", { value: ALL }, this.#house.t("watch.every_type")),
      [...this.#types].sort().map((type) => h("option", { value: type, selected: type === chosen }, type)));
  }

  #offer(select, groups, everybody) {
    const told = JSON.stringify(groups);
    if (select.dataset.told === told || select === document.activeElement) return;
    select.dataset.told = told;
    const chosen = select.value;
    replace(select, h("option", { value: ALL }, everybody), groups.filter(([, all]) => all.length).map(([label, all]) =>
      h("optgroup", { label }, all.map(([value, title]) => h("option", { value }, title)))));
    select.value = chosen;
    if (select.value === chosen) return;
    select.value = ALL; // who was chosen is gone
    this.#filter.who = ALL;
    this.#again();
  }
}

/** How an event is coloured: what went wrong stands out. */
function tone(event) {
  if (/failed|overflowed|dropped/.test(event.type) || event.state === "resting") return "bad";
  return event.type === "reply_interrupted" ? "warn" : "";
}

/** What an event says, in a line. */
function brief(t, event) {
  const ms = event.timeline?.first_audio;
  const parts = {
    session_opened: [event.persona, event.language],
    session_closed: [event.reason],
    heard: [event.text],
    replied: [event.outcome, ms === undefined ? "" : `${Math.round(ms)} ms`, event.text],
    reply_failed: [event.error],
    reply_interrupted: [event.reason, event.heard],
    engine_ready: [event.kind, event.engine],
    engine_failed: [event.kind, event.engine, event.error],
    engine_state_changed: [event.kind, event.engine, event.state, event.reason],
    component_ready: [event.component],
    component_failed: [event.component, event.error],
    happened: [event.name],
    config_changed: [(event.sections ?? []).join(", ")],
    events_dropped: [t("watch.dropped_events", event)],
  }[event.type];
  if (parts) return parts.filter(Boolean).join(" · ");
  return Object.entries(event).filter(([key, value]) => !["type", "time", "session_id"].includes(key) && typeof value !== "object")
    .map(([key, value]) => `${key}: ${value}`).join(" · ");
}
