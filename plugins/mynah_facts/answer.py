"""From a conversation to an answer: what the last question is about, what it asks, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mynah import Fact, Grounding, Message, Subject
from mynah_facts import wording
from mynah_facts.choosing import Chooser, only_names
from mynah_facts.compare import Comparisons
from mynah_facts.english import QUESTION_WORDS
from mynah_facts.index import Index
from mynah_facts.reading import Reader, Reading

_BEGINNING = 24
_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say, whether it is an answer, and the subject it is about, for the next question."""

    text: str
    known: bool = False
    subject: str = ""


class Answerer:
    """Answers from one knowledge. Plain computation of about a millisecond, without any waiting; keeps no state."""

    def __init__(self, index: Index, caution: float = 1.0) -> None:
        self._knowledge = index.knowledge
        self._index = index
        self._reader = Reader(index)
        self._chooser = Chooser(index, caution)
        self._comparisons = Comparisons(index)

    def answer(self, messages: Sequence[Message], grounding: Grounding) -> Answer:
        """Answer the last of `messages`; those before and the context tell what "it" may be."""
        reading = self._reader.read(messages, grounding.context)
        if not reading.stems:
            return Answer(wording.NOTHING_ASKED)
        said = self._comparisons.answer(reading)
        if said:
            text, subject = said
            return Answer(text, True, subject)
        choice = self._chooser.choose(reading)
        if choice is None:
            return self._unknown(reading, len(messages), grounding)
        subjects = [choice.subject]
        if choice.subject in reading.named[:2]:
            subjects = self._comparisons.together(reading, choice.attribute) or subjects
        said_so = [self._fact(id, choice.attribute, choice.number, messages).say for id in subjects]
        return Answer(" ".join(dict.fromkeys(said_so)), True, choice.subject)

    def _fact(self, subject: str, attribute: str, number: int | None, messages: Sequence[Message]) -> Fact:
        """Return one of the facts: the one that was found, or the one after those told before."""
        facts = self._knowledge.subjects[subject].facts[attribute]
        if number is not None or len(facts) == 1:
            return facts[number or 0]
        told = sum(
            1
            for message in messages
            if message.role == "assistant"
            and isinstance(message.content, str)
            and any(message.content.startswith(fact.say[:_BEGINNING]) for fact in facts)
        )
        return facts[told % len(facts)]

    def _unknown(self, reading: Reading, turn: int, grounding: Grounding) -> Answer:
        """Say in the persona's words that this is not known; in English, also what could be asked instead."""
        sorry = grounding.unknown or wording.UNKNOWN
        if not grounding.language.lower().startswith("en"):
            return Answer(sorry)
        meant = reading.pronoun and reading.best is not None and reading.best.attribute in self._index.asked_by_name
        if reading.subject and (reading.named or meant):
            subject = self._knowledge.subjects[reading.subject]
            say = wording.what_about if only_names(reading.stems) else wording.unknown_about
            return Answer(say(subject, self._topics(subject, turn)), subject=subject.id)
        if self._chooser.lacks_subject(reading):
            return Answer(wording.which_one(self._some(turn).plural))
        return Answer(wording.unknown(sorry, self._example(turn)))

    def _topics(self, subject: Subject, turn: int) -> list[str]:
        known = [a for a in self._knowledge.attributes if a in subject.facts and a in self._index.asked_by_name]
        return [
            self._knowledge.attributes[known[(turn + i) % len(known)]].title for i in range(min(_TOPICS, len(known)))
        ]

    def _some(self, turn: int) -> Subject:
        ids = sorted(self._index.named)
        return self._knowledge.subjects[ids[turn % len(ids)]]

    def _example(self, turn: int) -> str:
        """Return a question that can be answered, another one each time, or nothing."""
        if not self._index.named:
            return ""
        subject = self._some(turn)
        known = [a for a in subject.facts if a in self._index.asked_by_name]
        ways = [q for q in self._knowledge.attributes[known[turn % len(known)]].questions if "{plural}" in q]
        if not ways:
            return ""
        return ways[0].replace("{plural}", subject.plural) + ("?" if ways[0].split()[0] in QUESTION_WORDS else ".")
