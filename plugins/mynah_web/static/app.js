// The page's frame: which view is shown, language, theme, token. Views are loaded when they are first opened.

import { ApiError, api, setToken, token } from "./parts/api.js";
import { h, replace } from "./parts/dom.js";
import { keep, recall } from "./parts/kept.js";
import { LANGUAGES, choose, load } from "./parts/i18n.js";

const VIEWS = {
  talk: () => import("./views/talk.js"),
  interpret: () => import("./views/interpret.js"),
  speakers: () => import("./views/speakers.js"),
  watch: () => import("./views/watch.js"),
};
const CHOICES = "page";
const choices = recall(CHOICES, {});
const THEMES = ["auto", "light", "dark"];
const main = document.getElementById("view");
const unseen = document.getElementById("unseen");
const notice = document.getElementById("notice");

let t;
const opened = new Map(); // views, by name: {root, controller, away}

function kept(name, values, otherwise) {
  return values.includes(choices[name]) ? choices[name] : otherwise;
}

function remember(name, value) {
  choices[name] = value;
  keep(CHOICES, choices);
}

/** What a view is given: texts, the REST API, and a way to tell something to the person. */
function house(signal, root) {
  // What a view that was left still has to say is of no use in the next one.
  const tell = (message) => signal.aborted || !main.contains(root) || say(message);
  return { t, api: (method, path, body) => api(method, path, body, { signal }), signal, token, say: tell };
}

/** Tell of something above the view; an ApiError in words that say what to do. Without a message: take it away. */
function say(message) {
  const text = message instanceof ApiError ? explain(message) : message ? String(message.message ?? message) : "";
  notice.textContent = text;
  notice.hidden = !text;
}

function explain(error) {
  if (error.status === 0) return t("error.unreachable");
  if (error.status === 401 || error.status === 403) {
    askForToken();
    return t(error.status === 401 ? "error.unauthorized" : "error.forbidden");
  }
  return error.message;
}

function name() {
  const wanted = location.hash.replace(/^#\//, "").split("/")[0];
  return Object.hasOwn(VIEWS, wanted) ? wanted : "talk";
}

/**
 * Show the view that the address names. Where open(root, house) of a view returns away(), it goes on unseen while another is
 * looked at, which is when away() is called; any other view ends then.
 */
async function show() {
  const current = name();
  for (const each of [...opened.keys()]) if (each !== current) leave(each);
  say("");
  drawNav(current);
  document.title = `${t(`nav.${current}`)} – Mynah`;
  main.dataset.view = current;
  if (opened.has(current)) main.append(opened.get(current).root);
  else await begin(current);
}

async function begin(current) {
  const controller = new AbortController();
  const { signal } = controller;
  const view = { root: h("div", { class: "view" }), controller, away: null };
  opened.set(current, view);
  main.append(view.root);
  try {
    const module = await VIEWS[current]();
    if (signal.aborted) return;
    Object.assign(view, await module.open(view.root, house(signal, view.root)));
  } catch (error) {
    if (!signal.aborted) say(error);
  }
}

function leave(each) {
  const { root, away } = opened.get(each);
  if (!away) return end(each);
  if (main.contains(root)) away();
  unseen.append(root);
}

function end(each) {
  const { root, controller } = opened.get(each);
  opened.delete(each);
  controller.abort();
  root.remove();
}

/** Open all that is shown anew: with other texts, or another token. */
function renew() {
  for (const each of [...opened.keys()]) end(each);
  return show();
}

function drawNav(current) {
  const links = Object.keys(VIEWS).map((each) =>
    h("a", { href: `#/${each}`, "aria-current": each === current && "page" }, t(`nav.${each}`)));
  replace(document.getElementById("nav"), links);
}

function drawTools() {
  const language = h("select", { "aria-label": t("shell.language"), onchange: (event) => setLanguage(event.target.value) },
    Object.entries(LANGUAGES).map(([code, title]) =>
      h("option", { value: code, lang: code, selected: code === t.language }, title)));
  const theme = h("select", { "aria-label": t("shell.theme"), onchange: (event) => setTheme(event.target.value) },
    THEMES.map((each) => h("option", { value: each, selected: each === kept("theme", THEMES, "auto") }, t(`theme.${each}`))));
  replace(document.getElementById("tools"), language, theme);
}

function setTheme(theme) {
  remember("theme", theme);
  document.documentElement.dataset.theme = theme;
}

async function setLanguage(language) {
  remember("language", language);
  await speak(language);
  await renew();
}

async function speak(language) {
  t = await load(language);
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  document.getElementById("nav").setAttribute("aria-label", t("shell.views"));
  drawTools();
}

function askForToken() {
  if (document.querySelector("dialog.token")) return;
  const field = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const form = h("form", { method: "dialog" }, h("h2", { id: "token-title" }, t("token.title")), h("p", {}, t("token.how")),
    h("label", { for: "token" }, t("token.label")), field,
    h("p", { class: "row" }, h("button", { class: "primary" }, t("token.use")),
      h("button", { type: "button", onclick: () => dialog.close() }, t("token.cancel"))));
  const dialog = h("dialog", { class: "token", "aria-labelledby": "token-title" }, form);
  form.addEventListener("submit", () => {
    setToken(field.value.trim());
    renew();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

setTheme(kept("theme", THEMES, "auto"));
VIEWS[name()]().catch(() => {}); // its code comes while the texts do; what goes wrong is told by show()
await speak(kept("language", Object.keys(LANGUAGES), choose(navigator.languages)));
window.addEventListener("hashchange", show);
// The address says which view is shown: the way to its content must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
await show();
