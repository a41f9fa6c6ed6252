// What the hub is doing: its health, how soon it answers, engines, sessions, automations, and everything that happens.

import { h, replace, styles } from "../parts/dom.js";
import { eachFrame, follow, look, role, seldom } from "../parts/live.js";
import { automationsCard } from "./watch/automations.js";
import { enginesCard } from "./watch/engines.js";
import { EventsCard } from "./watch/events.js";
import { latencyCard } from "./watch/latency.js";
import { sessionsCard } from "./watch/sessions.js";

const LOOK_MS = 2000;
const SOON_MS = 300;
const TOLD_BY = /^(session_|engine_|replied|reply_)/; // after these, sessions or engines are not what they were
const EVENTS = "/api/v1/events?recent=2000";

/** Show the view in `root` until `house.signal` ends it. */
export async function open(root, house) {
  const { t, signal } = house;
  await styles(new URL("./house.css", import.meta.url));
  const admin = (await role(house).catch(() => "viewer")) === "admin";
  const facts = h("dl", { class: "tiles", "aria-label": t("watch.overview") });
  const troubles = h("p", { class: "note warn", role: "status", hidden: true });
  const latency = latencyCard(house);
  const engines = enginesCard(house);
  const sessions = sessionsCard(house, admin);
  const automations = automationsCard(house, admin);
  const events = new EventsCard(house);
  replace(root, h("h1", {}, t("nav.watch")), admin ? null : h("p", { class: "note" }, t("watch.viewer")), facts, troubles,
    latency.element, engines.element, sessions.element, automations.element, events.element);

  const draw = eachFrame(() => {
    events.draw();
    latency.draw();
  }, signal);
  const lookAtHealth = look(house, LOOK_MS, async () => {
    const [health, statistics] = await Promise.all([house.api("GET", "/health"), house.api("GET", "/api/v1/statistics")]);
    tiles(t, facts, health, statistics);
    troubles.hidden = !health.troubles.length;
    const told = t("watch.troubles", { troubles: health.troubles.join(", ") });
    if (troubles.textContent !== told) troubles.textContent = told;
    engines.show(health.engines, statistics);
    automations.watch(health);
    latency.draw();
  });
  const lookAtSessions = look(house, LOOK_MS, async () => {
    const open = await house.api("GET", "/api/v1/sessions");
    const speakers = await house.api("GET", "/api/v1/speakers");
    const names = Object.fromEntries(speakers.map((speaker) => [speaker.id, speaker.name]));
    sessions.show(open, names);
    events.know(open, names);
    draw();
  });
  new ResizeObserver(() => latency.draw()).observe(latency.element);
  const soon = seldom(() => {
    lookAtHealth();
    lookAtSessions();
  }, SOON_MS, signal);
  follow(house, EVENTS, (event) => {
    if (TOLD_BY.test(event.type)) soon();
    events.take(event);
    latency.take(event);
    engines.take(event);
    draw();
  }, (connected) => events.connected(connected));
}

function tiles(t, facts, health, statistics) {
  const { p50, p95 } = statistics.first_audio_ms;
  const ms = (value) => (value === null ? "–" : `${Math.round(value)} ms`);
  const dropped = Object.values(statistics.queues).reduce((sum, queue) => sum + (queue.dropped ?? 0), 0);
  const failovers = Object.values(statistics.failovers).reduce((sum, count) => sum + count, 0);
  const turns = Object.values(statistics.turns).reduce((sum, count) => sum + count, 0);
  const all = [
    ["status", t(`watch.status_${health.status}`), health.status === "healthy" ? "good" : "warn"],
    ["sessions", health.sessions], ["turns", turns], ["p50", ms(p50)], ["p95", ms(p95)],
    ["failovers", failovers, failovers ? "warn" : ""], ["dropped", dropped, dropped ? "warn" : ""],
  ];
  const told = JSON.stringify(all);
  if (facts.dataset.told === told) return;
  facts.dataset.told = told;
  replace(facts, all.map(([key, value, kind = ""]) =>
    h("div", { class: "tile", "data-tile": key }, h("dt", {}, t(`watch.tile_${key}`)), h("dd", { class: kind }, value))));
}
