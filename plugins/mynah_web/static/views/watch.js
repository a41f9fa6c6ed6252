// watch

import { h, replace } from "../parts/dom.js";

/** Show the view in `root` until `house.signal` ends it. */
export async function open(root, house) {
  replace(root, h("h1", {}, house.t("nav.watch")));
}
