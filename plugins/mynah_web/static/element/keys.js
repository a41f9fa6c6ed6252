// The keys of a conversation: Space talks wherever nothing is typed, Escape stops what sounds.

/** Listen to keys in `root`: `talk()` gives the TalkButton, once there is one; `stop()` is for Escape. */
export function keys(root, talk, stop) {
  let held = false;
  const release = () => {
    if (held) talk()?.release();
    held = false;
  };
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
    if (event.key !== " " || !isFree(event, talk())) return;
    event.preventDefault();
    if (!event.repeat) talk().press();
    held = true;
  });
  root.addEventListener("keyup", (event) => {
    if (event.key !== " " || !held) return;
    event.preventDefault(); // or else the button is clicked as well
    release();
  });
  // Where the focus goes elsewhere, to another window even, the key comes up there.
  root.addEventListener("focusout", release);
}

/** Whether a key is of no other use where the focus is. */
function isFree(event, talk) {
  const [target] = event.composedPath(); // in a shadow tree, too
  if (!talk || target.closest("input, select, textarea")) return false;
  return (target.closest("button, a, summary") ?? talk.button) === talk.button;
}
