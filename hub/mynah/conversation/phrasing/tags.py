"""Scanners for HTML: tags and comments, entities, and the elements whose content is never spoken."""

from __future__ import annotations

import html

from mynah.conversation.phrasing.inline import url
from mynah.conversation.phrasing.plaintext import END, PlainText, Scan

_SWALLOWED = frozenset(("think", "thinking", "reasoning", "script", "style"))
"""Elements dropped with all they hold: a reasoning model's thoughts, and code."""

_BREAKING = frozenset(("br", "p", "div", "li", "ul", "ol", "tr", "table", "hr", "h1", "h2", "h3", "h4", "h5", "h6"))
_FLAGGED = frozenset(("input", "script", "video", "audio", "button", "option", "select", "details", "iframe", "form"))
"""Elements known to take attributes without a value."""

_SCHEMES = ("http", "https", "ftp")
_NAME_CHARS = 40
_TAG_CHARS = 1000
_ENTITY_CHARS = 10


def entity(text: PlainText, char: str) -> Scan:
    """Write the character that "&amp;" and its like stand for."""
    held, char = char, (yield)
    while (char == "#" or (char.isascii() and char.isalnum())) and len(held) <= _ENTITY_CHARS:
        held += char
        char = yield
    if char == ";" and (meant := html.unescape(held + ";")) != held + ";":
        text.write_all(" " if meant.isspace() else meant)
        return (yield)
    text.write_all(held)
    return char


def closing_angle(text: PlainText, char: str) -> Scan:
    """Keep "greater than" between spaces; elsewhere the bracket is what is left of a tag."""
    if text.last == " " and not text.code:
        text.write(char)
    return (yield)


def tag(text: PlainText, _char: str) -> Scan:
    """Drop a tag; write what only looked like one."""
    char = yield
    if text.code:
        return char
    if char == "!":
        return (yield from _declaration(text))
    closing = char == "/"
    if closing:
        char = yield
    if not (char.isascii() and char.isalpha()):
        if not closing and (char.isdecimal() or char in " ="):
            text.write("<")
        return char
    name = ""
    while ((char.isascii() and char.isalnum()) or char in "-_") and len(name) < _NAME_CHARS:
        name += char
        char = yield
    if char == ":" and name.lower() in _SCHEMES:
        return (yield from url(text, name + ":", (yield)))
    held = [name]
    if char in " /\n":
        char = yield from _attributes(held, char, flagged=name.lower() in _FLAGGED)
    if char != ">":
        text.write_all("".join(held).replace("\n", " "))
        return char
    return (yield from _after_tag(text, name.lower(), closing=closing))


def _after_tag(text: PlainText, name: str, *, closing: bool) -> Scan:
    if name in _SWALLOWED and not closing:
        return (yield from _swallow("</" + name))
    if name in _BREAKING:
        text.end_block()
    return (yield)


def _attributes(held: list[str], char: str, *, flagged: bool) -> Scan:
    """Read a tag's attributes into `held` up to ">", or to the first character that cannot belong to one."""
    while len(held) < _TAG_CHARS:
        while char in " /\n" and len(held) < _TAG_CHARS:
            held.append(char)
            char = yield
        start = len(held)
        while (char.isalnum() or char in "-_:@.") and len(held) < _TAG_CHARS:
            held.append(char)
            char = yield
        if char == "=" and len(held) > start:
            held.append(char)
            char = yield from _value(held)
        elif char == ">" or len(held) == start or not flagged:
            return char
    return char


def _value(held: list[str]) -> Scan:
    char = yield
    quote = char if char in "\"'" else ""
    if quote:
        held.append(char)
        char = yield
    while len(held) < _TAG_CHARS and char != END and (char != quote if quote else char not in " >\n"):
        held.append(char)
        char = yield
    if quote and char == quote:
        held.append(char)
        char = yield
    return char


def _declaration(text: PlainText) -> Scan:
    char = yield
    if char == "-":
        return (yield from _swallow("--"))
    if not char.isalpha():
        text.write("!")
        return char
    while char not in (">", "\n", END):
        char = yield
    return (yield) if char == ">" else char


def _swallow(closer: str) -> Scan:
    """Drop everything up to `closer` and the ">" after it."""
    seen, char = "", (yield)
    while char != END:
        seen = (seen + char.lower())[-len(closer) :]
        if seen == closer:
            while char not in (">", END):
                char = yield
            return (yield) if char == ">" else char
        char = yield
    return char
