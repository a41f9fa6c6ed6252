"""Scanners for markup inside a line of Markdown: emphasis, links, escapes, emoji, and URLs in plain sight."""

from __future__ import annotations

from mynah.conversation.phrasing.plaintext import END, PlainText, Scan, is_emoji, is_silent

_CITATION = frozenset("0123456789^†, ")
_CITATION_CHARS = 12
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_URL_STARTS = ("http://", "https://", "ftp://", "www.")
_URL_ENDS = frozenset(' \n<>"`|]*“”„«»‘’\u00a0' + END)
_URL_TAILS = frozenset(".,;:!?)'…")
_URL_CHARS = 300
_TAIL_CHARS = 20


def symbol(text: PlainText, char: str) -> Scan:
    """Take a character beyond ASCII: emoji leave a gap, signs without sound leave nothing."""
    if is_emoji(char):
        text.gap()
        following: str = yield
        # Joiners count here alone: elsewhere they shape Indic and Persian words.
        while following == "\u200d" or is_emoji(following):
            following = yield
        return following
    if char.isspace():
        if char in "\u00a0\u202f\u2007":
            text.write_firm_space()
        elif text.last not in " \n":
            text.write(" ")
    elif not is_silent(char):
        text.write(char)
    return (yield)


def digit(text: PlainText, char: str) -> Scan:
    """Take a digit, unless it is drawn on a keycap emoji."""
    following: str = yield
    if following in "\ufe0f\u20e3":
        text.gap()
        while following in "\ufe0f\u20e3":
            following = yield
    else:
        text.write(char)
    return following


def asterisks(text: PlainText, char: str) -> Scan:
    """Drop asterisks of emphasis; a lone one between spaces or digits is a sign of arithmetic."""
    before, count = text.last, 0
    while char == "*":
        count += 1
        char = yield
    if count == 1 and ((before == " " and char == " ") or (before.isdecimal() and char.isdecimal())):
        text.write("*")
    return char


def underscores(text: PlainText, char: str) -> Scan:
    """Drop underscores of emphasis; inside a word they are part of it."""
    before, count = text.last, 0
    while char == "_":
        count += 1
        char = yield
    if before.isalnum() and char.isalnum():
        text.write_all("_" * min(count, 2))
    return char


def tildes(text: PlainText, char: str) -> Scan:
    """Drop the tildes of struck-out text; a single one means "about"."""
    count = 0
    while char == "~":
        count += 1
        char = yield
    if count == 1:
        text.write("~")
    return char


def hashes(text: PlainText, char: str) -> Scan:
    """Drop the hashes that close a heading, and those on keycap emoji."""
    if text.heading and text.last == " ":
        return (yield)
    return (yield from digit(text, char))


def exclamation(text: PlainText, char: str) -> Scan:
    """Take an exclamation mark at once, except where it may begin an image."""
    if text.last not in " \n":
        text.write(char)
        return (yield)
    following = yield
    if following != "[":
        text.write(char)
    return following


def opening_bracket(text: PlainText, _char: str) -> Scan:
    """Let a link's text go on as text; drop citations such as "[1]" and the box of a task."""
    text.brackets += 1
    boxes = "xX" if text.last == "\n" else ""
    held, char = "", (yield)
    while (char in _CITATION or char in boxes) and len(held) < _CITATION_CHARS:
        held += char
        char = yield
    if char != "]":
        text.write_all(held)
        return char
    text.brackets -= 1
    char = yield
    if char == "(":
        text.write_all(held)
        return (yield from _target(")"))
    return char


def closing_bracket(text: PlainText, _char: str) -> Scan:
    """Drop the bracket, and the address that follows a link's text."""
    char = yield
    if text.brackets:
        text.brackets -= 1
        if char == "(":
            return (yield from _target(")"))
        if char == "[":
            return (yield from _target("]"))
    return char


def escape(text: PlainText, char: str) -> Scan:
    """Take the mark after a backslash as plain text."""
    following = yield
    if following not in _ESCAPABLE:
        text.write(char)
        return following
    text.write(following)
    return (yield)


def maybe_url(text: PlainText, char: str) -> Scan:
    """Say a URL's host name where one begins; else take the letters as they are."""
    if text.last.isalnum():
        text.write(char)
        return (yield)
    held = char
    while True:
        char = yield
        longer = (held + char).lower()
        if longer in _URL_STARTS:
            following = yield
            if following.isalnum():
                return (yield from url(text, held + char, following))
            text.write_all(held + char)
            return following
        if not any(start.startswith(longer) for start in _URL_STARTS):
            text.write_all(held)
            return char
        held += char


def url(text: PlainText, scheme: str, char: str) -> Scan:
    """Read the URL that began with `scheme` to its end; write its host name and the punctuation that follows."""
    address = [scheme]
    tail, depth = "", 0
    while char not in _URL_ENDS and char < "\u2e80":
        if char in _URL_TAILS and len(tail) < _TAIL_CHARS and not (char == ")" and depth):
            tail += char
        else:
            depth += (char == "(") - (char == ")" and depth > 0)
            address += (tail, char) if len(address) < _URL_CHARS else ()
            tail = ""
        char = yield
    text.write_name(_host("".join(address)))
    text.write_all(tail)
    return char


def _host(address: str) -> str:
    """Return the host name of a URL without "www." and port."""
    rest = address.partition("://")[2] or address
    for end in "/?#":
        rest = rest.partition(end)[0]
    host = rest.rpartition("@")[2].partition(":")[0]
    return host[4:] if host.lower().startswith("www.") else host


def _target(closer: str) -> Scan:
    """Drop a link's address, to the bracket that closes it or to the end of the line."""
    opener = "(" if closer == ")" else "["
    depth, char = 1, (yield)
    while char not in ("\n", END):
        depth += (char == opener) - (char == closer)
        if depth == 0:
            return (yield)
        char = yield
    return char
