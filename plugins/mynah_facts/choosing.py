"""Decides whether a reading of a question is good enough to answer it, and with which fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mynah_facts.english import ASKING, DEGREES
from mynah_facts.index import Index
from mynah_facts.reading import Candidate, Reading
from mynah_facts.words import SLOT, content

# Limits of scores: about 1 is a question as the templates have it, about 0 has nothing to do with it. Found by trying
# on questions that visitors ask, on questions about other things, and on those that only seem to be about a subject.
ENOUGH = 0.27
ENOUGH_UNNAMED = 0.34
ENOUGH_UNSURE = 0.45
LOOSE_COST = 0.06
SHARED_WORDS = 0.5
ALL_WORDS = 0.95
TELLING_WORDS = 4.5
REFUSED = 0.4


@dataclass(frozen=True, slots=True)
class Choice:
    """The fact to tell: of a subject and an attribute, one of several by `number` where it was found by its words."""

    subject: str
    attribute: str
    number: int | None = None


class Chooser:
    """Chooses facts. `caution` raises or lowers every score that is asked of an answer."""

    def __init__(self, index: Index, caution: float = 1.0) -> None:
        self._index = index
        self._caution = caution

    def choose(self, reading: Reading) -> Choice | None:
        """Return the fact that answers the question, or None where it is better to admit not to know."""
        if reading.before is not None:
            earlier = self.choose(reading.before)
            if earlier and reading.subject in self._index.owners(earlier.attribute):
                return Choice(str(reading.subject), earlier.attribute)
        if only_names(reading.stems):
            alone = self._index.by_name_alone
            return Choice(reading.named[0], alone) if self._tells(reading, alone) and alone else None
        best = reading.best
        if best and best.subject and self._good_enough(reading, best, best.subject):
            return Choice(best.subject, best.attribute)
        return self._by_words(reading)

    def _tells(self, reading: Reading, attribute: str | None) -> bool:
        return bool(attribute and reading.named and reading.named[0] in self._index.owners(attribute))

    def lacks_subject(self, reading: Reading) -> bool:
        """Tell whether the question is clear but for the subject that it asks about."""
        best = reading.best
        if reading.subject or best is None or best.attribute not in self._index.asked_by_name:
            return False
        loose = self._index.loose(None, best.attribute, reading.stems)
        return bool(self._index.owners(best.attribute)) and best.score >= self._caution * ENOUGH_UNSURE and not loose

    def _good_enough(self, reading: Reading, best: Candidate, subject: str) -> bool:
        loose = self._index.loose(subject, best.attribute, best.stems)
        if asked_for(reading.stems) in loose:
            return False
        if best.attribute not in self._index.asked_by_name:
            return best.score * self._explained(best.stems, loose) >= self._caution * ENOUGH_UNNAMED
        if reading.named:
            score = best.score - LOOSE_COST * max(0, len(loose) - 1)
            return score >= self._caution * (ENOUGH_UNSURE if reading.guessed else ENOUGH)
        return best.score >= self._caution * ENOUGH_UNSURE and not loose

    def _explained(self, stems: Sequence[str], loose: Sequence[str]) -> float:
        """Return which part of a question is explained, 0 to 1, rare words counting for more."""
        rarity = self._index.ranking.rarity
        total = sum(rarity(stem) for stem in content(stems))
        return 1.0 - sum(rarity(stem) for stem in loose) / total if total else 1.0

    def _by_words(self, reading: Reading) -> Choice | None:
        """Look in all facts for one with the question's words, where no attribute fits: "why are flamingos pink"."""
        if self._refusal(reading) >= REFUSED:
            return None
        if reading.subject and (reading.named or reading.pronoun):
            within, share = reading.subject, SHARED_WORDS
        elif reading.general and DEGREES.isdisjoint(reading.spoken):
            within, share = None, ALL_WORDS
        else:
            return None
        for subject, attribute, number in self._index.lookup(reading.stems, within)[:1]:
            telling = within is not None or self._index.weight(reading.stems) >= TELLING_WORDS
            if telling and self._index.overlap(subject, attribute, reading.stems) >= self._caution * share:
                return Choice(subject, attribute, number)
        return None

    def _refusal(self, reading: Reading) -> float:
        """Return how well the best of those attributes fits that nothing is known of."""
        unknown = (c for c in reading.candidates if c.subject is None)
        return max((c.score for c in unknown if reading.subject or not self._index.owners(c.attribute)), default=0.0)


def only_names(stems: Sequence[str]) -> bool:
    """Tell whether a question is nothing but names."""
    return all(stem == SLOT for stem in stems)


def asked_for(stems: Sequence[str]) -> str:
    """Return the stem right after "which", "what" or "how many", the thing a question wants named, or nothing."""
    return next((two for one, two in pairwise(stems) if one in ASKING and content([two])), "")
