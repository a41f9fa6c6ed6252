"""Text of a feed, as it may be spoken: without markup, addresses and unseen characters, and of limited length."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from typing import Final

_SILENT: Final = frozenset({"script", "style", "noscript", "template", "svg"})
_WITHIN: Final = frozenset(
    {"a", "abbr", "b", "cite", "code", "em", "font", "i", "mark", "q", "small", "span", "strong", "sub", "sup", "u"}
)
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+")
_CUT_OFF: Final = re.compile(r"<[A-Za-z/!?][^<>]*\Z")
_BRACES: Final = str.maketrans("{}<>", "    ")
_END: Final = re.compile(r"[.!?…。！？][\"'”’)]*(?=\s|$)")
MOST_RAW: Final = 20_000
"""Characters of a text that are looked at."""


class _Words(HTMLParser):
    """Collects what is not markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Part words, but not at tags within a line."""
        self._part(tag)
        self._silent += tag in _SILENT

    def handle_endtag(self, tag: str) -> None:
        """Part words, but not at tags within a line."""
        self._part(tag)
        self._silent = max(0, self._silent - (tag in _SILENT))

    def _part(self, tag: str) -> None:
        if tag not in _WITHIN:
            self.found.append(" ")

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        if not self._silent:
            self.found.append(data)


def plain(markup: object, most: int) -> str:
    """Return the words of `markup`, HTML or text, in one line of at most `most` characters."""
    if not isinstance(markup, str):
        return ""
    text = _unmarked(_unmarked(markup[:MOST_RAW]))  # twice, as some feeds escape theirs once too often
    text = unicodedata.normalize("NFC", _ADDRESS.sub(" ", text)).translate(_BRACES)
    seen = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_seen(char))
    return shortened(" ".join(seen.split()), most)


def _unmarked(markup: str) -> str:
    words = _Words()
    words.feed(_CUT_OFF.sub("", markup))
    words.close()
    return "".join(words.found)


def shortened(text: str, most: int) -> str:
    """Return the first sentences of `text` that fit into `most` characters, or else as many words as fit."""
    if len(text) <= most:
        return text
    ends = [match.end() for match in _END.finditer(text[:most])]
    if ends:
        return text[: ends[-1]]
    words = text[: most - 1].rpartition(" ")[0] or text[: most - 1]
    return f"{words}…"


def sentence(text: str) -> str:
    """Return `text` with a mark at its end."""
    return text if _END.search(text[-3:]) else f"{text.rstrip(' ,;:-–—')}."


def _is_seen(char: str) -> bool:
    return unicodedata.category(char)[0] != "C"
