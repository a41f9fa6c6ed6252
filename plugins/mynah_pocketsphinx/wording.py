"""Text as it is spoken: lower case, no punctuation, numbers as words."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# fmt: off
_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS: Final = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
_POWERS: Final = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_SIGNS: Final = {"&": " and ", "%": " percent ", "+": " plus ", "@": " at "}
_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?|[a-z]+(?:'[a-z]+)*'?")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")


def spoken(text: str) -> list[str]:
    """Return the words of `text` as a recogniser knows them: "The 2 pandas' den?" is the, two, pandas', den."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode().lower()
    plain = _THOUSANDS.sub("", plain)
    for sign, word in _SIGNS.items():
        plain = plain.replace(sign, word)
    words: list[str] = []
    for token in _TOKEN.findall(plain):
        words += number(token) if token[0].isdigit() else [token]
    return words


def number(digits: str) -> list[str]:
    """Return a number as words: `21.5` is twenty, one, point, five. Very long ones are read digit by digit."""
    whole, _, fraction = digits.partition(".")
    words = _cardinal(int(whole)) if len(whole) <= 12 else [_ONES[int(digit)] for digit in whole]
    return words + (["point", *(_ONES[int(digit)] for digit in fraction)] if fraction else [])


def plural(noun: str) -> str:
    """Return the regular plural of an English noun, or of the last word of a name."""
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")


def _cardinal(value: int) -> list[str]:
    for power, name in _POWERS:
        if value >= power:
            rest = value % power
            return [*_cardinal(value // power), name, *(_cardinal(rest) if rest else [])]
    if value < 20:
        return [_ONES[value]]
    return [_TENS[value // 10], *([_ONES[value % 10]] if value % 10 else [])]
