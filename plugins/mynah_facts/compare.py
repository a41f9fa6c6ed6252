"""Comparisons and superlatives, from the values of facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

from mynah import Fact, Subject
from mynah_facts import wording
from mynah_facts.index import Index
from mynah_facts.reading import Reading
from mynah_facts.words import stem

_ASKS_YES_OR_NO = frozenset("is are was does do can could would will has have".split())
_SCOPE = frozenset(stem(word) for word in "zoo world earth planet here all known one kind sort".split())
_JOINED = frozenset(("and", "or"))
_AT_LEAST = 0.1


class _Degree(NamedTuple):
    attribute: str
    sign: Literal[1, -1]


class Comparisons:
    """Knows the words of comparison of every attribute."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._pair: dict[str, list[_Degree]] = defaultdict(list)
        self._all: dict[str, list[_Degree]] = defaultdict(list)
        for id, attribute in index.knowledge.attributes.items():
            for word in (*attribute.more, *attribute.less):
                self._pair[word].append(_Degree(id, 1 if word in attribute.more else -1))
            for word in (*attribute.most, *attribute.least):
                self._all[word].append(_Degree(id, 1 if word in attribute.most else -1))

    def answer(self, reading: Reading) -> tuple[str, str] | None:
        """Return the comparison that was asked for and the subject that wins it, or None if none was."""
        pair = self._compared(reading)
        found = self._degree(reading, self._pair) if pair else None
        if pair and found:
            return self._two(reading, pair, *found)
        found = None if reading.named else self._degree(reading, self._all)
        return self._best(reading, *found) if found else None

    def together(self, reading: Reading, attribute: str) -> list[str]:
        """Return the two subjects that a question names side by side, or nothing: "what do lions and tigers eat"."""
        pair = reading.named[:2]
        known = len(pair) == 2 and all(self._facts(id, attribute) for id in pair)
        comparable = bool(self._index.knowledge.attributes[attribute].more)
        return list(pair) if known and (comparable or not _JOINED.isdisjoint(reading.spoken)) else []

    def _compared(self, reading: Reading) -> tuple[str, str] | None:
        if len(reading.named) >= 2:
            return reading.named[0], reading.named[1]
        if len(reading.named) == 1 and reading.pronoun and reading.previous not in (None, reading.named[0]):
            return str(reading.previous), reading.named[0]
        return None

    def _degree(self, reading: Reading, degrees: dict[str, list[_Degree]]) -> tuple[str, _Degree] | None:
        """Return the word of comparison and the attribute it compares here, or None where another topic is asked."""
        found = [(word, degree) for word in reading.spoken for degree in degrees.get(word, ())]
        if not found:
            return None
        word, degree = max(found, key=lambda each: reading.score(each[1].attribute))
        score = reading.score(degree.attribute)
        refused = max((c.score for c in reading.candidates if c.subject is None and not self._index.owners(c.attribute)), default=0.0)
        return (word, degree) if score >= _AT_LEAST and score >= refused else None

    def _two(self, reading: Reading, pair: tuple[str, str], word: str, degree: _Degree) -> tuple[str, str] | None:
        one, other = (self._facts(id, degree.attribute) for id in pair)
        if not one or not other:
            return None
        says = f"{one[0].say} {other[0].say}"
        if one[0].value is None or other[0].value is None or one[0].unit != other[0].unit:
            return says, pair[0]
        ahead = (one[0].value - other[0].value) * degree.sign
        if ahead == 0:
            return f"{wording.SAME} {says}", pair[0]
        winner, loser = (self._subject(id) for id in (pair if ahead > 0 else pair[::-1]))
        yes_or_no = reading.spoken[0] in _ASKS_YES_OR_NO and "than" in reading.spoken
        verdict = wording.comparison(winner, word, loser, asked=ahead > 0 if yes_or_no else None)
        return f"{verdict} {says}", winner.id

    def _best(self, reading: Reading, word: str, degree: _Degree) -> tuple[str, str] | None:
        kinds = {stem(s.kind): s.kind for s in self._index.knowledge.subjects.values() if s.kind}
        kind = next((kinds[s] for s in reading.stems if s in kinds), "")
        if not (reading.general or kind or "which" in reading.spoken):
            return None
        loose = set(self._index.loose(None, degree.attribute, reading.stems)) - _SCOPE - kinds.keys()
        if loose:
            return None
        ranked = sorted(self._measured(degree.attribute, kind), key=lambda each: -degree.sign * (each[1].value or 0))
        if not ranked:
            return None
        subject, fact = ranked[0]
        return f"{wording.superlative(word, kind, subject)} {fact.say}", subject.id

    def _measured(self, attribute: str, kind: str) -> Iterable[tuple[Subject, Fact]]:
        """Yield what has a value, in the unit that most have."""
        found = [
            (self._subject(id), facts[0])
            for id in self._index.owners(attribute)
            if (facts := self._facts(id, attribute)) and facts[0].value is not None
        ]
        units = [fact.unit for _, fact in found]
        usual = max(units, key=units.count, default="")
        return [(s, fact) for s, fact in found if fact.unit == usual and (not kind or s.kind == kind)]

    def _facts(self, subject: str, attribute: str) -> tuple[Fact, ...]:
        return self._subject(subject).facts.get(attribute, ())

    def _subject(self, id: str) -> Subject:
        return self._index.knowledge.subjects[id]
