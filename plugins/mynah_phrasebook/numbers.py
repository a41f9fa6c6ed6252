"""Numbers in words, from 0 to 199, put into digits; and numbers as each language writes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

NUMBER: Final = r"\d+(?:[.,]\d+)?"


def _list(words: str) -> list[str]:
    return words.split()


_EN: Final = _list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_EN_TENS: Final = _list("twenty thirty forty fifty sixty seventy eighty ninety")
_ES: Final = _list(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete"
    " dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete"
    " veintiocho veintinueve"
)
_ES_TENS: Final = _list("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_DE: Final = _list(
    "null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn"
    " achtzehn neunzehn"
)
_DE_TENS: Final = _list("zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig")
_FR: Final = _list(
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit"
    " dix-neuf"
)
_FR_TENS: Final = _list("vingt trente quarante cinquante soixante")


def _en(number: int) -> str:
    if number >= 100:
        return "one hundred" + (f" {_en(number - 100)}" if number > 100 else "")
    if number < 20:
        return _EN[number]
    tens, ones = divmod(number, 10)
    return _EN_TENS[tens - 2] + (f" {_EN[ones]}" if ones else "")


def _es(number: int) -> str:
    if number >= 100:
        return f"ciento {_es(number - 100)}" if number > 100 else "cien"
    if number < 30:
        return _ES[number]
    tens, ones = divmod(number, 10)
    return _ES_TENS[tens - 3] + (f" y {_ES[ones]}" if ones else "")


def _de(number: int) -> str:
    if number >= 100:
        return "hundert" + (_de(number - 100) if number > 100 else "")
    if number < 20:
        return _DE[number]
    tens, ones = divmod(number, 10)
    return ((_DE[ones].removesuffix("s") if ones == 1 else _DE[ones]) + "und" if ones else "") + _DE_TENS[tens - 2]


def _fr(number: int) -> str:
    if number >= 100:
        return "cent" + (f" {_fr(number - 100)}" if number > 100 else "")
    if number < 20:
        return _FR[number]
    if number >= 80:
        return "quatre-vingt" + (f"-{_fr(number - 80)}" if number > 80 else "s")
    tens, ones = divmod(min(number, 69), 10)
    rest = ones + max(0, number - 69)
    base = _FR_TENS[tens - 2]
    return base + ("" if not rest else f" et {_fr(rest)}" if rest in (1, 11) else f"-{_fr(rest)}")


_SPELLED: Final[dict[str, Callable[[int], str]]] = {"en": _en, "es": _es, "de": _de, "fr": _fr}
_AS_ARTICLE: Final = frozenset({"un"})  # the French one: an article far more often than a number
_ZH_DIGITS: Final = "零一二三四五六七八九"
_ZH_NUMBER: Final = re.compile(r"[零一二两三四五六七八九十百]+")


@cache
def _words(language: str) -> dict[tuple[str, ...], int]:
    spelled = {tuple(_SPELLED[language](number).replace("-", " ").split()): number for number in range(200)}
    if language == "en":
        spelled |= {("a", *words[1:]): number for words, number in spelled.items() if words[:2] == ("one", "hundred")}
        spelled |= {
            (*words[:2], "and", *words[2:]): number for words, number in spelled.items() if words[1:2] == ("hundred",)
        }
    return {words: number for words, number in spelled.items() if not (len(words) == 1 and words[0] in _AS_ARTICLE)}


def with_digits(text: str, language: str) -> str:
    """Return normal text with its numbers in digits."""
    if language == "zh":
        return _ZH_NUMBER.sub(_zh_digits, text)
    known, words, found = _words(language), text.split(), []
    longest = max(map(len, known))
    while words:
        for size in range(min(longest, len(words)), 0, -1):
            number = known.get(tuple(words[:size]))
            if number is not None:
                found.append(str(number))
                del words[:size]
                break
        else:
            found.append(words.pop(0))
    return " ".join(found)


def _zh_digits(found: re.Match[str]) -> str:
    text = found[0].replace("两", "二")
    if not {"十", "百"} & set(text):
        return "".join(str(_ZH_DIGITS.index(digit)) for digit in text)
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    number = 100 * (_digit(hundreds) if hundreds else 1) if "百" in text else 0
    number += 10 * (_digit(tens) if tens.strip("零") else 1) if ten else 0
    return str(number + _digit(ones))


def _digit(text: str) -> int:
    digits = [_ZH_DIGITS.index(digit) for digit in text if digit in _ZH_DIGITS]
    return digits[-1] if digits else 0


def in_words(text: str, language: str) -> str:
    """Return a text with its whole numbers up to 199 in words, where the language has them here."""
    spelled = _SPELLED.get(language)
    if spelled is None:
        return text
    return re.sub(r"\d+", lambda found: spelled(int(found[0])) if int(found[0]) < 200 else found[0], text)


def written(number: str, language: str) -> str:
    """Return a number as a language writes it: 38.5 or 38,5."""
    return number.replace(",", ".").replace(".", "," if language in ("es", "de", "fr") else ".")


def is_one(number: str) -> bool:
    """Whether what is counted stands in the singular."""
    return unicodedata.normalize("NFKC", number) == "1"
