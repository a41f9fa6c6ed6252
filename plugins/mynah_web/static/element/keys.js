// The keys of a conversation: Space talks wherever nothing is typed, Escape stops what sounds.

/** Listen to keys in `root`: `talk()` gives the TalkButton, once there is one; `stop()` is for Escape. */
export function keys(root, talk, stop) {
  root.addEventListener("keydown", (event) => take(event, talk(), stop, true));
  root.addEventListener("keyup", (event) => take(event, talk(), stop, false));
}

function take(event, talk, stop, down) {
  if (event.key === "Escape" && down) stop();
  const [target] = event.composedPath(); // in a shadow tree, too
  const typing = target.closest("input, select, textarea");
  if (event.key !== " " || typing || !talk) return;
  if ((target.closest("button, a, summary") ?? talk.button) !== talk.button) return;
  event.preventDefault();
  if (event.repeat) return;
  if (down) talk.press();
  else talk.release();
}
