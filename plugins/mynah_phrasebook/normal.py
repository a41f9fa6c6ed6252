"""What is left of a text when case, punctuation, articles and the like do not count: by this, phrases are compared.

What changes the meaning is left alone: negations, numbers, persons.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from mynah_phrasebook.numbers import with_digits

LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English", "es": "Spanish", "zh": "Chinese", "de": "German", "fr": "French",
}  # fmt: skip

_UNHEARD: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the a an please um uh er well oh",
        "es": "el la los las un una unos unas eh pues",
        "de": "der die das den dem des ein eine einen einem einer eines bitte äh also mal",
        "fr": "le la les l un une des euh",
    }.items()
}
"""Articles, and words that only fill."""

_ONE: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    language: (frozenset(articles.split()), frozenset(units.split()))
    for language, articles, units in (
        ("en", "a an", "hour day week month year minute tablet pill night person"),
        ("es", "un una", "hora dia semana mes ano minuto pastilla tableta noche persona"),
        ("de", "ein eine einen einem einer", "stunde tag woche monat jahr minute tablette nacht person"),
        ("fr", "un une", "heure jour semaine mois an minute comprime cachet nuit personne"),
    )
}
"""Articles that count, before what is counted."""

_CONTRACTIONS: Final = (
    (r"\bcan'?t\b|\bcan not\b", "cannot"),
    (r"\bwon't\b", "will not"),
    (r"\b(do|does|did|is|are|was|were|have|has|had|would|could|should|must)n'?t\b", r"\1 not"),
    (r"\bi'?m\b(?!\.)", "i am"),
    (r"\b(you|we|they)'re\b", r"\1 are"),
    (r"\b(i|you|we|they)'ve\b", r"\1 have"),
    (r"\b(i|you|he|she|it|we|they|that)'ll\b", r"\1 will"),
    (r"\b(i|you|he|she|we|they)'d\b", r"\1 would"),
    (r"\b(it|that|there|what|where|how|who|when|he|she|here)'s\b", r"\1 is"),
    (r"\b([ap])\.?\s?m\b\.?", r"\1m"),
)
_POLITE: Final = {
    "es": (r"\bpor favor\b", ""),
    "fr": (r"\bs'il (?:vous|te) pla[iî]t\b", ""),
}
_JOINED: Final = {"es": ((r"\bal\b", "a el"), (r"\bdel\b", "de el"))}
_ZH_SAME: Final = str.maketrans({"你": "您", "痛": "疼", "的": None, "请": None, "嗯": None, "啊": None, "呢": None})
_APOSTROPHES: Final = str.maketrans("’‘`´", "''''")
_NO_MARK: Final = re.compile(r"(?<=\d)[.,:](?=\d)|\w", re.UNICODE)


def normal(text: str, language: str) -> str:
    """Return what of `text` counts, in words set apart by single spaces; of Chinese, without any."""
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold()
    if language == "zh":
        bare = "".join(char for char in _marked(text) if not char.isspace())
        return with_digits(bare.translate(_ZH_SAME), language)
    if language == "en":
        for pattern, written in _CONTRACTIONS:
            text = re.sub(pattern, written, text)
    if language in _POLITE:
        text = re.sub(*_POLITE[language], text)
    for pattern, written in _JOINED.get(language, ()):
        text = re.sub(pattern, written, text)
    words = [_plain(word) for word in _marked(text).split()]
    articles, units = _ONE[language]
    for place, (word, after) in enumerate(pairwise(words)):
        if word in articles and after in units:
            words[place] = "1"
    heard = [word for word in words if word not in _PLAIN_UNHEARD[language]]
    return with_digits(" ".join(heard or words), language)


def _marked(text: str) -> str:
    """Return `text` with a space for each mark, but those between digits."""
    kept = {match.start() for match in _NO_MARK.finditer(text)}
    return "".join(char if place in kept else " " for place, char in enumerate(text))


def _plain(word: str) -> str:
    """Return a word without accents."""
    bare = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
    return bare.replace("œ", "oe").replace("æ", "ae")


_PLAIN_UNHEARD: Final = {language: frozenset(map(_plain, words)) for language, words in _UNHEARD.items()}


def one_apart(one: str, other: str) -> bool:
    """Whether two words differ in one letter: another, one more or one less, or two that changed places."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    swapped = len(a) == len(b) >= 2 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped
