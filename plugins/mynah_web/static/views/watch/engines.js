// Chains of engines: who is asked in which order, how each is, and when another had to take over.

import { h, replace } from "../../parts/dom.js";
import { clock } from "../../parts/live.js";

const MOST = 8; // failures that are shown
const KINDS = ["stt", "llm", "translator", "tts", "vad"];
const ORDER = (kind) => (KINDS.indexOf(kind) + KINDS.length + 1) % (KINDS.length + 1);

/** Returns {element, show(engines, statistics), take(event)}. */
export function enginesCard(house) {
  const { t } = house;
  const chains = h("div", { class: "chains" });
  const failures = h("ol", { class: "plain small failures" });
  const counts = h("p", { class: "small", "data-failovers": true });
  const queues = h("tbody");
  const seen = [];
  let told = "";

  const drawFailures = () => replace(failures, seen.map((event) => h("li", {},
    h("time", {}, clock(t, event.time)), " ", h("strong", {}, `${event.kind} ${event.engine}`), " ",
    event.type === "engine_failed" ? event.error : t(`watch.became_${event.state === "ready" ? "ready" : "resting"}`, { seconds: Math.round(event.seconds), reason: event.reason }))));
  return {
    element: h("section", { class: "card", "aria-labelledby": "watch-engines" }, h("h2", { id: "watch-engines" }, t("watch.engines")),
      h("p", { class: "muted small" }, t("watch.engines_how")), chains, counts, failures,
      h("details", {}, h("summary", {}, t("watch.queues")), h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ["queue", "waiting", "dropped"].map((key) => h("th", { scope: "col" }, t(`watch.${key}`))))), queues)))),
    show: (engines, statistics) => {
      const now = JSON.stringify([engines, statistics.failovers, statistics.queues]);
      if (now === told) return;
      told = now;
      const kinds = [...new Set(engines.map((engine) => engine.kind))].sort((a, b) => ORDER(a) - ORDER(b));
      replace(chains, kinds.length ? kinds.map((kind) => chain(t, kind, engines.filter((engine) => engine.kind === kind)))
        : h("p", { class: "empty" }, t("watch.no_engines")));
      const stages = Object.entries(statistics.failovers).filter(([, count]) => count);
      counts.textContent = stages.length
        ? t("watch.failovers", { stages: stages.map(([kind, count]) => `${named(t, kind)} ${count}`).join(", ") }) : t("watch.no_failovers");
      replace(queues, Object.entries(statistics.queues).map(([name, queue]) => h("tr", {}, h("th", { scope: "row" }, name),
        h("td", {}, queue.waiting ?? `${queue.waiting_ms} ms`), h("td", { class: queue.dropped ? "warn" : "" }, queue.dropped ?? "–"))));
    },
    take: (event) => {
      if (event.type !== "engine_failed" && event.type !== "engine_state_changed") return;
      seen.unshift(event);
      seen.length = Math.min(seen.length, MOST);
      drawFailures();
    },
  };
}

function named(t, kind) {
  return t.has(`watch.kind_${kind}`) ? t(`watch.kind_${kind}`) : kind;
}

function chain(t, kind, engines) {
  return h("div", { class: "chain", "data-kind": kind }, h("h3", {}, named(t, kind)),
    h("ol", { class: "plain row" }, engines.map((engine) => h("li", { class: "engine", "data-state": engine.state, "data-engine": engine.name },
      h("span", { class: "phase", "data-state": engine.state }, h("strong", {}, engine.name)),
      h("span", { class: "small" }, t(`watch.engine_${engine.state}`, { seconds: Math.ceil(engine.rests_s) })),
      h("span", { class: "muted small" }, t("watch.calls", engine)),
      engine.last_error || engine.error ? h("span", { class: "bad small" }, engine.error || engine.last_error) : null))));
}
