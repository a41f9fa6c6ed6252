"""Text to words and stems, for any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mynah_facts import chinese
from mynah_facts.english import BEFORE_IS, ENDINGS, EXPANDED, FRAMES, FUNCTION_WORDS, IRREGULAR, NUMBERS

SLOT = "#"
"""Stands for a subject's name among the words of a question, and for its placeholder in a template."""
NUMBER = "0"
"""The stem of every number."""

# Letters, digits, and the vowel signs and other marks of scripts that write them apart.
_LETTER = (
    r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0970-\u0dff\u0e31-\u0e4e])"
)
_WORD = re.compile(rf"{_LETTER}+(?:['’]{_LETTER}+)*")
# Scripts written without spaces: each character counts as a word.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_APOSTROPHE = re.compile(r"['’]")
_FRAME = re.compile("|".join(FRAMES), re.IGNORECASE)
_MARKS = re.compile(r"[,;:.!?…—–]\s|[。、！？，；：]")
_LEAST_WORDS = 3


def words(text: str) -> list[str]:
    """Return the words of `text`: case folded, contractions opened, possessives and punctuation dropped."""
    found: list[str] = []
    for token in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        found += _opened(token) if "'" in token or "’" in token or token in EXPANDED else _split(token)
    return found


def clauses(text: str) -> list[list[str]]:
    """Return the words of each clause of a text that has several, leaving out the shortest."""
    parts = [words(part) for part in _MARKS.split(text)]
    return [part for part in parts if len(part) >= _LEAST_WORDS] if len(parts) > 1 else []


def unframed(text: str) -> str:
    """Drop an opening such as "my son wants to know", unless hardly anything comes after it."""
    rest = _FRAME.sub("", text, count=1)
    return rest if len(rest.split()) >= _LEAST_WORDS else text


def stem(word: str) -> str:
    """Return `word` without its commonest English endings, the same for all forms; all numbers are one."""
    if word.isdigit() or word in NUMBERS:
        return NUMBER
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return IRREGULAR.get(word[:-1], _bare(word[:-1]))
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return _bare(_undouble(word[: -len(ending)]))
    return _bare(word)


def content(stems: Iterable[str]) -> list[str]:
    """Return the stems that say what a question is about, each once."""
    return [stem for stem in dict.fromkeys(stems) if stem != SLOT and stem not in FUNCTION_STEMS]


def _bare(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz" else word


def _opened(token: str) -> list[str]:
    token = token.replace("’", "'")
    if token in EXPANDED:
        return EXPANDED[token].split()
    for ending, meant in ENDINGS.items():
        if token.endswith(ending) and len(token) > len(ending):
            return [token[: -len(ending)], meant]
    head, _, tail = token.partition("'")
    if tail == "s":
        return [head, "is"] if head in BEFORE_IS else [head]
    return [part for part in _APOSTROPHE.split(token) if part]


def _split(token: str) -> list[str]:
    if not _UNSPACED.search(token):
        return [token]
    return [piece for piece in re.split(f"({_UNSPACED.pattern})", token) if piece]


FUNCTION_STEMS = frozenset(stem(word) for word in FUNCTION_WORDS) | chinese.FUNCTION_WORDS | {NUMBER}
"""Stems that ask or connect and seldom say what a question is about."""
