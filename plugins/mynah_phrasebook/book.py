"""The book: phrases in all languages, found by what is said, and said in another language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from mynah_phrasebook import times
from mynah_phrasebook.normal import LANGUAGES, normal, one_apart
from mynah_phrasebook.numbers import NUMBER, is_one, written
from mynah_phrasebook.templates import PART, Gap, Phrase, Row, Template, forms_of, row_of, ways_of

PHRASES: Final = Path(__file__).parent / "phrases"

_NAME: Final = r".{1,60}"
_NAME_WORDS: Final = 4
_SAMPLE_NAMES: Final = ("Anna", "David", "Maria", "Peter")
_SAMPLES: Final = tuple(map(str, (*range(2, 21), 30, 40, 50, 60, 70, 80, 90, 100, 120)))


@dataclass(frozen=True)
class Matcher:
    """A way of saying something, ready to be compared with normal text: the expression `source`, which holds `part`."""

    source: str
    part: str
    gaps: tuple[Gap, ...]
    literal: int
    asks: bool
    meaning: Any

    def match(self, said: str) -> re.Match[str] | None:
        """Compare the whole of a normal text."""
        return self._pattern.fullmatch(said) if self.part in said else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Made when first needed: making all of them would take longer than everything else that the book needs.
        return re.compile(self.source)


@dataclass(frozen=True, slots=True)
class Match:
    """What was recognised: a phrase or row, and what stands in its slots, by slot and place."""

    meaning: Any
    fillings: Mapping[tuple[str, int], Any] = field(default_factory=dict)


class Book:
    """Every phrase and slot."""

    def __init__(self, phrases: Sequence[Phrase], slots: Mapping[str, Sequence[Row]], forms: Mapping[str, Any]) -> None:
        self.phrases = phrases
        self.slots = slots
        self._forms = forms

    @classmethod
    @cache
    def load(cls, folder: Path = PHRASES) -> Book:
        """Read the book's files, once a process: engine and persona share what is made of them."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        data = yaml.load((folder / "slots.yaml").read_text(encoding="utf-8"), Loader=loader)
        languages, slots, forms = data["languages"], {}, {}
        for name, slot in data["slots"].items():
            forms[name] = slot.get("forms") or {}
            slots[name] = [row_of(value, languages, forms[name]) for value in slot["values"]]
        phrases = []
        for file in sorted(folder.glob("*.yaml")):
            if file.name != "slots.yaml":
                read = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)
                phrases += [Phrase({lang: ways_of(entry[lang], lang) for lang in languages}) for entry in read]
        return cls(phrases, slots, forms)

    # ------------------------------------------------------------ what is said

    def find(self, text: str, language: str) -> Match | None:
        """Return the phrase that `text` is, with what stands in its slots."""
        said = normal(text, language)
        found = self._find(said, text, language)
        if found is None and (mended := self._mended(said, language)) != said:
            found = self._find(mended, text, language)
        return found

    def _find(self, said: str, raw: str, language: str) -> Match | None:
        fixed, open_ones = self._matchers[language]
        asks = _asks(raw)
        if same := fixed.get(said):
            return Match(same.get(asks) or next(iter(same.values())))
        best: Match | None = None
        most = (-1, False)
        for matcher in open_ones:
            fits = (matcher.literal, matcher.asks == asks)
            if fits > most and (found := matcher.match(said)):
                fillings = self._fillings(matcher, found, raw, language)
                if fillings is not None:
                    best, most = Match(matcher.meaning, fillings), fits
        return best

    def _fillings(
        self, matcher: Matcher, found: re.Match[str], raw: str, language: str
    ) -> dict[tuple[str, int], Any] | None:
        fillings = {}
        for number, gap in enumerate(matcher.gaps):
            value = self._filling(gap, found[f"g{number}"].strip(), raw, language)
            if value is None:
                return None
            fillings[gap.slot, gap.place] = value
        return fillings

    def _filling(self, gap: Gap, text: str, raw: str, language: str) -> Any:
        if gap.slot == "number":
            return text
        if gap.slot == "time":
            return times.read(text, language)
        if gap.slot == "name":
            return _name(text, raw, language)
        for matcher in self._rows[gap.slot, gap.form, language]:
            if found := matcher.match(text):
                fillings = self._fillings(matcher, found, raw, language)
                if fillings is not None:
                    return Match(matcher.meaning, fillings)
        return None

    def _mended(self, said: str, language: str) -> str:
        """Return normal text with slips of one letter in long words mended, where only one word can be meant."""
        if language == "zh":
            return said
        known = self._vocabulary[language]
        words = said.split()
        for place, word in enumerate(words):
            if len(word) >= 6 and word.isalpha() and word not in known:
                near = [other for other in known if other[0] == word[0] and one_apart(word, other)]
                if len(near) == 1:
                    words[place] = near[0]
        return " ".join(words)

    # ------------------------------------------------------------ what is said in another language

    def say(self, match: Match, language: str) -> str:
        """Return a recognised phrase in a language."""
        text = self._rendered(match.meaning.ways[language][0], match.fillings, language).strip()
        if language == "es":
            text = re.sub(r"\b([aA]|[dD]e) el\b", lambda found: found[1] + "l", text)
            text = re.sub(r"\bSon (?=la \d|medio|media)", "Es ", text)
        text = text.replace("..", ".")
        place = next((at for at, char in enumerate(text) if char.isalnum()), 0)
        return text[:place] + text[place : place + 1].upper() + text[place + 1 :]

    def _rendered(self, template: Template, fillings: Mapping[tuple[str, int], Any], language: str) -> str:
        parts, last = [], next((value for (slot, _), value in fillings.items() if slot == "number"), "")
        for part in template.parts():
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, tuple):
                parts.append(part[0] if is_one(last) else part[1])
            else:
                value = fillings[part.slot, part.place]
                last = value if part.slot == "number" else last
                parts.append(self._said(part, value, language))
        return "".join(parts)

    def _said(self, gap: Gap, value: Any, language: str) -> str:
        if gap.slot == "number":
            return written(value, language)
        if gap.slot == "time":
            return times.say(value, language)
        if gap.slot == "name":
            return str(value)
        return self._rendered(value.meaning.said(language, gap.form), value.fillings, language)

    # ------------------------------------------------------------ what may be said at all

    def sayings(self, language: str) -> Iterator[str]:
        """Yield every way of saying every phrase, each value of a slot in one of them at least."""
        for phrase in self.phrases:
            ways = phrase.ways[language]
            for number in range(max(len(ways), *map(self._values, ways))):
                way = ways[number % len(ways)]
                yield self._rendered(way, self._sample(way, number), language)

    def _values(self, way: Template) -> int:
        slots = [part.slot for part in way.parts() if isinstance(part, Gap)]
        return max((len(self.slots.get(slot, _SAMPLES)) for slot in slots), default=1)

    def _sample(self, way: Template, number: int) -> dict[tuple[str, int], Any]:
        fillings: dict[tuple[str, int], Any] = {}
        for part in way.parts():
            if not isinstance(part, Gap):
                continue
            value: Any = _SAMPLES[number % len(_SAMPLES)]
            if part.slot == "time":
                value = times.Time(int(value) % 12 + 1, 0)
            elif part.slot == "name":
                value = _SAMPLE_NAMES[number % len(_SAMPLE_NAMES)]
            elif part.slot in self.slots:
                rows = self.slots[part.slot]
                row = rows[number % len(rows)]
                value = Match(row, self._sample(row.said(way.language, part.form), number))
            fillings[part.slot, part.place] = value
        return fillings

    # ------------------------------------------------------------ made once

    @cached_property
    def _matchers(self) -> dict[str, tuple[dict[str, dict[bool, Phrase]], list[Matcher]]]:
        made = {}
        for language in LANGUAGES:
            fixed: dict[str, dict[bool, Phrase]] = {}
            open_ones: list[Matcher] = []
            for phrase in self.phrases:
                for way in phrase.ways[language]:
                    if PART.search(way.text):
                        open_ones.append(self._matcher(way, phrase))
                    else:
                        fixed.setdefault(normal(way.text, language), {}).setdefault(_asks(way.text), phrase)
            made[language] = fixed, open_ones
        return made

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], list[Matcher]]:
        return {
            (slot, form, language): [
                self._matcher(way, row) for row in rows for way in row.words[language][form]
            ]
            for slot, rows in self.slots.items()
            for language in LANGUAGES
            for form in forms_of(self._forms[slot], language)
        }  # fmt: skip

    @cached_property
    def _vocabulary(self) -> dict[str, frozenset[str]]:
        ways = {language: [*self._texts(self.phrases, language), *self._row_texts(language)] for language in LANGUAGES}
        return {
            language: frozenset(
                word for text in texts for word in normal(PART.sub(" ", text), language).split() if word.isalpha()
            )
            for language, texts in ways.items()
        }

    @staticmethod
    def _texts(phrases: Iterable[Phrase], language: str) -> Iterator[str]:
        return (way.text for phrase in phrases for way in phrase.ways[language])

    def _row_texts(self, language: str) -> Iterator[str]:
        rows = (row for each in self.slots.values() for row in each)
        return (way.text for row in rows for ways in row.words[language].values() for way in ways)

    def _matcher(self, way: Template, meaning: Any) -> Matcher:
        language = way.language
        gaps: list[Gap] = []
        # Private characters stand for gaps while the text around them is made normal.
        marked, expressions = [], []
        for part in way.parts():
            if isinstance(part, str):
                marked.append(part)
                continue
            if isinstance(part, Gap):
                expressions.append(f"(?P<g{len(gaps)}>{self._expression(part, language)})")
                gaps.append(part)
            else:
                expressions.append(f"(?:{'|'.join(re.escape(normal(word, language)) for word in part)})")
            sign = f"ￚ{len(expressions) - 1:02}ￚ" if language == "zh" else f" zzgap{chr(97 + len(expressions) - 1)} "
            marked.append(sign)
        said = normal("".join(marked).replace("ￚ", "ㄅ"), language)
        literals = re.split(r"zzgap\w|ㄅ\d\dㄅ", said)
        pattern = re.escape(said).replace(r"\ ", " ")
        for number, expression in enumerate(expressions):
            sign = f"ㄅ{number:02}ㄅ" if language == "zh" else f"zzgap{chr(97 + number)}"
            pattern = pattern.replace(sign, expression)
        literal = sum(map(len, literals))
        return Matcher(pattern, max(literals, key=len), tuple(gaps), literal, _asks(way.text), meaning)

    def _expression(self, gap: Gap, language: str) -> str:
        """Return what a slot may hold, as an expression without groups of its own."""
        if gap.slot == "number":
            return NUMBER
        if gap.slot == "time":
            return times.pattern(language)
        if gap.slot == "name":
            return _NAME
        found = (matcher.source for matcher in self._rows[gap.slot, gap.form, language])
        bare = {re.sub(r"\(\?P<\w+>", "(?:", pattern) for pattern in found}
        return "|".join(sorted(bare, key=len, reverse=True))


def _asks(text: str) -> bool:
    """Whether a text is a question: what is one in sound alone is told by its mark."""
    return text.rstrip().endswith(("?", "？"))


def _name(text: str, raw: str, language: str) -> str | None:
    """Return a name as it was written: what is left at the end of `raw`."""
    if language == "zh":
        found = re.search(r"(?:叫|名字是)\s*(.+?)[。.!！\s]*$", raw)
        return found[1] if found else None
    words = re.sub(r"[.!?\s]+$", "", raw).split()
    count = len(text.split())
    return " ".join(words[-count:]).strip(" ,;:\"'") if 0 < count <= _NAME_WORDS else None
