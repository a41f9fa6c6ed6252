// The controls that are to be reached by keyboard, each by a description; or with "focused" the one that has the focus.
(what) => {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0']";

  function* walk(node) {
    for (const child of node.children ?? []) {
      yield child;
      if (child.shadowRoot) yield* walk(child.shadowRoot);
      yield* walk(child);
    }
  }

  const all = [...walk(document)];
  // Of radio buttons it is the chosen one that has the focus; the arrows do the rest.
  const found = all.filter((element) => element.matches(CONTROLS) && !element.disabled && element.tabIndex >= 0
    && element.checkVisibility({ visibilityProperty: true }) && !(element.type === "radio" && !element.checked));
  // A text may be one that changes by itself: it counts only where there is no other name.
  const name = (element) => `${element.localName} ${element.getAttribute("aria-label") || element.name
    || element.textContent.trim().slice(0, 30)}`;
  if (what !== "focused") return found.map(name);
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  if (focused === document.body) return { is: "nothing", seen: true };
  // A field may leave it to what stands around it to show that it has the focus.
  const seen = [focused, focused.parentElement].some((each) => getComputedStyle(each).outlineStyle !== "none");
  return { is: name(focused), seen };
}
