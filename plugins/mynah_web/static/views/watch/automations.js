// Automations and scripts: how each one's last run went, what every run did and why, and a button that runs it.

import { h, replace } from "../../parts/dom.js";
import { ago, clock, look, pause } from "../../parts/live.js";

const LOOK_MS = 3000;
const MOST = 50; // that are shown before somebody asks for more
const RUNS = 10; // of one automation that are shown
const STEPS = 200; // of one run that are shown

/** Returns {element, watch(health)}: what runs is looked for where the hub's health says that automations do. */
export function automationsCard(house, admin) {
  const { t } = house;
  const list = h("ul", { class: "plain rows" });
  const more = h("button", { hidden: true, onclick: () => {
    most += MOST;
    draw();
  } }, t("watch.show_more"));
  const search = h("input", { type: "search", "aria-label": t("watch.find_automation"), placeholder: t("watch.find_automation"), hidden: true, oninput: () => draw() });
  const rows = new Map();
  let all = [];
  let most = MOST;
  let runs = false;
  let looking = false;

  const draw = () => {
    const wanted = search.value.trim().toLowerCase();
    const found = all.filter((each) => !wanted || `${each.id} ${each.alias} ${each.description}`.toLowerCase().includes(wanted)).sort(newest);
    const shown = found.slice(0, most);
    const known = new Set(all.map((each) => each.id));
    for (const id of [...rows.keys()].filter((each) => !known.has(each))) rows.delete(id);
    search.hidden = all.length < 8;
    more.hidden = found.length <= most;
    const elements = shown.map((each) => {
      if (!rows.has(each.id)) rows.set(each.id, new Row(house, admin));
      rows.get(each.id).show(each);
      return rows.get(each.id).element;
    });
    if (!elements.length) replace(list, h("li", { class: "empty" }, t(all.length ? "watch.none_match" : "watch.no_automations")));
    else if (list.children.length !== elements.length || elements.some((each, n) => list.children[n] !== each)) {
      // What is open or has the focus stays where it is; it is sorted again when it is left.
      if (!list.contains(document.activeElement) || list.children.length !== elements.length) replace(list, elements);
    }
  };
  return {
    element: h("section", { class: "card automations", "aria-labelledby": "watch-automations" },
      h("div", { class: "title" }, h("h2", { id: "watch-automations" }, t("watch.automations")), search), list, more),
    watch: ({ components }) => {
      runs = components.automation?.state === "ready"; // without the plugin there would be no such route
      if (!runs) replace(list, h("li", { class: "empty" }, t("watch.automations_off")));
      if (!runs || looking) return;
      looking = true;
      look(house, LOOK_MS, async () => {
        if (!runs) return;
        all = await house.api("GET", "/api/v1/automations");
        draw();
      });
    },
  };
}

function newest(a, b) {
  return Number(Boolean(b.trouble)) - Number(Boolean(a.trouble)) || b.running - a.running
    || (b.last_triggered ?? 0) - (a.last_triggered ?? 0) || a.alias.localeCompare(b.alias);
}

class Row {
  #house;
  #admin;
  #automation = {};
  #told = "";
  #runs = new Map(); // the elements of runs that are over
  #parts;
  element;

  constructor(house, admin) {
    this.#house = house;
    this.#admin = admin;
    const { t } = house;
    this.#parts = {
      name: h("strong"), about: h("span", { class: "muted small" }), last: h("span", { class: "small last" }),
      trouble: h("p", { class: "bad small" }), result: h("p", { class: "small", role: "status" }),
      run: h("button", { disabled: !admin, title: admin ? null : t("watch.viewer"), onclick: () => this.#run() }, t("watch.run")),
      traces: h("ol", { class: "plain traces" }),
    };
    const { name, about, last, trouble, result, run, traces } = this.#parts;
    this.#parts.details = h("details", { ontoggle: ({ target }) => target.open && this.#trace() }, h("summary", {}, t("watch.traces")), traces);
    this.element = h("li", {}, h("div", { class: "line" }, h("span", { class: "who" }, name, " ", about), last, run), trouble, result, this.#parts.details);
  }

  show(automation) {
    const { t } = this.#house;
    this.#automation = automation;
    const told = JSON.stringify(automation);
    this.#last();
    if (told === this.#told) return;
    this.#told = told;
    const { name, about, trouble, run, details } = this.#parts;
    this.element.dataset.automation = automation.id;
    name.textContent = automation.alias || automation.id;
    about.textContent = [t(`watch.kind_${automation.kind}`), automation.on ? "" : t("watch.off"), automation.triggers.join(", ")].filter(Boolean).join(" · ");
    trouble.textContent = automation.trouble;
    run.setAttribute("aria-label", t("watch.run_of", { name: name.textContent }));
    if (details.open) this.#trace();
  }

  #last() {
    const { t } = this.#house;
    const { running, last_run: run } = this.#automation;
    const told = running ? t("watch.running", { count: running })
      : run ? [t(`watch.outcome_${run.outcome}`), ago(t, run.began), run.seconds === null ? "" : seconds(run.seconds)].filter(Boolean).join(" · ")
      : t("watch.never_run");
    const { last } = this.#parts;
    if (last.textContent !== told) last.textContent = told;
    last.dataset.outcome = running ? "running" : run?.outcome ?? "";
  }

  async #run() {
    const { t } = this.#house;
    const { result, details } = this.#parts;
    try {
      const told = await this.#house.api("POST", `/api/v1/automations/${encodeURIComponent(this.#automation.id)}/trigger`, {});
      result.textContent = told.started ? t("watch.started", told) : t("watch.not_started", told);
      if (details.open) await this.#trace();
      else details.open = true;
    } catch (error) {
      this.#house.say(error);
    }
  }

  async #trace() {
    const { t, signal } = this.#house;
    let found;
    try {
      found = await this.#house.api("GET", `/api/v1/automations/${encodeURIComponent(this.#automation.id)}/traces`);
    } catch (error) {
      if (!signal.aborted) this.#house.say(error);
      return;
    }
    const shown = found.slice(0, RUNS);
    const elements = shown.map((trace, n) => {
      const key = `${trace.run} ${trace.began}`;
      const before = this.#runs.get(key);
      const element = before && before.dataset.outcome !== "running" ? before : runElement(t, trace, before ? before.firstChild.open : n === 0);
      this.#runs.set(key, element);
      return element;
    });
    const known = new Set(shown.map((trace) => `${trace.run} ${trace.began}`));
    for (const key of [...this.#runs.keys()].filter((each) => !known.has(each))) this.#runs.delete(key);
    replace(this.#parts.traces, elements.length ? elements : h("li", { class: "empty" }, t("watch.no_traces")));
    if (shown[0]?.outcome === "running" && this.#parts.details.open && (await pause(1000, signal))) await this.#trace();
  }
}

function runElement(t, trace, open) {
  const { run, began, seconds: took, outcome, message, trigger, variables, steps, steps_left_out: left } = trace;
  const values = Object.entries(variables);
  return h("li", { class: "run-of", "data-run": run, "data-outcome": outcome }, h("details", { open },
    h("summary", {}, `#${run} `, h("time", {}, clock(t, began)), " ", h("span", { class: "outcome" }, t(`watch.outcome_${outcome}`)),
      took === null ? "" : ` · ${seconds(took)}`),
    message ? h("p", { class: "small message" }, message) : null,
    h("dl", { class: "facts small" },
      h("dt", {}, t("watch.trigger")), h("dd", { "data-trigger": true }, trigger.description || trigger.platform || t("watch.by_hand"),
        raw(t, trigger)),
      values.map(([name, value]) => [h("dt", {}, name), h("dd", { class: "mono" }, plain(value))])),
    h("ol", { class: "plain steps-of" }, steps.slice(0, STEPS).map((step) => stepElement(t, step))),
    (left ?? 0) + Math.max(0, steps.length - STEPS)
      ? h("p", { class: "muted small" }, t("watch.steps_left_out", { count: (left ?? 0) + Math.max(0, steps.length - STEPS) })) : null));
}

function stepElement(t, { kind, place, name, at, seconds: took, result, error }) {
  const holds = kind === "condition" && result && "holds" in result ? Boolean(result.holds) : null;
  const mark = error ? "✗" : holds === false ? "✗" : took === null ? "…" : "✓";
  const rest = result && Object.fromEntries(Object.entries(result).filter(([key]) => key !== "holds"));
  const told = rest && Object.keys(rest).length ? plain(rest) : "";
  return h("li", { class: `depth-${Math.min(5, Math.floor(place.split("/").length / 2))}`, "data-place": place, "data-state": error ? "failed" : holds === false ? "no" : "" },
    h("span", { class: "mark", "aria-hidden": "true" }, mark), h("span", { class: "muted small" }, t(`watch.step_${kind}`)), h("strong", {}, name),
    holds === null ? null : h("span", { class: holds ? "good" : "warn" }, t(holds ? "watch.holds" : "watch.holds_not")),
    h("span", { class: "muted small" }, `+${seconds(at)}${took === null ? "" : ` · ${seconds(took)}`}`),
    error ? h("span", { class: "bad" }, error) : null, told ? h("span", { class: "mono gave" }, told) : null);
}

function raw(t, value) {
  return h("details", {}, h("summary", {}, t("watch.all_of_it")), h("pre", { tabindex: 0 }, JSON.stringify(value, null, 2)));
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function seconds(value) {
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${Math.round(value * 100) / 100} s`;
}
