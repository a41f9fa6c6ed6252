// A chart of lines over time, as SVG, with the same as a table for whoever does not see it.

import { h, replace, s } from "./dom.js";

const HEIGHT = 220;
const EDGE = { left: 68, right: 12, top: 12, bottom: 28 };
const BUCKET_PX = 14;
const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest of `sorted` that `share` of them do not exceed; null where there is none. As the hub counts it. */
export function percentile(sorted, share) {
  return sorted.length ? sorted[Math.ceil(share * sorted.length) - 1] : null;
}

/**
 * Put [time, value] pairs into `count` buckets of equal length between two times (seconds since the epoch).
 * Returns of each {from, to, values} with its values sorted.
 */
export function buckets(pairs, from, to, count) {
  const length = (to - from) / count;
  const found = Array.from({ length: count }, (_, n) => ({ from: from + n * length, to: from + (n + 1) * length, values: [] }));
  for (const [time, value] of pairs) {
    const n = Math.floor((time - from) / length);
    if (n >= 0 && n < count) found[n].values.push(value);
  }
  for (const each of found) each.values.sort((a, b) => a - b);
  return found;
}

/**
 * A chart. `options`: title, empty (what to say without data), table (the summary of the table), time (a column's title),
 * count (another's), clock(seconds) → text, unit(value) → text, series: [{name, kind, share}], where `kind` is a class of CSS
 * and `share` the percentile.
 * Returns {element, draw(pairs, from, to)}.
 */
export function timeChart(options) {
  const picture = h("div", { class: "picture" });
  const body = h("tbody");
  const table = h("details", {}, h("summary", {}, options.table), h("div", { class: "scroll" }, h("table", {},
    h("caption", { class: "hidden-label" }, options.title),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, options.time), options.series.map(({ name }) => h("th", { scope: "col" }, name)),
      h("th", { scope: "col" }, options.count))), body)));
  const legend = h("p", { class: "legend small" }, options.series.map(({ name, kind }) => h("span", { class: kind }, name)));
  const element = h("figure", { class: "chart" }, picture, legend, table);
  let last = null;
  const draw = (pairs, from, to) => {
    last = [pairs, from, to];
    const width = Math.max(260, picture.clientWidth || 640);
    const count = Math.max(8, Math.floor((width - EDGE.left - EDGE.right) / BUCKET_PX));
    const found = buckets(pairs, from, to, count);
    const filled = found.filter((each) => each.values.length);
    replace(picture, filled.length ? lines(options, found, from, to, width) : h("p", { class: "empty" }, options.empty));
    table.hidden = legend.hidden = !filled.length;
    if (table.open) rows(options, body, filled);
  };
  table.addEventListener("toggle", () => table.open && last && draw(...last));
  return { element, draw, again: () => last && draw(...last) };
}

function rows(options, body, filled) {
  replace(body, [...filled].reverse().map((each) => h("tr", {}, h("th", { scope: "row" }, options.clock(each.from)),
    options.series.map(({ share }) => h("td", {}, options.unit(percentile(each.values, share)))), h("td", {}, each.values.length))));
}

function lines(options, found, from, to, width) {
  const highest = Math.max(...found.flatMap((each) => options.series.map(({ share }) => percentile(each.values, share) ?? 0)));
  const step = nice(highest / 4);
  const top = Math.max(step, Math.ceil(highest / step) * step);
  const x = (time) => EDGE.left + ((time - from) / (to - from)) * (width - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const marks = Array.from({ length: Math.round(top / step) + 1 }, (_, n) => n * step);
  const times = (width < 480 ? [0, 1] : [0, 0.5, 1]).map((part) => from + part * (to - from));
  return s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": said(options, found) },
    marks.map((value) => [
      s("line", { class: "rule", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
      s("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, options.unit(value)),
    ]),
    times.map((time, n) => s("text", { x: x(time), y: HEIGHT - 8, "text-anchor": anchor(n, times) }, options.clock(time))),
    options.series.map((series) => line(options, series, found, x, y)));
}

function line(options, { name, kind, share }, found, x, y) {
  let path = "";
  let before = false;
  const dots = [];
  for (const { from, to, values } of found) {
    const value = percentile(values, share);
    if (value !== null) {
      const [cx, cy] = [x((from + to) / 2), y(value)].map((each) => Math.round(each * 10) / 10);
      path += `${before ? "L" : "M"}${cx} ${cy}`;
      dots.push(s("circle", { cx, cy, r: 3 }, s("title", {}, `${options.clock(from)} ${name}: ${options.unit(value)}`)));
    }
    before = value !== null;
  }
  return s("g", { class: kind }, s("path", { d: path, fill: "none" }), dots);
}

/** The chart in words: each series' newest value. */
function said(options, found) {
  const last = found.findLast((each) => each.values.length);
  return `${options.title}: ${options.series.map(({ name, share }) => `${name} ${options.unit(percentile(last.values, share))}`).join(", ")}`;
}

function anchor(n, times) {
  return n === 0 ? "start" : n === times.length - 1 ? "end" : "middle";
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return power * STEPS.find((each) => each * power >= value);
}
