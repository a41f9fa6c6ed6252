"""Which language: the nearest of several tags, a text by its language, and what a text's letters tell."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mynah.conversation.phrasing.marks import is_unspaced
from mynah.values import Text, primary_language

FEW_WORDS: Final = 3
"""Fewer words than this may be a word of another language in mid-conversation, and tell nothing."""

_LATIN: Final = frozenset({"LATIN"})
_SCRIPTS: Final[Mapping[str, frozenset[str]]] = {
    "zh": frozenset({"CJK"}),
    "ja": frozenset({"HIRAGANA", "KATAKANA", "CJK"}),
    "ko": frozenset({"HANGUL"}),
    "el": frozenset({"GREEK"}),
    "he": frozenset({"HEBREW"}),
    "th": frozenset({"THAI"}),
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk"), frozenset({"CYRILLIC"})),
    **dict.fromkeys(("ar", "fa", "ur"), frozenset({"ARABIC"})),
    **dict.fromkeys(("hi", "mr", "ne"), frozenset({"DEVANAGARI"})),
}
"""The scripts of languages that are not written in Latin letters, by the names that Unicode gives their letters."""


def nearest(tags: Iterable[str], *wanted: str) -> str | None:
    """Return the tag that is the first of those `wanted`, or else of the same language; the next wanted after that."""
    known = list(tags)
    for each in wanted:
        for tag in known:
            if tag.lower() == each.lower():
                return tag
        for tag in known:
            if primary_language(tag) == primary_language(each):
                return tag
    return None


def in_language(text: Text, *wanted: str) -> str:
    """Return `text` in the first language of those `wanted` that it is there in, or else in the first it has."""
    if isinstance(text, str):
        return text
    tag = nearest(text, *wanted) or next(iter(text), None)
    return text[tag] if tag else ""


def by_script(text: str, languages: Sequence[str]) -> str | None:
    """Return the first of `languages` that is written in most letters of `text`; None where none is."""
    scripts = Counter(unicodedata.name(letter, "").split(" ")[0].split("-")[0] for letter in text if letter.isalpha())
    if not scripts:
        return None
    (most, _), *_ = scripts.most_common(1)
    return next((each for each in languages if most in _SCRIPTS.get(primary_language(each), _LATIN)), None)


def is_short(text: str) -> bool:
    """Tell whether a text has too few words to tell its language; characters that are not spaced count as words."""
    words = text.split()
    return sum(max(1, sum(map(is_unspaced, word))) for word in words) < FEW_WORDS
