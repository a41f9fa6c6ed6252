// The latency waterfall of a turn, drawn from what the hub says with `turn_finished`, and who answered.

import { h, s } from "./dom.js";

/** The steps of a turn: its name among the texts, and the marks of its beginning and its end; as `mynah ask` has them. */
const STEPS = [
  ["acknowledged", "speech_end", "acknowledged"],
  ["transcript", "speech_end", "transcript"],
  ["first_token", "transcript", "first_token"],
  ["first_phrase", "first_token", "first_phrase"],
  ["first_audio", "first_phrase", "first_audio"],
  ["rest", "first_audio", "last_audio"],
];
const STAGES = ["stt", "llm", "translate", "tools", "tts"];
const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000];
const ROW = 32;
let drawings = 0;

/**
 * Draw a turn: a bar for each step on a common axis of milliseconds since the end of speech, and under it which engine
 * answered in each stage, which did not and why, and what was kept from before.
 * @param {object} finished the message `turn_finished` (docs/protocol.md)
 * @param {function} t the page's texts
 * @returns {HTMLDetailsElement} open; closed it still says when the first sound came
 */
export function waterfall(finished, t) {
  const steps = stepsOf(finished);
  return h("details", { class: "waterfall", open: true }, h("summary", {}, heading(finished, t)),
    h("div", { class: "drawn" }, steps.length > 0 && drawing(steps, t), origins(finished, t)));
}

/** A number of milliseconds as people read it, in the language of the texts. */
export function milliseconds(ms, t) {
  const digits = Math.abs(ms) < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(t.language, { maximumFractionDigits: digits }).format(ms)} ms`;
}

/** The steps that a turn had: {name, begin, end} in milliseconds since the end of speech. */
export function stepsOf({ timeline = {}, engines = {} }) {
  const marks = { ...timeline };
  const spoken = "transcript" in marks;
  marks.transcript ??= marks.speech_end;
  const translated = "translate" in engines;
  return STEPS.filter(([name, , end]) => end in timeline && (name !== "transcript" || spoken)).map(([name, from, to]) => ({
    name: translated && name === "first_token" ? "first_translated" : name,
    begin: Math.min(marks[from] ?? marks.speech_end ?? 0, marks[to]),
    end: marks[to],
  }));
}

function drawing(steps, t) {
  const id = `waterfall-${++drawings}`;
  const last = Math.max(1, ...steps.map((step) => step.end));
  const height = ROW * steps.length + 24;
  const percent = (ms) => `${((Math.max(0, ms) / last) * 100).toFixed(2)}%`;
  const told = steps.map((step) => `${t(`waterfall.${step.name}`)}: ${milliseconds(step.end, t)}`).join("; ");
  return s("svg", { role: "img", width: "100%", height, "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-desc` },
    s("title", { id: `${id}-title` }, t("waterfall.axis")),
    s("desc", { id: `${id}-desc` }, `${told}.`),
    ticks(last).map((tick) => axis(tick, last, percent(tick), height, t)),
    steps.map((step, number) => row(step, ROW * number, percent, t)));
}

function heading({ timeline = {}, own_ms: own }, t) {
  if (!("first_audio" in timeline)) return t("waterfall.silent");
  const values = { ms: milliseconds(timeline.first_audio, t), own: milliseconds(own ?? 0, t) };
  return t("waterfall.title", values);
}

/** A name and a figure above, the bar below: so it is read on a phone, too, where nothing may become smaller. */
function row(step, y, percent, t) {
  return s("g", { class: "step", "data-step": step.name, "data-begin": step.begin, "data-end": step.end },
    s("text", { x: 0, y: y + 14 }, t(`waterfall.${step.name}`)),
    s("text", { x: "100%", y: y + 14, "text-anchor": "end", class: "figure" }, milliseconds(step.end, t)),
    s("rect", { class: "track", x: 0, y: y + 19, width: "100%", height: 8, rx: 4 }),
    s("rect", { class: "bar", x: percent(step.begin), y: y + 19, height: 8, rx: 2,
      width: percent(Math.max(step.end - step.begin, 0)) }),
    // What took no time to speak of is seen all the same.
    s("line", { class: "mark", x1: percent(step.end), x2: percent(step.end), y1: y + 17, y2: y + 29 }));
}

function ticks(last) {
  const step = TICKS.find((each) => last / each <= 4) ?? last;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, number) => number * step);
}

function axis(tick, last, x, height, t) {
  const edge = tick === 0 ? "start" : tick > last * 0.92 ? "end" : "middle";
  const number = new Intl.NumberFormat(t.language).format(tick);
  return s("g", { class: "tick" },
    s("line", { x1: x, x2: x, y1: height - 22, y2: height - 17 }),
    s("text", { x, y: height - 4, "text-anchor": edge }, tick === 0 ? "0 ms" : number));
}

/** Where the audio came from: a line for each stage. */
function origins(finished, t) {
  const { engines = {}, engine_ms: spent = {}, troubles = {}, kept = [] } = finished;
  const stages = [...STAGES, ...Object.keys({ ...engines, ...troubles }).filter((stage) => !STAGES.includes(stage))];
  const lines = stages.filter((stage) => stage in engines || stage in troubles).map((stage) => [
    h("dt", {}, t.has(`waterfall.stage.${stage}`) ? t(`waterfall.stage.${stage}`) : stage),
    h("dd", { "data-stage": stage },
      h("span", { class: "engine" }, engines[stage] ?? t("waterfall.nobody")),
      stage in spent && h("span", { class: "muted" }, milliseconds(spent[stage], t)),
      kept.includes(stage) && h("span", { class: "good" }, t("waterfall.kept")),
      (troubles[stage] ?? []).map((trouble) => h("span", { class: "trouble warn" }, t("waterfall.trouble", { trouble })))),
  ]);
  return lines.length > 0 && h("dl", { class: "origins" }, lines);
}
