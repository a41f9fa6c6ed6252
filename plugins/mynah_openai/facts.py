"""Finds, in what a persona knows, the facts that a question is about: by names, and by words that are rare."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mynah import Attribute, Fact, Knowledge

ASKED: Final = 100.0
"""The weight of a fact's subject being named in the question."""

NEARBY: Final = 30.0
"""The same of a subject that the conversation, or its place, is about."""

CLOSE: Final = 0.4
"""The part of the best fact's score that another must have to be told along with it."""

LEAST: Final = 3.0
"""The score below which a fact has nothing to do with the question: about that of one rare word."""

# Characters of scripts without spaces count as words.
_UNSPACED: Final = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

EXTREMES: Final = 3
"""How many facts answer a question for the most or the least of something."""


@dataclass(frozen=True, slots=True)
class _Entry:
    subject: str
    attribute: str
    fact: Fact
    words: frozenset[str]

    @property
    def told(self) -> str:
        """The fact, and what may be asked back."""
        ask = self.fact.ask
        return f"{self.fact.say} (To ask back: {ask.say} Right: {ask.answers[0]}.)" if ask else self.fact.say


class FactFinder:
    """An index of one knowledge; takes some milliseconds to build and well under one to ask."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._entries = list(_entries(knowledge))
        self._names = {
            id: [set(words(name)) for name in (*subject.names, id.replace("_", " "))]
            for id, subject in knowledge.subjects.items()
        }
        counts = Counter(word for entry in self._entries for word in entry.words)
        total = len(self._entries) + 1
        self._weights = {word: math.log(total / count) for word, count in counts.items()}

    def find(self, question: str, nearby: Iterable[str], limit: int) -> list[str]:
        """Return facts for `question`, the best first, of `limit` characters in all.

        `nearby` are texts that may name a subject without being the question: the place's context, the last subject.
        """
        asked = self._named(question)
        near = set().union(*(self._named(text) for text in nearby)) - asked
        told = set(words(question))
        scored = [(self._score(entry, told, asked, near), entry.told) for entry in self._entries]
        best = max((score for score, _ in scored), default=0.0)
        close = [pair for pair in scored if pair[0] >= max(best * CLOSE, LEAST)]
        ranked = [say for _, say in sorted(close, key=lambda pair: -pair[0])]
        return _fitting(dict.fromkeys([*self._extremes(told), *ranked]), limit)

    def _extremes(self, told: set[str]) -> Iterable[str]:
        """Yield the facts at the top of the list where a question asks for that, as in "which is the fastest"."""
        for attribute in self.knowledge.attributes.values():
            for superlatives, sign in ((attribute.most, -1), (attribute.least, 1)):
                if any(told >= set(words(superlative)) for superlative in superlatives):
                    ranked = sorted(self._values(attribute.id), key=lambda pair: sign * pair[0])
                    yield from (say for _, say in ranked[:EXTREMES])

    def _values(self, attribute: str) -> list[tuple[float, str]]:
        facts = (entry.fact for entry in self._entries if entry.attribute == attribute)
        return [(fact.value, fact.say) for fact in facts if fact.value is not None]

    def _score(self, entry: _Entry, told: Collection[str], asked: Collection[str], near: Collection[str]) -> float:
        score = ASKED if entry.subject in asked else NEARBY if entry.subject in near else 0.0
        return score + sum(self._weights[word] for word in entry.words.intersection(told))

    def _named(self, text: str) -> set[str]:
        told = set(words(text.replace("_", " ")))
        found = {id: [name for name in names if name and name <= told] for id, names in self._names.items()}
        all_names = [name for names in found.values() for name in names]
        # A red panda is not the panda, which is the giant one.
        return {
            id for id, names in found.items() if any(not any(name < other for other in all_names) for name in names)
        }


def words(text: str) -> list[str]:
    """Return the words of a text for comparison: small letters, plural endings off."""
    return [_stem(word) for word in _WORD.findall(text.casefold())]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _entries(knowledge: Knowledge) -> Iterable[_Entry]:
    asking = {id: frozenset(_asking(attribute)) for id, attribute in knowledge.attributes.items()}
    for subject in knowledge.subjects.values():
        for id, facts in subject.facts.items():
            for fact in facts:
                if fact.tool:  # a language model has the tool itself
                    continue
                yield _Entry(subject.id, id, fact, asking.get(id, frozenset()).union(words(fact.say)))


def _asking(attribute: Attribute) -> list[str]:
    """Return the words by which people ask for facts of this kind."""
    texts: Sequence[str] = (
        attribute.title,
        *attribute.questions,
        *attribute.also,
        *attribute.more,
        *attribute.less,
        *attribute.most,
        *attribute.least,
    )
    return words(re.sub(r"\{\w+\}", " ", " ".join(texts)))


def _fitting(texts: Iterable[str], limit: int) -> list[str]:
    kept: list[str] = []
    for text in texts:
        limit -= len(text) + 3
        if limit < 0:
            break
        kept.append(text)
    return kept
