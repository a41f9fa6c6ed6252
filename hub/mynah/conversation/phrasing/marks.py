"""The characters that matter to phrases: what ends them, what only encloses, what can be heard at all."""

from __future__ import annotations

import unicodedata

STOPS = frozenset(".．")
"""Full stops that may also lie inside a number, a name or an abbreviation."""

SENTENCE_MARKS = frozenset("!?。！？｡।॥؟۔‼⁇⁈⁉‽։።፧။។៕﹗﹖\u037e")
"""Marks that end a sentence wherever they stand. U+037E is the Greek question mark."""

ELLIPSES = frozenset("…⋯‥")
CLAUSE_MARKS = frozenset(",;:—–―⸺،؛、，；：､﹐﹑﹔፣፤၊") | ELLIPSES
BETWEEN_DIGITS = frozenset(",:–，：،")
"""Clause marks that are none between two digits: "1,000", "10:30", "10–12"."""

MARKS = STOPS | SENTENCE_MARKS | CLAUSE_MARKS
OPENERS = frozenset("¿¡([{“‘„‚«‹「『（【《〈〔［｛")
CLOSERS = frozenset(")]}”’»›」』）】》〉〕］｝\"'")
"""What a sentence takes along when it follows its end mark. Straight quotes count: here they close."""

_CLOSE_AFTER = {"“": "„", "‘": "‚", "«": "»"}

BREAK = "\n"
"""In cleaned text: the end of a paragraph, list item, heading or table row."""

GAP = "\u200b"
"""In cleaned text: something that is never spoken stood here, such as an emoji."""

FIRM_SPACE = "\ue020"
_FIRM_BASE = 0xE000
FIRM = {mark: chr(_FIRM_BASE + ord(mark)) for mark in ".,:;!?"}
"""Marks inside a host name or code: private characters stand for them, so that they end nothing."""

_SOFTEN = {ord(firm): mark for mark, firm in FIRM.items()} | {ord(FIRM_SPACE): " "}
_MOST_CHARS = 500
_SAME_MARKS = 3
_SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾๆฯะาำๅ")
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x3035),
    (0x3040, 0x312F),  # kana, Bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x20000, 0x323AF),
)


def soften(text: str) -> str:
    """Put the real marks back where `FIRM` ones stood."""
    return text.translate(_SOFTEN)


def closes(char: str, chars: list[str]) -> bool:
    """Whether this character, right after an end mark, closes a quote or bracket of the phrase.

    The quotes of „German“ and »Danish« close with what opens a quote elsewhere.
    """
    return char in CLOSERS or (char in _CLOSE_AFTER and _CLOSE_AFTER[char] in chars)


def add_mark(chars: list[str], mark: str) -> bool:
    """Append a mark to a phrase, unless a run of the same mark, or the phrase, is long enough without it."""
    if len(chars) >= _MOST_CHARS or chars[-_SAME_MARKS:] == [mark] * _SAME_MARKS:
        return False
    chars.append(mark)
    return True


def is_speakable(char: str) -> bool:
    """Whether this character alone makes a phrase worth saying: a letter, a digit, a currency sign or per cent."""
    return char.isalnum() or char == "%" or (not char.isascii() and unicodedata.category(char) == "Sc") or char == "$"


def is_unspaced(char: str) -> bool:
    """Whether the character belongs to a script that puts no spaces between words and counts as half a word."""
    if char < "\u0e00":
        return False
    code = ord(char)
    return any(low <= code <= high for low, high in _UNSPACED) and not unicodedata.category(char).startswith("M")


def joins_previous(char: str) -> bool:
    """Whether a phrase must not begin with this character: combining signs, small kana, iteration marks, joiners."""
    if char < "\u0300":
        return False
    return char in _SMALL_KANA or char in "\u200c\u200d" or unicodedata.category(char).startswith("M")
