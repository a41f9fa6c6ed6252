"""Reads a question: the subjects it names or means, and how well each attribute fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mynah import Message
from mynah_facts import chinese, english
from mynah_facts.index import Index
from mynah_facts.words import SLOT, clauses, unframed, words

# Found by trying, like the limits in choosing.py.
FACT_WORDS = 0.2
UNNAMED_BESIDE_NAME = 0.5
CLAUSE = 0.9

_LOOK_BACK = 6
# The lists of all languages at once: a word tells by its letters whose it is.
_PRONOUNS = english.PRONOUNS | chinese.PRONOUNS
_STAND_INS = english.STAND_INS | chinese.STAND_INS
_JUST_NAMED = english.JUST_NAMED | chinese.JUST_NAMED


@dataclass(frozen=True, slots=True)
class Candidate:
    """An attribute that the question may ask for; `subject` is None where nobody has such a fact.

    `stems` are those of the question, or of the clause of it, that ask for it most clearly.
    """

    score: float
    attribute: str
    subject: str | None
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A question read.

    `named` are the subjects it names; `subject` is the first of them, or the one it may mean, which is the one spoken
    of before (`previous`) or that of the context. `general` asks about any subject, `guessed` names one misspelt.
    `before` is the question before, where this one only names another subject.
    """

    spoken: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    clauses: tuple[tuple[str, ...], ...] = ()
    named: tuple[str, ...] = ()
    subject: str | None = None
    previous: str | None = None
    pronoun: bool = False
    general: bool = False
    guessed: bool = False
    candidates: tuple[Candidate, ...] = ()
    before: Reading | None = None

    @property
    def best(self) -> Candidate | None:
        """The attribute that fits best."""
        return self.candidates[0] if self.candidates else None

    def score(self, attribute: str) -> float:
        """Return how well an attribute fits."""
        return max((c.score for c in self.candidates if c.attribute == attribute), default=0.0)


class Reader:
    """Reads questions."""

    def __init__(self, index: Index) -> None:
        self._index = index
        attributes = index.knowledge.attributes
        self._slotted = {id for id, a in attributes.items() if any("{" in question for question in a.questions)}

    def read(self, messages: Sequence[Message], context: Mapping[str, str], depth: int = 0) -> Reading:
        """Read the last message, in the light of those before and of the context."""
        last = messages[-1].content if messages else ""
        text = last if isinstance(last, str) else ""
        spoken = words(unframed(text))
        found = self._index.finder.find(spoken)
        previous = self._previous(messages[:-1])
        meant = previous or next((subject for value in context.values() if (subject := self._around(value))), None)
        pronoun = not _PRONOUNS.isdisjoint(spoken)
        reading = Reading(
            spoken=tuple(spoken),
            stems=found.stems,
            clauses=tuple(self._index.finder.find(part).stems for part in clauses(text)),
            named=found.subjects,
            subject=found.subjects[0] if found.subjects else None if found.general and not pronoun else meant,
            previous=previous,
            pronoun=pronoun,
            general=found.general,
            guessed=found.guessed,
        )
        if found.subjects and depth < _LOOK_BACK and _JUST_NAMED.issuperset(s for s in found.stems if s != SLOT):
            reading = replace(reading, before=self._before(messages, context, depth))
        return replace(reading, candidates=self._candidates(reading))

    def _candidates(self, reading: Reading) -> tuple[Candidate, ...]:
        """Return every attribute with its score, the best first."""
        found = []
        for attribute, (score, stems) in self._scores(reading).items():
            owner, factor = self._owner(reading, attribute)
            bonus = FACT_WORDS * self._index.overlap(owner, attribute, reading.stems) if owner else 0.0
            if factor:
                found.append(Candidate((score + bonus) * factor, attribute, owner, stems))
        return tuple(sorted(found, key=lambda candidate: -candidate.score))

    def _scores(self, reading: Reading) -> dict[str, tuple[float, tuple[str, ...]]]:
        """Return each attribute's best score over the question and its clauses, and the stems that have it."""
        parts = [(reading.stems, 1.0), *((clause, CLAUSE) for clause in reading.clauses)]
        if reading.pronoun and reading.subject:
            parts += [(tuple(SLOT if s in _STAND_INS else s for s in stems), weight) for stems, weight in parts]
        scores: dict[str, tuple[float, tuple[str, ...]]] = {}
        for stems, weight in parts:
            for id, score in self._index.ranking.scores(stems).items():
                scores[id] = max(scores.get(id, (0.0, stems)), (weight * score, stems), key=lambda each: each[0])
        return scores

    def _owner(self, reading: Reading, attribute: str) -> tuple[str | None, float]:
        """Return whose fact an attribute would tell, and how much its score counts."""
        owners = self._index.owners(attribute)
        if attribute in self._index.asked_by_name:
            return (reading.subject if reading.subject in owners else None), 1.0
        if not owners:
            return None, float(not reading.named or attribute in self._slotted)
        return owners[0], UNNAMED_BESIDE_NAME if reading.named else 1.0

    def _previous(self, messages: Sequence[Message]) -> str | None:
        """Return the subject that was spoken of last and can be asked about by name."""
        return next((m.subject for m in reversed(messages[-_LOOK_BACK:]) if m.subject in self._index.named), None)

    def _around(self, value: str) -> str | None:
        """Return the subject that an entry of the context is, by its id or its name."""
        if value in self._index.named:
            return value
        found = self._index.finder.find(words(value))
        return found.subjects[0] if found.stems == (SLOT,) and not found.guessed else None

    def _before(self, messages: Sequence[Message], context: Mapping[str, str], depth: int) -> Reading | None:
        asked = [number for number, message in enumerate(messages[:-1]) if message.role == "user"]
        return self.read(messages[: asked[-1] + 1], context, depth + 1) if asked else None
