"""Scanners for what stands at the beginning of a line of Markdown, and for fenced code."""

from __future__ import annotations

from mynah.conversation.phrasing.plaintext import END, PlainText, Scan

_BULLETS = frozenset("-*+•◦‣▪–—")
_RULES = frozenset("-*_=")
_MOST_DASHES = 64
_LONGEST_NUMBER = 3  # of a list item; with more digits it is a year


def begin_line(text: PlainText, char: str) -> Scan:
    """Read past indentation and the marks of quotes, headings, lists, tables and rules."""
    text.line_start = False
    while char == " ":
        char = yield
    if char == "\n":
        text.end_block()
        text.line_start = True
        return (yield)
    if char == ">":
        text.line_start = True
        return (yield)
    if char == "#":
        return (yield from _heading(text))
    if char in _BULLETS or char in _RULES:
        return (yield from _bullet(text, char))
    if char.isascii() and char.isdecimal():
        return (yield from _number(text, char))
    if char == "~":
        return (yield from _tildes(text))
    if char == "|":
        text.table = True
        text.end_block()
        return (yield from _cell(text))
    return char


def newline(text: PlainText, _char: str) -> Scan:
    """End a line, and its block with it if it is one of its own; else it goes on like after a space."""
    if text.block or text.table:
        text.end_block()
    elif text.last not in " \n":
        text.write(" ")
    text.block = text.heading = text.table = False
    text.line_start = True
    return (yield)


def pipe(text: PlainText, _char: str) -> Scan:
    """Part two cells of a table."""
    if text.last not in " \n":
        text.write(" ")
    if text.table:
        return (yield from _cell(text))
    return (yield)


def backticks(text: PlainText, char: str) -> Scan:
    """Begin or end a code span; three backticks or more fence off code that is dropped whole."""
    count = 0
    while char == "`":
        count += 1
        char = yield
    if count >= 3:
        text.end_block()
        return (yield from _fenced(text, char, "`", count))
    if text.code:
        text.code = 0
    elif not text.last.isalnum():
        text.open_code()
    return char


def _heading(text: PlainText) -> Scan:
    count, char = 1, (yield)
    while char == "#" and count < 7:
        count += 1
        char = yield
    if count > 6 or char not in (" ", "\n"):
        text.write_all("#" * count)
        return char
    text.end_block()
    text.block = text.heading = True
    return char


def _bullet(text: PlainText, mark: str) -> Scan:
    count, char = 1, (yield)
    while char == mark:
        count += 1
        char = yield
    if count == 1 and char == " " and mark in _BULLETS:
        text.end_block()
        # Another mark may follow: a task's box, a number, a heading.
        text.block = text.line_start = True
        return (yield)
    if char in ("\n", END, "|", ":", " ") and (count > 2 or char == "\n") and mark in _RULES:
        text.end_block()
        while char in "-=:| ":
            char = yield
        return char
    if mark in "*_":
        return char
    text.write_all(mark * min(count, 3))
    return char


def _number(text: PlainText, char: str) -> Scan:
    digits = ""
    while char.isascii() and char.isdecimal() and len(digits) < 4:
        digits += char
        char = yield
    if char in "\ufe0f\u20e3":
        # A keycap emoji: the digit is a picture.
        text.write_all(digits[:-1])
        return char
    if char not in ".)":
        text.write_all(digits)
        return char
    mark, char = char, (yield)
    if char == " " and len(digits) <= _LONGEST_NUMBER:
        text.end_block()
        text.block = True
        text.write_name(digits + ".")
    else:
        text.write_all(digits + mark)
    return char


def _tildes(text: PlainText) -> Scan:
    count, char = 1, (yield)
    while char == "~":
        count += 1
        char = yield
    if count >= 3:
        text.end_block()
        return (yield from _fenced(text, char, "~", count))
    if count == 1:
        text.write("~")
    return char


def _cell(text: PlainText) -> Scan:
    """Read to a cell's first character; a cell of dashes is the line under a table's head."""
    dashes, char = "", (yield)
    while char in "-: ":
        if len(dashes) < _MOST_DASHES:
            dashes += char
        char = yield
    if char not in ("|", "\n", END):
        text.write_all(dashes.strip())
    return char


def _fenced(text: PlainText, char: str, fence: str, count: int) -> Scan:
    """Drop code up to a fence at least as long, at the start of a line or anywhere in the line that opened it."""
    opening = may_close = True
    closing = 0
    while char != END:
        if char == fence and (may_close or opening):
            closing += 1
        elif closing >= count:
            break
        else:
            opening = opening and char != "\n"
            may_close = char == "\n" or (may_close and char == " ")
            closing = 0
        char = yield
    return char
