// What a look at a page finds wrong: what reaches over its edge, and what lies over something else.
() => {
  const found = [];
  const INTERACTIVE = "a[href], button, input, select, textarea, summary";

  function* walk(node) {
    for (const child of node.children ?? []) {
      yield child;
      if (child.shadowRoot) yield* walk(child.shadowRoot);
      yield* walk(child);
    }
  }

  const parent = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host ?? null;

  function* upwards(element) {
    for (let at = element; at; at = parent(at)) yield at;
  }

  // Only for screen readers, or not there at all.
  function isHidden(element) {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return true;
    return [...upwards(element)].some((each) => {
      const { clipPath, position } = getComputedStyle(each);
      const box = each.getBoundingClientRect();
      return clipPath !== "none" || (position === "absolute" && (box.right < 0 || box.bottom < 0));
    });
  }

  // What of a box is seen, within everything that scrolls or cuts.
  function seen(element, box) {
    let { left, top, right, bottom } = box;
    for (const each of upwards(parent(element))) {
      const { overflowX, overflowY } = getComputedStyle(each);
      if (overflowX === "visible" && overflowY === "visible") continue;
      const frame = each.getBoundingClientRect();
      [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
      [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
  }

  const name = (element, text) => {
    const classes = element.getAttribute("class");
    return `<${element.localName}${classes ? ` class="${classes}"` : ""}> ${(text ?? element.textContent).trim().slice(0, 40)}`;
  };

  const items = [];
  for (const element of walk(document)) {
    if (isHidden(element)) continue;
    if (element.matches(INTERACTIVE)) {
      const box = seen(element, element.getBoundingClientRect());
      if (box) items.push({ element, box, is: name(element), control: true });
    }
    if (element.matches("option, optgroup, title, desc, style, script")) continue;
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const line of range.getClientRects()) {
        const box = seen(element, line);
        if (box) items.push({ element, box, is: name(element, node.data), node });
      }
    }
  }

  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} wide, not ${width}`);
  for (const { box, is } of items) {
    if (box.right > width + 1 || box.left < -1) found.push(`${is} reaches over the edge (${box.left} to ${box.right})`);
  }

  const SLACK = 2; // lines of text are taller than their letters
  const contains = (one, other) => [...upwards(other)].includes(one);
  for (const [index, one] of items.entries()) {
    for (const other of items.slice(index + 1)) {
      if (one.node ? one.node === other.node : false) continue;
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      const slack = one.control || other.control ? 1 : SLACK;
      if (across <= 1 || down <= slack) continue;
      if (contains(one.element, other.element) || contains(other.element, one.element)) continue;
      found.push(`${one.is} and ${other.is} overlap by ${across.toFixed(1)} × ${down.toFixed(1)}`);
    }
  }
  return found;
}
