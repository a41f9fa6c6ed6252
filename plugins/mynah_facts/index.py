"""All that is made of one knowledge before questions come: names, ranking, vocabularies and the full-text index."""

from __future__ import annotations

import math
import re
import sqlite3
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from mynah import Attribute, Knowledge
from mynah_facts import chinese, english
from mynah_facts.english import GENERIC
from mynah_facts.ranking import Ranking
from mynah_facts.subjects import SubjectFinder, add_slot
from mynah_facts.words import FUNCTION_STEMS, SLOT, content, stem, words

_PLACEHOLDER = re.compile(r"\{(?:name|a_name|plural)\}(?:['’]s)?")
_CANDIDATES = 3
_STAND_INS = english.STAND_INS | chinese.STAND_INS


class Index:
    """One knowledge, ready to be asked. Building it takes a fraction of a second; using it does not block.

    `asked_by_name` are the attributes whose templates name a subject; the others need none ("where are the toilets").
    `by_name_alone` is the one that is told where a subject is only named: one of its templates is nothing but a name.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        attributes = knowledge.attributes.values()
        self.asked_by_name = frozenset(
            attribute.id
            for attribute in attributes
            if sum(1 for question in attribute.questions if "{" in question) * 2 >= len(attribute.questions) > 0
        )
        self.named = frozenset(
            id for id, subject in knowledge.subjects.items() if not self.asked_by_name.isdisjoint(subject.facts)
        )
        self.vocabulary: dict[str, frozenset[str]] = {}
        self.by_name_alone: str | None = None
        templates: list[tuple[str, Sequence[str]]] = []
        for attribute in attributes:
            by_name = attribute.id in self.asked_by_name
            ways = (*attribute.questions, *attribute.also)
            masked = [mask(question, pronouns=by_name) for question in ways]
            if [SLOT] in masked:
                self.by_name_alone = self.by_name_alone or attribute.id
            masked += [[stem(w) for w in words(word)] for word in _degrees(attribute)]
            templates += [(attribute.id, stems) for stems in masked]
            self.vocabulary[attribute.id] = frozenset(s for stems in masked for s in stems)
        self.ranking = Ranking(templates)
        self._facts = _FactWords(knowledge)
        self.finder = SubjectFinder(knowledge, self.named, self.ranking.vocabulary | FUNCTION_STEMS | self._facts.all)

    def owners(self, attribute: str) -> list[str]:
        """Return the subjects that have a fact of this kind."""
        return self._facts.owners.get(attribute, [])

    def overlap(self, subject: str, attribute: str, stems: Sequence[str]) -> float:
        """Return how much of the question, 0 to 1, the words of the subject's facts of this kind make up by rarity."""
        telling = content(stems)
        if not telling:
            return 0.0
        held = self._facts.words.get((subject, attribute), frozenset())
        return sum(self._facts.rarity(s) for s in telling if s in held) / sum(map(self._facts.rarity, telling))

    def weight(self, stems: Sequence[str]) -> float:
        """Return how rare the words of a question are among the facts, by the sum of their logarithms."""
        return sum(self._facts.rarity(stem) for stem in content(stems))

    def loose(self, subject: str | None, attribute: str, stems: Sequence[str]) -> list[str]:
        """Return the words of a question that neither the templates of `attribute` nor the facts explain."""
        held = self._facts.words.get((subject or "", attribute), frozenset())
        ways = self.vocabulary.get(attribute, frozenset())
        return [s for s in content(stems) if s not in ways and s not in held]

    def lookup(self, stems: Sequence[str], subject: str | None = None) -> list[tuple[str, str, int]]:
        """Return (subject, attribute, number) of the facts that share words with a question, the best by bm25 first."""
        return self._facts.lookup(stems, subject)


class _FactWords:
    """The words of all facts, by fact and in a full-text index."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.words: dict[tuple[str, str], frozenset[str]] = {}
        self.owners: dict[str, list[str]] = defaultdict(list)
        # Built in a worker thread, asked on the loop.
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.execute(
            "CREATE VIRTUAL TABLE facts USING fts5(stems, subject UNINDEXED, attribute UNINDEXED, number UNINDEXED,"
            " tokenize='unicode61 remove_diacritics 0')"
        )
        for id, subject in knowledge.subjects.items():
            for attribute, facts in subject.facts.items():
                self.owners[attribute].append(id)
                stems = [[stem(word) for word in words(fact.say)] for fact in facts]
                self.words[id, attribute] = frozenset(s for each in stems for s in each)
                rows = [(" ".join(each), id, attribute, number) for number, each in enumerate(stems)]
                self._database.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", rows)
        self._counts = Counter(word for held in self.words.values() for word in held)
        self._total = len(self.words) + 1
        self.all = frozenset(self._counts)

    def rarity(self, word: str) -> float:
        return math.log(self._total / (self._counts.get(word, 0) + 0.5))

    def lookup(self, stems: Sequence[str], subject: str | None) -> list[tuple[str, str, int]]:
        telling = content(stems)
        if not telling:
            return []
        terms = " OR ".join(f'"{s}"' for s in telling)
        query = "SELECT subject, attribute, number FROM facts WHERE stems MATCH ?"
        values: tuple[str, ...] = (terms,)
        if subject is not None:
            query, values = f"{query} AND subject = ?", (terms, subject)
        return self._database.execute(f"{query} ORDER BY bm25(facts), rowid LIMIT {_CANDIDATES}", values).fetchall()


def mask(template: str, *, pronouns: bool = False) -> list[str]:
    """Return the stems of a question template, with `SLOT` for its placeholders, and for its pronouns if asked to."""
    masked: list[str] = []
    for word in _PLACEHOLDER.sub(f" {SLOT} ", template).split():
        stems = (SLOT,) if word == SLOT else _stems(word)
        for each in stems:
            if each == SLOT or each in GENERIC or (pronouns and each in _STAND_INS):
                add_slot(masked)
            else:
                masked.append(each)
    return masked


@lru_cache(maxsize=4096)
def _stems(word: str) -> tuple[str, ...]:
    """Return the stems of a word of a template; the same few words come again and again."""
    return tuple(stem(part) for part in words(word))


def _degrees(attribute: Attribute) -> Iterable[str]:
    return (*attribute.more, *attribute.less, *attribute.most, *attribute.least)
