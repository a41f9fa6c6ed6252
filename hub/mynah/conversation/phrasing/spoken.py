"""What is never spoken: markup, code, tags, emoji and a reasoning model's thoughts are taken out of streamed text.

The text is scanned character by character, so that the result does not depend on how it was cut into tokens. A scanner
holds back as little as it can: an asterisk waits for the next character, a word beginning with "h" until it is no URL.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator

from mynah.conversation.phrasing import inline, lines, tags
from mynah.conversation.phrasing.marks import BREAK, GAP, MARKS, soften
from mynah.conversation.phrasing.plaintext import END, PlainText, Scanner

_SCANNERS: dict[str, Scanner] = {
    "\n": lines.newline,
    "|": lines.pipe,
    "`": lines.backticks,
    "*": inline.asterisks,
    "_": inline.underscores,
    "~": inline.tildes,
    "#": inline.hashes,
    "!": inline.exclamation,
    "[": inline.opening_bracket,
    "]": inline.closing_bracket,
    "\\": inline.escape,
    "<": tags.tag,
    ">": tags.closing_angle,
    "&": tags.entity,
    **dict.fromkeys("0123456789", inline.digit),
    **dict.fromkeys("hHwWfF", inline.maybe_url),
    **dict.fromkeys((chr(code) for code in (*range(1, 10), *range(11, 32), *range(127, 161))), inline.symbol),
}


_GAPS = re.compile(f"[ {GAP}]*{GAP}[ {GAP}]*([{re.escape(''.join(sorted(MARKS)))}])")


class SpokenText:
    """Takes streamed text and gives what may be spoken of it.

    The text given back uses three private conventions of `marks`: `BREAK` ends a paragraph, list
    item, heading or table row, `GAP` stands where an emoji was, and `FIRM` characters for marks that end nothing.
    """

    def __init__(self) -> None:
        self._text = PlainText()
        self._scan = _scan(self._text)
        next(self._scan)

    def feed(self, token: str) -> str:
        """Take the next piece of text; return the characters that are now certain, often fewer or none."""
        send = self._scan.send
        for char in token:
            # A null would end the scan; it says nothing anyway.
            if char != END and char != "\r":
                send(" " if char == "\t" else char)
        return self._text.take()

    def flush(self) -> str:
        """End the text; return what was held back. The next text begins afresh."""
        with contextlib.suppress(StopIteration):
            self._scan.send(END)
        rest = self._text.take()
        self._text = PlainText()
        self._scan = _scan(self._text)
        next(self._scan)
        return rest


def spoken(text: str) -> str:
    """Return what may be spoken of a whole text, one block a line."""
    cleaner = SpokenText()
    cleaned = _GAPS.sub(r"\1", cleaner.feed(text) + cleaner.flush())
    cleaned = soften(cleaned.replace(GAP, " "))
    blocks = (" ".join(block.split()) for block in cleaned.split(BREAK))
    return "\n".join(block for block in blocks if block)


def _scan(text: PlainText) -> Generator[None, str, None]:
    char = yield
    while char != END:
        if text.line_start:
            char = yield from lines.begin_line(text, char)
            continue
        scanner = _SCANNERS.get(char)
        if scanner is not None:
            char = yield from scanner(text, char)
        elif char < "\u00a0":
            text.write(char)
            char = yield
        else:
            char = yield from inline.symbol(text, char)
