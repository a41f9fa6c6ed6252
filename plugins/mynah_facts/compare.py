"""Comparisons and superlatives, from the values of facts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from mynah import Fact, Subject
from mynah_facts.english import ASKS_FOR_ONE, ASKS_YES_OR_NO, JOINED, SCOPE
from mynah_facts.index import Index
from mynah_facts.reading import Reading
from mynah_facts.wording import wording
from mynah_facts.words import content, stem

_SCOPE = frozenset(map(stem, SCOPE))
_AT_LEAST = 0.1
_REFUSED = 0.6
_WINNERS = 2


class _Degree(NamedTuple):
    attribute: str
    sign: Literal[1, -1]


class Comparisons:
    """Knows the words of comparison of every attribute."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._wording = wording(index.knowledge.language)
        self._pair: dict[str, list[_Degree]] = defaultdict(list)
        self._all: dict[str, list[_Degree]] = defaultdict(list)
        self._kinds = {stem(s.kind): s.kind for s in index.knowledge.subjects.values() if s.kind}
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
        found = self._degree(reading, self._all) if self._asks_for_one_of_all(reading) else None
        return self._best(reading, *found) if found else None

    def together(self, reading: Reading, attribute: str) -> list[str]:
        """Return the two subjects that a question names side by side, or nothing: "what do lions and tigers eat"."""
        pair = reading.named[:2]
        known = len(pair) == 2 and all(self._facts(id, attribute) for id in pair)
        comparable = bool(self._index.knowledge.attributes[attribute].more)
        return list(pair) if known and (comparable or not JOINED.isdisjoint(reading.spoken)) else []

    def _compared(self, reading: Reading) -> tuple[str, str] | None:
        if len(reading.named) >= 2:
            return reading.named[0], reading.named[1]
        if len(reading.named) == 1 and reading.pronoun and reading.previous not in (None, reading.named[0]):
            return str(reading.previous), reading.named[0]
        return None

    def _asks_for_one_of_all(self, reading: Reading) -> bool:
        if reading.named:
            return False
        return reading.general or not reading.pronoun or not ASKS_FOR_ONE.isdisjoint(reading.spoken)

    def _degree(self, reading: Reading, degrees: Mapping[str, Sequence[_Degree]]) -> tuple[str, _Degree] | None:
        """Return the word of comparison and the attribute it compares here, or None where another topic is asked.

        The word is empty where it may compare several attributes ("longer", "more"): it tells nothing by itself, and
        the rest of the question has to.
        """
        found = [(word, degree) for word in reading.spoken for degree in degrees.get(word, ())]
        if not found:
            return None
        word, degree = max(found, key=lambda each: reading.score(each[1].attribute))
        score = reading.score(degree.attribute)
        others = max((c.score for c in reading.candidates if not self._index.owners(c.attribute)), default=0.0)
        plain = len(degrees[word]) == 1
        if others > max(score, _REFUSED) or (not plain and (score < _AT_LEAST or self._loose(reading, degree))):
            return None
        return (word if plain else ""), degree

    def _two(self, reading: Reading, pair: tuple[str, str], word: str, degree: _Degree) -> tuple[str, str] | None:
        one, other = (self._facts(id, degree.attribute) for id in pair)
        if not one or not other:
            return None
        says = self._wording.joined([one[0].say, other[0].say])
        if one[0].value is None or other[0].value is None or one[0].unit != other[0].unit:
            return says, pair[0]
        ahead = (one[0].value - other[0].value) * degree.sign
        if ahead == 0:
            return self._wording.joined([self._wording.same, says]), pair[0]
        winner, loser = (self._subject(id) for id in (pair if ahead > 0 else pair[::-1]))
        yes_or_no = reading.spoken[0] in ASKS_YES_OR_NO and "than" in reading.spoken
        verdict = self._wording.comparison(winner, word, loser, asked=ahead > 0 if yes_or_no else None)
        return self._wording.joined([verdict, says]), winner.id

    def _best(self, reading: Reading, word: str, degree: _Degree) -> tuple[str, str] | None:
        kind = next((self._kinds[stem] for stem in reading.stems if stem in self._kinds), "")
        rest = set(content(reading.stems)) - _SCOPE - self._kinds.keys() - {stem(word)}
        if rest if word else not (reading.general or kind):
            return None
        measured = self._measured(degree.attribute, kind)
        if not measured:
            return None
        most = max(degree.sign * value for value, _ in measured.values())
        winners = [id for id, (value, _) in measured.items() if degree.sign * value == most][:_WINNERS]
        says = self._wording.joined([measured[id][1].say for id in winners])
        verdict = self._wording.superlative([self._subject(id) for id in winners], word, kind)
        return self._wording.joined([verdict, says]), winners[0]

    def _loose(self, reading: Reading, degree: _Degree) -> set[str]:
        return set(self._index.loose(None, degree.attribute, reading.stems)) - _SCOPE - self._kinds.keys()

    def _measured(self, attribute: str, kind: str) -> dict[str, tuple[float, Fact]]:
        """Return what has a value, in the unit that most have, by subject."""
        facts = {id: self._facts(id, attribute)[0] for id in self._index.owners(attribute)}
        units = Counter(fact.unit for fact in facts.values() if fact.value is not None)
        usual = units.most_common(1)[0][0] if units else ""
        return {
            id: (fact.value, fact)
            for id, fact in facts.items()
            if fact.value is not None and fact.unit == usual and (not kind or self._subject(id).kind == kind)
        }

    def _facts(self, subject: str, attribute: str) -> tuple[Fact, ...]:
        return self._subject(subject).facts.get(attribute, ())

    def _subject(self, id: str) -> Subject:
        return self._index.knowledge.subjects[id]
