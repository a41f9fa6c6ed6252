"""Whole numbers in the words of a text, so that "fifty-six", "56" and "五十六" are the same answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mynah_facts.words import stem, words

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_CHINESE = re.compile(f"[{''.join((*_DIGITS, *_POWERS))}]+")


def normal(text: str) -> list[str]:
    """Return the stems of a text, with numbers up to some thousands as digits."""
    found: list[str] = []
    spoken = words(_CHINESE.sub(lambda match: f" {_chinese(match[0])} ", text))
    at = 0
    while at < len(spoken):
        length, number = _english(spoken[at:])
        found.append(str(number) if length else spoken[at] if spoken[at].isdigit() else stem(spoken[at]))
        at += length or 1
    return found


def _english(spoken: Sequence[str]) -> tuple[int, int]:
    """Return how many words a number at the beginning takes, and which it is; no words where there is none."""
    if spoken[:2] == ["a", "hundred"]:
        length, total = 2, 100
    else:
        length, total = _below_hundred(spoken)
        if length and spoken[length : length + 1] == ["hundred"]:
            length, total = length + 1, total * 100
    if total >= 100 and length:
        skip = int(spoken[length : length + 1] == ["and"])
        more, rest = _below_hundred(spoken[length + skip :])
        return (length + skip + more, total + rest) if more else (length, total)
    return length, total


def _below_hundred(spoken: Sequence[str]) -> tuple[int, int]:
    first, second = (*spoken[:2], "", "")[:2]
    if first in _TENS:
        unit = _UNITS.get(second, 0)
        return (2, _TENS[first] + unit) if 0 < unit < 10 else (1, _TENS[first])
    return (1, _UNITS[first]) if first in _UNITS else (0, 0)


def _chinese(text: str) -> int:
    total = digit = 0
    for char in text:
        if char in _POWERS:
            total += (digit or 1) * _POWERS[char]
            digit = 0
        else:
            digit = digit * 10 + _DIGITS[char]
    return total + digit
