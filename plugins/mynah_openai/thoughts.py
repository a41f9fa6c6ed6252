"""Takes what a model thinks out of what it says: `<think> … </think>`, cut anywhere by the stream."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = ("think", "thinking", "thought", "reasoning")
_OPENING: Final = tuple(f"<{name}>" for name in _NAMES)
_CLOSING: Final = tuple(f"</{name}>" for name in _NAMES)
_TAG: Final = re.compile("|".join(_OPENING + _CLOSING), re.IGNORECASE)
_LONGEST: Final = max(map(len, _CLOSING))


class Thoughts:
    """The filter of one reply; holds back no more than what may be the beginning of a tag."""

    def __init__(self) -> None:
        self.found = False
        self._held = ""
        self._depth = 0
        self._said = False

    def feed(self, text: str) -> str:
        """Return what is to be said of the reply so far and was not yet returned."""
        text = self._held + text
        said, place = [], 0
        for tag in _TAG.finditer(text):
            said.append(self._spoken(text[place : tag.start()]))
            closing = tag.group().startswith("</")
            # A closing tag alone is the end of thoughts that the server cut off; nested ones are seen too.
            self._depth = max(self._depth - 1, 0) if closing else self._depth + 1
            self.found, place = True, tag.end()
        keep = _beginning(text[place:])
        self._held = text[len(text) - keep :] if keep else ""
        said.append(self._spoken(text[place : len(text) - keep]))
        return self._trimmed("".join(said))

    def end(self) -> str:
        """Return what was held back, once the reply has ended."""
        held, self._held = self._held, ""
        return self._trimmed(self._spoken(held))

    def _spoken(self, text: str) -> str:
        return "" if self._depth else text

    def _trimmed(self, text: str) -> str:
        """Take away the empty lines between thoughts and words."""
        if not self._said:
            text = text.lstrip()
            self._said = bool(text)
        return text


def _beginning(text: str) -> int:
    """Return how many characters at the end of `text` may be the beginning of a tag."""
    at = text.rfind("<", -_LONGEST)
    if at < 0:
        return 0
    tail = text[at:].lower()
    return len(tail) if any(tag.startswith(tail) for tag in _OPENING + _CLOSING) else 0
