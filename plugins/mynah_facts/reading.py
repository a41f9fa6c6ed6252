"""Reads a question: the subject it names or means, and how well each attribute fits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mynah import Message
from mynah_facts.index import Index
from mynah_facts.subjects import SLOT, Found
from mynah_facts.words import FUNCTION_STEMS, PRONOUNS, STAND_INS, words

# Found by trying on two sets of questions; about 1 is a template, about 0 has nothing to do with it.
FACT_WORDS = 0.2
UNNAMED_BESIDE_NAME = 0.5
ENOUGH = 0.3
ENOUGH_UNNAMED = 0.34
ENOUGH_IMPLIED = 0.45
LOOSE_COST = 0.06
CLAUSE = 0.9
FALLBACK = 0.5
FALLBACK_DECOY = 0.4

_FRAME = re.compile(
    r"^.*?\b(?:wants?|would like|'d like|would love|like|trying|dying|curious) to (?:know|ask|hear|find out)(?: you)?\b[\s,:]*"
    r"|^(?:and )?(?:do|does) (?:you|anyone|anybody) (?:happen to )?know\b(?=\s+(?:what|how|where|when|why|if|whether|who))\s*"
    r"|^.*?\b(?:i wonder|i was wondering|i am wondering|i'm wondering)\b[\s,:]*(?:if|whether)?\s*",
    re.IGNORECASE,
)
_JUST_NAMED = frozenset("and what about how or then so ok okay also but with for the a an is are now well".split())
_LOOK_BACK = 6
_MARKS = re.compile(r"[,;:.!?…—–]\s")
_LEAST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """An attribute that the question may ask for; `subject` is None where nobody has such a fact.

    `stems` are those of the question, or of the clause of it, that ask for it most clearly.
    """

    score: float
    attribute: str
    subject: str | None
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The fact to tell: of a subject and an attribute, one of several by `number` where it was found by its words."""

    subject: str
    attribute: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A question read. `subject` is the one named, or else meant; `before` was read from the question before."""

    spoken: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    clauses: tuple[tuple[str, ...], ...] = ()
    named: tuple[str, ...] = ()
    subject: str | None = None
    previous: str | None = None
    pronoun: bool = False
    general: bool = False
    guessed: bool = False
    unclear: bool = False
    candidates: tuple[Candidate, ...] = ()
    before: Reading | None = None

    def score(self, attribute: str) -> float:
        """Return how well an attribute fits."""
        return max((c.score for c in self.candidates if c.attribute == attribute), default=0.0)


class Reader:
    """Reads questions and chooses what they ask for."""

    def __init__(self, index: Index) -> None:
        self._index = index
        attributes = index.knowledge.attributes
        self._slotted = {id for id, a in attributes.items() if any("{" in question for question in a.questions)}

    def read(self, messages: Sequence[Message], context: Mapping[str, str], depth: int = 0) -> Reading:
        """Read the last message, in the light of those before and of the context."""
        last = messages[-1].content if messages else ""
        text = last if isinstance(last, str) else ""
        spoken = words(_unframed(text))
        found = self._index.finder.find(spoken)
        previous = self._previous(messages[:-1])
        meant = previous or next((value for value in context.values() if value in self._index.named), None)
        pronoun = not PRONOUNS.isdisjoint(spoken)
        subject = found.subjects[0] if found.subjects else None if found.general and not pronoun else meant
        clauses = tuple(self._index.finder.find(part).stems for part in _clauses(text))
        reading = Reading(
            tuple(spoken), found.stems, clauses, found.subjects, subject, previous, pronoun, found.general, found.guessed
        )
        if found.subjects and depth < _LOOK_BACK and set(spoken_beside(found)) <= _JUST_NAMED:
            reading = replace(reading, before=self._before(messages, context, depth))
        ranked = self._candidates(reading)
        best = ranked[0] if ranked else None
        unclear = subject is None and best is not None and self._clear_but_for_its_subject(reading, best)
        return replace(reading, candidates=tuple(ranked), unclear=unclear)

    def choose(self, reading: Reading) -> Choice | None:
        """Return the fact that answers the question, or None where it is better to admit not to know."""
        if reading.before is not None:
            earlier = self.choose(reading.before)
            if earlier and reading.subject and self._has(reading.subject, earlier.attribute):
                return Choice(reading.subject, earlier.attribute)
        best = reading.candidates[0] if reading.candidates else None
        if best and best.subject and self._good_enough(reading, best, best.subject):
            return Choice(best.subject, best.attribute)
        return self._fallback(reading)

    def _candidates(self, reading: Reading) -> list[Candidate]:
        index = self._index
        parts = [(reading.stems, 1.0), *((clause, CLAUSE) for clause in reading.clauses)]
        if reading.pronoun and reading.subject:
            parts += [(tuple(SLOT if s in STAND_INS else s for s in stems), weight) for stems, weight in parts]
        scores: dict[str, tuple[float, tuple[str, ...]]] = {}
        for stems, weight in parts:
            for id, score in index.ranking.scores(stems).items():
                scores[id] = max(scores.get(id, (0.0, stems)), (weight * score, stems), key=lambda each: each[0])
        found = []
        for attribute, (score, stems) in scores.items():
            owner, factor = self._owner(reading, attribute)
            bonus = FACT_WORDS * index.overlap(owner, attribute, reading.stems) if owner else 0.0
            if factor:
                found.append(Candidate((score + bonus) * factor, attribute, owner, stems))
        return sorted(found, key=lambda candidate: -candidate.score)

    def _owner(self, reading: Reading, attribute: str) -> tuple[str | None, float]:
        """Return whose fact an attribute would tell, and how much its score counts."""
        owners = self._index.owners(attribute)
        if attribute in self._index.asked_by_name:
            return (reading.subject if reading.subject in owners else None), 1.0
        if not owners:
            return None, float(not reading.named or attribute in self._slotted)
        return owners[0], UNNAMED_BESIDE_NAME if reading.named else 1.0

    def _good_enough(self, reading: Reading, best: Candidate, subject: str) -> bool:
        loose = self._index.loose(subject, best.attribute, best.stems)
        score = best.score - LOOSE_COST * max(0, len(loose) - 1)
        if best.attribute not in self._index.asked_by_name:
            return best.score * self._explained(best.stems, loose) >= ENOUGH_UNNAMED
        if reading.named:
            return score >= (ENOUGH_IMPLIED if reading.guessed else ENOUGH)
        return best.score >= ENOUGH_IMPLIED and not loose

    def _explained(self, stems: Sequence[str], loose: Sequence[str]) -> float:
        """Return which part of a question is explained, 0 to 1, rare words counting for more."""
        rarity = self._index.ranking.rarity
        total = sum(map(rarity, set(content(stems))))
        return 1.0 - sum(map(rarity, loose)) / total if total else 1.0

    def _fallback(self, reading: Reading) -> Choice | None:
        """Look for a fact that has the question's rare words."""
        refused = max((c.score for c in reading.candidates if c.subject is None), default=0.0)
        if refused >= FALLBACK_DECOY or not (reading.named or reading.pronoun) or reading.subject is None:
            return None
        for subject, attribute, number in self._index.lookup(reading.stems, reading.subject)[:1]:
            if self._index.overlap(subject, attribute, reading.stems) >= FALLBACK:
                return Choice(subject, attribute, number)
        return None

    def _clear_but_for_its_subject(self, reading: Reading, best: Candidate) -> bool:
        known = any(self._index.owners(best.attribute))
        by_name = best.attribute in self._index.asked_by_name
        loose = self._index.loose(None, best.attribute, reading.stems)
        return known and by_name and best.score >= ENOUGH_IMPLIED and not loose

    def _previous(self, messages: Sequence[Message]) -> str | None:
        """Return the subject that was spoken of last and can be asked about by name."""
        for message in reversed(messages[-_LOOK_BACK:]):
            if message.subject in self._index.named:
                return message.subject
        return None

    def _before(self, messages: Sequence[Message], context: Mapping[str, str], depth: int) -> Reading | None:
        asked = [number for number, message in enumerate(messages[:-1]) if message.role == "user"]
        return self.read(messages[: asked[-1] + 1], context, depth + 1) if asked else None

    def _has(self, subject: str, attribute: str) -> bool:
        return attribute in self._index.knowledge.subjects[subject].facts


def spoken_beside(found: Found) -> list[str]:
    """Return the stems of a question beside the names."""
    return [stem for stem in found.stems if stem != SLOT]


def _clauses(text: str) -> list[list[str]]:
    """Return the words of each clause of a question that has several, leaving out the shortest."""
    parts = [words(part) for part in _MARKS.split(text)]
    return [part for part in parts if len(part) >= _LEAST_WORDS] if len(parts) > 1 else []


def content(stems: Sequence[str]) -> list[str]:
    """Return the stems that say what a question is about."""
    return [stem for stem in stems if stem != SLOT and stem not in FUNCTION_STEMS]


def _unframed(text: str) -> str:
    """Drop an opening such as "my son wants to know", unless hardly anything comes after it."""
    rest = _FRAME.sub("", text, count=1)
    return rest if len(rest.split()) > 2 else text
