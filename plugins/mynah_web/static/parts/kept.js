// What the page remembers in this browser.

const PREFIX = "mynah.";

/** What was kept under a name, laid over `otherwise`; what cannot be read is as if it had not been kept. */
export function recall(name, otherwise) {
  try {
    return { ...otherwise, ...JSON.parse(localStorage.getItem(PREFIX + name)) };
  } catch {
    return { ...otherwise };
  }
}

/** Keep a plain object under a name; a browser that keeps nothing does without. */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the choice holds until the page is left.
  }
}
