// Building elements. Whatever comes from outside goes in as text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element: h("button", {class: "plain", onclick: stop, "aria-label": name, disabled: busy}, "Stop").
 * A property that is false, null or undefined is left out, true is an attribute without a value, a function an event's
 * listener. Children are elements, texts, arrays of them; null, undefined and false are left out.
 */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Make an element of SVG, as `h` does. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Put children in the place of those that an element has. */
export function replace(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** Have a style sheet of the page's own apply from now on; resolves when it does. */
export function styles(url) {
  const known = [...document.styleSheets].some((sheet) => sheet.href === String(url));
  if (known) return Promise.resolve();
  return new Promise((resolve, reject) => {
    document.head.append(h("link", { rel: "stylesheet", href: url, onload: () => resolve(), onerror: () => reject(new Error(String(url))) }));
  });
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
