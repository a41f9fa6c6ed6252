// The speakers: who is there and what each is doing, by area or by group; what they are told, and what is said to them.

import { h, replace, styles } from "../parts/dom.js";
import { eachFrame, follow, look, role, seldom } from "../parts/live.js";
import { openAdding } from "./speakers/adding.js";
import { announcing } from "./speakers/announcing.js";
import { SpeakerCard } from "./speakers/card.js";

const LOOK_MS = 1000; // for what no event tells: volumes, the end of sound, who is gone
const SOON_MS = 150;
const EVENTS = "/api/v1/events?types=session_opened,session_closed,turn_started,turn_over";

/** Show the view in `root` until `house.signal` ends it. */
export async function open(root, house) {
  await styles(new URL("./house.css", import.meta.url));
  const view = new SpeakersView(root, house);
  await view.open();
}

class SpeakersView {
  #house;
  #root;
  #cards = new Map();
  #speakers = [];
  #personas = [];
  #by = "area";
  #wanted = "";
  #admin = false;
  #list = h("div", { class: "areas" });
  #count = h("p", { class: "muted count", role: "status" });
  #announce = null;
  #refresh = () => {};

  constructor(root, house) {
    this.#root = root;
    this.#house = house;
  }

  async open() {
    const { t, signal } = this.#house;
    this.#admin = (await role(this.#house).catch(() => "viewer")) === "admin";
    this.#announce = announcing(this.#house, this.#admin);
    replace(this.#root,
      h("div", { class: "title" }, h("h1", {}, t("nav.speakers")),
        h("button", { class: "add", disabled: !this.#admin, onclick: () => this.#add() }, t("speakers.add"))),
      this.#admin ? null : h("p", { class: "note" }, t("speakers.viewer")),
      this.#announce.element, this.#tools(), this.#count, this.#list);
    const draw = eachFrame(() => this.#draw(), signal);
    this.#refresh = look(this.#house, LOOK_MS, async () => {
      const speakers = await this.#house.api("GET", "/api/v1/speakers");
      if (!this.#personas.length) this.#personas = await this.#house.api("GET", "/api/v1/personas");
      this.#speakers = speakers;
      draw();
    });
    const soon = seldom(() => this.#refresh(), SOON_MS, signal);
    follow(this.#house, EVENTS, soon, () => {});
  }

  #tools() {
    const { t } = this.#house;
    const search = h("input", {
      type: "search", "aria-label": t("speakers.search"), placeholder: t("speakers.search"),
      oninput: (event) => {
        this.#wanted = event.target.value.trim().toLowerCase();
        this.#draw();
      },
    });
    const by = h("select", {
      "aria-label": t("speakers.sort"),
      onchange: (event) => {
        this.#by = event.target.value;
        this.#draw();
      },
    }, ["area", "group"].map((each) => h("option", { value: each }, t(`speakers.by_${each}`))));
    return h("div", { class: "row tools-row" }, search, by);
  }

  #draw() {
    const { t } = this.#house;
    const shown = this.#speakers.filter((speaker) => this.#matches(speaker));
    const here = this.#speakers.filter((speaker) => speaker.online).length;
    const count = t("speakers.count", { here, all: this.#speakers.length });
    if (this.#count.textContent !== count) this.#count.textContent = count;
    this.#announce.know(this.#speakers);
    const known = new Set(this.#speakers.map((speaker) => speaker.id));
    for (const id of [...this.#cards.keys()].filter((each) => !known.has(each))) this.#cards.delete(id);
    this.#sections(this.#sorted(shown), shown.length);
  }

  #sections(sections, count) {
    const { t } = this.#house;
    if (!count) {
      const key = this.#speakers.length ? "speakers.none_found" : this.#admin ? "speakers.none" : "speakers.none_viewer";
      replace(this.#list, h("p", { class: "empty" }, t(key)));
      return;
    }
    const elements = sections.map(([name, speakers]) => {
      const title = name || t(this.#by === "area" ? "speakers.no_area" : "speakers.no_group");
      const element = [...this.#list.children].find((each) => each.dataset?.name === name && each.dataset.by === this.#by)
        ?? h("section", { class: "area", "data-name": name, "data-by": this.#by },
          h("h2", {}, title), h("div", { class: "grid" }));
      keep(element.lastChild, speakers.map((speaker) => this.#card(speaker)));
      return element;
    });
    keep(this.#list, elements);
  }

  /** [name, speakers] of each area, or of each group; a speaker of several groups is shown in its first one. */
  #sorted(speakers) {
    const found = new Map();
    for (const speaker of speakers) {
      const name = (this.#by === "area" ? speaker.area : speaker.groups[0]) ?? "";
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(speaker);
    }
    const order = new Intl.Collator(this.#house.t.language, { numeric: true });
    for (const each of found.values()) each.sort((a, b) => order.compare(a.name, b.name));
    return [...found].sort(([a], [b]) => (a === "") - (b === "") || order.compare(a, b));
  }

  #matches({ id, name, area, groups }) {
    return !this.#wanted || [id, name, area ?? "", ...groups].some((each) => each.toLowerCase().includes(this.#wanted));
  }

  #card(speaker) {
    let card = this.#cards.get(speaker.id);
    if (!card) {
      card = new SpeakerCard(this.#house, {
        admin: this.#admin,
        personas: () => this.#personas,
        refresh: () => this.#refresh(),
        say: (id) => this.#announce.to(id),
      });
      this.#cards.set(speaker.id, card);
    }
    card.show(speaker);
    return card.element;
  }

  async #add() {
    const areas = [...new Set(this.#speakers.map((speaker) => speaker.area).filter(Boolean))].sort();
    await openAdding(this.#house, areas, () => this.#refresh());
  }
}

/** Have an element hold these children in this order, touching only what differs: what has the focus keeps it. */
function keep(element, children) {
  children.forEach((child, index) => {
    if (element.children[index] !== child) element.insertBefore(child, element.children[index] ?? null);
  });
  while (element.children.length > children.length) element.lastChild.remove();
}
