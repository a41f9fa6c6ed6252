// How soon the first audio of replies was there, over time.

import { timeChart } from "../../parts/chart.js";
import { h } from "../../parts/dom.js";
import { clock } from "../../parts/live.js";

const MOST = 5000; // turns that are remembered
const RANGES = [900, 3600, 21600, 86400];
const NOT_REPLIES = ["say", "transcribe"];

/** Returns {element, take(event), draw()}. */
export function latencyCard(house) {
  const { t } = house;
  const turns = [];
  let range = RANGES[0];
  const chart = timeChart({
    title: t("watch.latency"), empty: t("watch.latency_empty"), table: t("watch.as_table"), time: t("watch.time"), count: t("watch.tile_turns"),
    clock: (seconds) => clock(t, seconds, { exact: false }), unit: (value) => `${Math.round(value)} ms`,
    series: [{ name: t("watch.p50"), kind: "p50", share: 0.5 }, { name: t("watch.p95"), kind: "p95", share: 0.95 }],
  });
  const draw = () => {
    const now = Date.now() / 1000;
    chart.draw(turns, now - range, now);
  };
  const choice = h("select", {
    "aria-label": t("watch.range"),
    onchange: (event) => {
      range = Number(event.target.value);
      draw();
    },
  }, RANGES.map((each) => h("option", { value: each }, t(`watch.range_${each}`))));
  return {
    element: h("section", { class: "card latency", "aria-labelledby": "watch-latency" },
      h("div", { class: "title" }, h("h2", { id: "watch-latency" }, t("watch.latency")), choice), chart.element),
    draw,
    take: ({ time, timeline, recipe }) => {
      if (timeline?.first_audio === undefined || NOT_REPLIES.includes(recipe)) return;
      turns.push([time, timeline.first_audio]);
      if (turns.length > MOST) turns.splice(0, turns.length - MOST);
    },
  };
}
