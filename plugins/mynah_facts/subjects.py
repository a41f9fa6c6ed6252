"""Finds the subjects that a question names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mynah import Knowledge
from mynah_facts.english import ARTICLES, GENERIC
from mynah_facts.words import SLOT, stem, words


@dataclass(frozen=True, slots=True)
class Found:
    """A question: its stems with `SLOT` for each name, and the ids of the subjects named, in order.

    `guessed` tells that a name was misspelt; `general` that it asks about any subject ("which animal").
    """

    stems: tuple[str, ...]
    subjects: tuple[str, ...] = ()
    guessed: bool = False
    general: bool = False


class SubjectFinder:
    """Knows every name of the subjects that are asked for by name."""

    def __init__(self, knowledge: Knowledge, ids: Iterable[str], known: Collection[str]) -> None:
        """`ids` are the subjects to look for; words in `known` are never taken for misspelt names."""
        self._names: dict[tuple[str, ...], str] = {}
        self._known = known
        for id in ids:
            for name in knowledge.subjects[id].names:
                self._names.setdefault(_stems(name), id)
        self._longest = max((len(name) for name in self._names), default=0)
        self._single = sorted(name[0] for name in self._names if len(name) == 1)

    def find(self, spoken: Sequence[str]) -> Found:
        """Find names in the words of a question, the longest first, then misspelt ones."""
        stems = [stem(word) for word in spoken]
        found = self._match(stems)
        if found.subjects or not self._single:
            return found
        mended = [self._mend(word) for word in stems]
        if mended == stems:
            return found
        guess = self._match(mended)
        return Found(guess.stems, guess.subjects, guessed=True, general=guess.general)

    def _match(self, stems: Sequence[str]) -> Found:
        masked: list[str] = []
        names: list[tuple[str, ...]] = []
        general, at = False, 0
        while at < len(stems):
            name = self._at(stems, at)
            if name or stems[at] in GENERIC:
                general = general or not name
                if name:
                    names.append(name)
                add_slot(masked)
            else:
                masked.append(stems[at])
            at += len(name) or 1
        kept = [name for name in names if not any(_within(name, other) for other in names)]
        return Found(tuple(masked), tuple(dict.fromkeys(self._names[name] for name in kept)), general=general)

    def _at(self, stems: Sequence[str], at: int) -> tuple[str, ...]:
        for length in range(min(self._longest, len(stems) - at), 0, -1):
            name = tuple(stems[at : at + length])
            if name in self._names:
                return name
        return ()

    def _mend(self, word: str) -> str:
        if len(word) < 5 or word in self._known:
            return word
        allowed = 1 if len(word) < 9 else 2
        near = (name for name in self._single if name[0] == word[0] and abs(len(name) - len(word)) <= allowed)
        best = min(((_distance(word, name), name) for name in near if len(name) >= 5), default=(allowed + 1, word))
        return best[1] if best[0] <= allowed else word


def add_slot(masked: list[str]) -> None:
    """Add `SLOT`, which takes the article before it along."""
    if masked and masked[-1] in ARTICLES:
        masked.pop()
    masked.append(SLOT)


def _stems(name: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words(name))


def _within(name: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether `name` is the end of a longer name: the bear of "the bear, I mean the polar bear"."""
    return len(name) < len(other) and other[-len(name) :] == name


def _distance(one: str, other: str) -> int:
    """Count the letters to add, drop, change or swap with their neighbour (restricted Damerau-Levenshtein)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i] + [0] * len(other)
        for j, b in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]
