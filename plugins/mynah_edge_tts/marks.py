"""Where in a phrase's text the words are that the service says it has spoken. Pure functions of text."""

from __future__ import annotations

import html
import unicodedata
from typing import Final

from mynah import WordMark

AHEAD: Final = 3
"""How many words further on a word is looked for that is not the next one; further it is taken for another wording."""

# Scripts in which words are not parted by spaces, so that a word may end in the middle of a run of letters: Thai,
# Lao, Myanmar, Khmer, kana, Chinese characters.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_OPENING: Final = ("Ps", "Pi")


class WordMarks:
    """Makes word marks for one phrase from the words that the service speaks, in their order.

    Words are found by their letters, digits and symbols alone, whatever the case, the punctuation or the escapes. One
    that the service words differently ("1234", "Dr.") is skipped, and marked once a word after it is found. A mark's
    `char_end` takes in the punctuation behind the word.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._letters, self._places = _letters(text)
        self._at = 0
        self._marked = 0
        self._end_ms = 0.0
        self._skipped = False

    def take(self, word: str, end_ms: float) -> list[WordMark]:
        """Return the marks that a word brings which has been said by `end_ms`."""
        end_ms = max(end_ms, self._end_ms)
        keys = [key for form in (word, html.unescape(word)) if (key := _letters(form)[0])]
        if not keys:
            return []
        places = [(found, key) for key in keys if (found := self._find(key)) is not None]
        if not places:
            self._end_ms, self._skipped = end_ms, True
            return []
        found, key = places[0]
        before = self._mark(found, self._end_ms) if self._skipped else []
        self._at, self._end_ms, self._skipped = found + len(key), end_ms, False
        return before + self._mark(self._at, end_ms)

    def finish(self) -> list[WordMark]:
        """Return the mark of the last words, where the service worded them differently; all audio has been made."""
        return self._mark(len(self._letters), self._end_ms) if self._skipped else []

    def _find(self, key: str) -> int | None:
        """Return where `key` stands among the letters: next, or at the beginning of one of the next words."""
        at, passed = self._at, 0
        while at < len(self._letters) and passed <= AHEAD:
            if self._letters.startswith(key, at) and self._is_end(at + len(key)):
                return at
            at += 1
            while at < len(self._letters) and not self._is_end(at):
                at += 1
            passed += 1
        return None

    def _is_end(self, at: int) -> bool:
        """Whether a word can end before the letter `at`."""
        if at in (0, len(self._letters)):
            return True
        before, after = self._places[at - 1], self._places[at]
        if before == after:  # two letters made of one character
            return False
        apart = after - before > 1
        return apart or _unspaced(self._text[before]) or _unspaced(self._text[after])

    def _mark(self, letters: int, end_ms: float) -> list[WordMark]:
        """Mark the first `letters` letters as said, unless they are already."""
        if letters == 0:
            return []
        end = self._places[letters - 1] + 1
        while end < len(self._text) and _closes(self._text[end]):
            end += 1
        if end <= self._marked:
            return []
        self._marked = end
        return [WordMark(end, end_ms)]


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the letters of `text` in the plainest form, and for each the character that it is from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for plain in unicodedata.normalize("NFKD", character).casefold():
            if _is_letter(plain):
                letters.append(plain)
                places.append(place)
    return "".join(letters), places


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMNS"


def _closes(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in _OPENING and category[0] not in "LMNSZC"


def _unspaced(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _UNSPACED)
