"""What the scanners of markup share: the plain text so far, and where in the page they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

from mynah.conversation.phrasing.marks import BREAK, FIRM, FIRM_SPACE, GAP

END = "\0"
"""Sent to a scanner as the last character: the text is over."""

Scan = Generator[None, str, str]
"""A scanner in progress: it is sent one character at a time and returns the first that it does not want."""

_CODE_SPAN_CHARS = 80


class PlainText:
    """The cleaned characters not yet taken, and the state of the line that is being read."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.last = BREAK  # the last character written, or a space where a gap was
        self.line_start = True
        self.block = False  # the line is a list item or heading: it ends a phrase
        self.heading = False
        self.table = False
        self.brackets = 0  # square brackets open
        self.code = 0  # characters for which an open code span still counts; a stray backtick must not rule the page

    def write(self, char: str) -> None:
        """Add one character of text; inside code, marks become firm."""
        if self.code:
            self.code -= 1
            char = FIRM.get(char, char)
        self.chars.append(char)
        self.last = char

    def write_all(self, text: str) -> None:
        """Add several characters as they are."""
        for char in text:
            self.write(char)

    def write_name(self, text: str) -> None:
        """Add a host name or list number, whose marks end nothing."""
        for char in text:
            self.write(FIRM.get(char, char))

    def open_code(self) -> None:
        """From here on marks are firm, until the span is closed, the paragraph ends or it has gone on for too long."""
        self.code = _CODE_SPAN_CHARS

    def write_firm_space(self) -> None:
        """Add a space that separates no words."""
        self.chars.append(FIRM_SPACE)
        self.last = " "

    def gap(self) -> None:
        """Note that something unspoken was left out here."""
        self.chars.append(GAP)
        self.last = " "

    def end_block(self) -> None:
        """End the paragraph, item, heading or row."""
        if self.last != BREAK:
            self.chars.append(BREAK)
            self.last = BREAK
        self.brackets = 0
        self.code = 0

    def take(self) -> str:
        """Return the text since the last call."""
        text = "".join(self.chars)
        self.chars.clear()
        return text


Scanner = Callable[[PlainText, str], Scan]

_EMOJI = re.compile(
    "[\u00a9\u00ae\u20e3\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff\U000e0000-\U000e007f\ufe00-\ufe0f]"
)
# Byte order marks, soft hyphens, direction marks, private characters, lone surrogates and controls make no sound.
_SILENT = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffc\ufffd"
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]"
)


def is_emoji(char: str) -> bool:
    """Whether the character is an emoji or pictograph, or only modifies one."""
    return _EMOJI.match(char) is not None


def is_silent(char: str) -> bool:
    """Whether the character is a control or format sign, or belongs to no script."""
    return _SILENT.match(char) is not None
