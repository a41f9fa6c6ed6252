// Saying something: to one speaker, an area, a group or all of them; and who has heard it so far.

import { lines } from "../../parts/api.js";
import { h, replace } from "../../parts/dom.js";

/**
 * The form that announces. Returns {element, know(speakers), to(name)}: `know` has it offer those speakers, areas and groups,
 * `to` puts somebody into the form and the cursor into its text.
 */
export function announcing(house, admin) {
  const { t } = house;
  const where = h("select", { id: "announce-where", name: "where" });
  const text = h("textarea", { id: "announce-text", rows: 2, maxlength: 20000, required: true, placeholder: t("speakers.announce_hint") });
  const chime = h("input", { type: "checkbox", id: "announce-chime", checked: true });
  const own = h("input", { type: "checkbox", id: "announce-own" });
  const volume = h("input", { type: "range", min: 0, max: 100, value: 60, hidden: true, disabled: !admin, "aria-label": t("speakers.announce_volume") });
  const percent = h("output", { class: "percent" });
  const urgency = h("select", { id: "announce-urgency" }, ["announcement", "alarm", "reply"].map((each) =>
    h("option", { value: each }, t(`speakers.urgency_${each}`))));
  const send = h("button", { class: "primary", disabled: !admin, title: admin ? null : t("speakers.viewer") }, t("speakers.announce"));
  const runs = h("div", { class: "runs" });
  let names = {};

  own.addEventListener("change", () => {
    volume.hidden = !own.checked;
    percent.textContent = own.checked ? `${volume.value} %` : "";
  });
  volume.addEventListener("input", () => (percent.textContent = `${volume.value} %`));

  const form = h("form", {
    class: "card announce",
    onsubmit: (event) => {
      event.preventDefault();
      const wanted = { where: where.value, text: text.value.trim(), chime: chime.checked, urgency: urgency.value };
      if (own.checked) wanted.volume = Number(volume.value);
      if (wanted.text) run(house, runs, wanted, where.selectedOptions[0]?.textContent ?? wanted.where, (id) => names[id] ?? id);
    },
  },
  h("h2", {}, t("speakers.announce_title")),
  h("label", { for: "announce-text", class: "hidden-label" }, t("speakers.announce_text")), text,
  h("div", { class: "row choices" },
    h("label", { for: "announce-where" }, t("speakers.announce_where")), where,
    h("label", { for: "announce-urgency", class: "hidden-label" }, t("speakers.urgency")), urgency,
    h("label", { class: "check" }, chime, t("speakers.chime")),
    h("label", { class: "check" }, own, t("speakers.own_volume")), volume, percent, send), runs);

  return {
    element: form,
    know: (speakers) => {
      names = Object.fromEntries(speakers.map((speaker) => [speaker.id, speaker.name]));
      offer(t, where, speakers);
    },
    to: (name) => {
      where.value = name;
      form.scrollIntoView({ block: "nearest" });
      text.focus();
    },
  };
}

/** Have the choice offer what there is; the chosen one stays. */
function offer(t, where, speakers) {
  const unique = (all) => [...new Set(all)].filter(Boolean).sort();
  const parts = [
    ["speakers.areas", unique(speakers.map((speaker) => speaker.area)).map((name) => [name, name])],
    ["speakers.groups", unique(speakers.flatMap((speaker) => speaker.groups)).map((name) => [name, name])],
    ["nav.speakers", speakers.map((speaker) => [speaker.id, speaker.name])],
  ];
  const told = JSON.stringify(parts);
  if (where.dataset.told === told) return;
  const chosen = where.value || "all";
  where.dataset.told = told;
  replace(where, h("option", { value: "all" }, t("speakers.everyone")), parts.filter(([, each]) => each.length).map(([key, each]) =>
    h("optgroup", { label: t(key) }, each.map(([value, title]) => h("option", { value }, title)))));
  where.value = chosen;
  if (!where.value) where.value = "all";
}

/** Announce, and show who has heard it, until it is over; the last few stay. */
async function run(house, runs, wanted, title, name) {
  const { t, signal } = house;
  const status = h("p", { class: "status", role: "status" }, t("speakers.announce_begins"));
  const list = h("ul", { class: "heard" });
  const stop = h("button", {
    type: "button",
    onclick: () => house.api("POST", `/api/v1/speakers/${encodeURIComponent(wanted.where)}/commands`, { command: "stop" }).catch(house.say),
  }, t("speakers.stop"));
  const element = h("section", { class: "run", "aria-label": t("speakers.announce_run", { where: title }) },
    h("p", { class: "words" }, h("strong", {}, title), ": ", wanted.text), h("div", { class: "row" }, status, stop), list);
  runs.prepend(element);
  while (runs.children.length > 3) runs.lastChild.remove();
  try {
    let last = null;
    await lines("/api/v1/announcements", wanted, (line) => {
      last = line;
      const waiting = line.taken.filter((id) => !line.heard.includes(id) && !(id in line.missed));
      status.textContent = t(line.over ? "speakers.announce_over" : "speakers.announce_so_far",
        { heard: line.heard.length, all: line.heard.length + waiting.length + Object.keys(line.missed).length });
      replace(list, line.heard.map((id) => h("li", { "data-state": "heard" }, "✓ ", name(id))),
        waiting.map((id) => h("li", { "data-state": "waiting" }, "… ", name(id))),
        Object.entries(line.missed).map(([id, why]) => h("li", { "data-state": "missed" }, "✗ ", name(id), h("span", { class: "small" }, ` ${why}`))));
    }, { signal });
    if (!last?.over) status.textContent = t("speakers.announce_lost");
  } catch (error) {
    if (signal.aborted) return;
    element.remove();
    house.say(error);
  } finally {
    stop.remove();
  }
}
