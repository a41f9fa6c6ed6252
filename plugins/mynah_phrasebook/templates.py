"""How the book writes its phrases: ways of saying something, with slots, and words that depend on a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PART: Final = re.compile(
    r"\{(?P<slot>\w+)(?:\.(?P<form>\w+))?(?::(?P<place>\d))?\}|\[(?P<one>[^/\]]+)/(?P<more>[^\]]+)\]"
)
"""What is no plain text in a way of saying something."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A slot of a pattern: which, in which form, and which of its kind (from 1) it is."""

    slot: str
    form: str
    place: int


@dataclass(frozen=True, slots=True)
class Template:
    """One way of saying a phrase in one language, as text around gaps and words that depend on a number."""

    text: str
    language: str

    def parts(self) -> Iterator[str | Gap | tuple[str, str]]:
        """Yield text, gaps, and pairs of words for one and for more."""
        counts: dict[str, int] = {}
        end = 0
        for found in PART.finditer(self.text):
            if found.start() > end:
                yield self.text[end : found.start()]
            end = found.end()
            if (slot := found["slot"]) is not None:
                counts[slot] = counts.get(slot, 0) + 1
                yield Gap(slot, found["form"] or "", int(found["place"] or counts[slot]))
            else:
                yield found["one"], found["more"]
        if end < len(self.text):
            yield self.text[end:]


@dataclass(frozen=True)
class Row:
    """One value of a closed slot: by language, by form, the ways of saying it."""

    words: Mapping[str, Mapping[str, Sequence[Template]]]

    def said(self, language: str, form: str) -> Template:
        """Return how it is said."""
        return self.words[language][form][0]


@dataclass(frozen=True)
class Phrase:
    """A phrase: by language, the ways of saying it, of which the first is the one that is said."""

    ways: Mapping[str, Sequence[Template]]


def ways_of(text: str, language: str) -> list[Template]:
    """Return the ways of saying something, which " | " divides."""
    return [Template(way.strip(), language) for way in text.split(" | ")]


def forms_of(forms: Mapping[str, Sequence[str]], language: str) -> list[str]:
    """Return the names of the forms that a slot has in a language; the first has none."""
    return ["", *forms.get(language, ())[1:]] if language in forms else [""]


def row_of(value: Sequence[str], languages: Sequence[str], forms: Mapping[str, Sequence[str]]) -> Row:
    """Return a value of a slot from its texts, one for each language, whose forms " / " divides."""
    if len(value) != len(languages):
        raise ValueError(f"a value has one entry for each of {', '.join(languages)}: {value}")
    words = {}
    for text, language in zip(value, languages, strict=True):
        names, given = forms_of(forms, language), str(text).split(" / ")
        if len(names) != len(given):
            raise ValueError(f"{text!r} has {len(given)} forms, not {len(names)}")
        words[language] = {name: ways_of(each, language) for name, each in zip(names, given, strict=True)}
    return Row(words)
