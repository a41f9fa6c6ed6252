"""Text on its way to espeak, and word marks on their way back. Pure functions of text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from mynah import WordMark
from mynah_espeak.library import EVENT_WORD, SpeechEvent

MAX_PIECE: Final = 250

# Control characters would be taken for embedded commands (Ctrl-A sets voice and speed), double brackets for phonemes.
_NOT_TEXT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]|\[\[|\]\]")
_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？।॥]+[”’」』）]*\s*")
_PAUSES: Final = re.compile(r"[.,;:!?…—。！？，、；：।॥][\"'”’)\]」』）\s]*$")
# Chinese characters and kana are words of their own; everything else is parted by spaces.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def clean(text: str) -> str:
    """Return `text` with everything blanked that espeak would take for a command, at the same length."""
    return _NOT_TEXT.sub(lambda match: " " * len(match[0]), text)


def pieces(text: str, longest: int = MAX_PIECE) -> Iterator[tuple[int, str]]:
    """Yield `text` in pieces of at most `longest` characters, with its offset, cut after a sentence if possible."""
    start = 0
    while start < len(text):
        window = text[start : start + longest]
        end = len(window) if start + longest >= len(text) else _cut(window)
        if window[:end].strip():
            yield start, window[:end]
        start += end


def _cut(window: str) -> int:
    ends = [match.end() for match in _SENTENCE_END.finditer(window)]
    return ends[-1] if ends else (window.rfind(" ") + 1 or len(window))


def pauses_after(text: str) -> bool:
    """Whether a speaker pauses after `text`, because it ends with a mark."""
    return bool(_PAUSES.search(text))


class WordMarks:
    """Makes word marks for one piece of text from the library's events.

    espeak says where a word begins: several times where it says a number in words, once for words that it says as one
    ("in the"). A word has been said when the next written word begins or its clause ends. A mark's `char_end` takes in
    the punctuation behind the word.
    """

    def __init__(self, text: str, rate: int, *, offset: int = 0, start_ms: float = 0.0) -> None:
        words = list(_WORD.finditer(text))
        self._starts = [word.start() for word in words]
        self._ends = [word.end() for word in words]
        self._rate = rate
        self._offset = offset
        self._start_ms = start_ms
        self._speaking = -1
        self._marked = 0

    def take(self, event: SpeechEvent) -> WordMark | None:
        """Return the mark that `event` brings, if any."""
        if event.kind == EVENT_WORD:
            begun = bisect_right(self._starts, event.position - 1) - 1
            if begun <= self._speaking:
                return None
            first = self._speaking < 0
            self._speaking = begun
            return None if first else self._mark(begun, event.sample)
        if self._speaking < 0:
            return None
        return self._mark(bisect_right(self._ends, event.position), event.sample)

    def _mark(self, words: int, sample: int) -> WordMark | None:
        """Mark the first `words` words as said, unless they are already."""
        if words == 0 or self._ends[words - 1] <= self._marked:
            return None
        self._marked = self._ends[words - 1]
        return WordMark(self._offset + self._marked, self._start_ms + sample * 1000 / self._rate)
