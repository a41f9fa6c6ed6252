"""From a conversation to an answer: what the last question is about, what it asks, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mynah import Fact, Grounding, Message, Subject
from mynah_facts.asking import Asking
from mynah_facts.choosing import Chooser, only_names
from mynah_facts.compare import Comparisons
from mynah_facts.index import Index
from mynah_facts.reading import Reader, Reading
from mynah_facts.wording import wording

_BEGINNING = 24
_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say, whether it is an answer, and the subject it is about, for the next question.

    Where a `tool` is named the text has slots for what that tool tells.
    """

    text: str
    known: bool = False
    subject: str = ""
    tool: str = ""


class Answerer:
    """Answers from one knowledge. Plain computation of about a millisecond, without any waiting; keeps no state."""

    def __init__(self, index: Index, caution: float = 1.0) -> None:
        self._knowledge = index.knowledge
        self._index = index
        self._reader = Reader(index)
        self._chooser = Chooser(index, caution)
        self._comparisons = Comparisons(index)
        self._asking = Asking(index.knowledge)
        self._wording = wording(index.knowledge.language)

    def answer(self, messages: Sequence[Message], grounding: Grounding) -> Answer:
        """Answer the last of `messages`; those before and the context tell what "it" may be."""
        reading = self._reader.read(messages, grounding.context)
        if not reading.stems:
            return Answer(self._wording.nothing_asked)
        said_so = self._answered(messages)
        return said_so or self._asked(messages, reading, grounding)

    def _answered(self, messages: Sequence[Message]) -> Answer | None:
        """Return what is said where the listener answers a question, or gives it up."""
        asked, said = self._asking.open(messages), messages[-1].content
        if asked is None or not isinstance(said, str):
            return None
        verdict = self._asking.verdict(said, asked)
        if verdict not in ("right", "given_up"):
            return None
        return Answer(self._asking.reply(verdict, asked, messages), True, asked.subject)

    def _asked(self, messages: Sequence[Message], reading: Reading, grounding: Grounding) -> Answer:
        said = self._comparisons.answer(reading)
        if said:
            text, subject = said
            return Answer(text, True, subject)
        choice = None if self._names_what_was_asked(messages, reading) else self._chooser.choose(reading)
        if choice is None:
            return self._wrong(messages) or self._unknown(reading, len(messages), grounding)
        subjects = [choice.subject]
        if choice.subject in reading.named[:2]:
            subjects = self._comparisons.together(reading, choice.attribute) or subjects
        facts = [self._fact(id, choice.attribute, choice.number, messages) for id in subjects]
        told = [*dict.fromkeys(fact.say for fact in facts), *(fact.ask.say for fact in facts[-1:] if fact.ask)]
        return Answer(self._wording.joined(told), True, choice.subject, facts[0].tool)

    def _names_what_was_asked(self, messages: Sequence[Message], reading: Reading) -> bool:
        """Tell whether an answer is but a name of what the question was about, which is no request to hear of it."""
        asked = self._asking.open(messages) if only_names(reading.stems) else None
        return asked is not None and reading.named[:1] == (asked.subject,)

    def _wrong(self, messages: Sequence[Message]) -> Answer | None:
        """Return what is said to something that is no question, where the listener was asked one: it is not right."""
        asked, said = self._asking.open(messages), messages[-1].content
        if asked is None or not isinstance(said, str) or self._asking.verdict(said, asked) != "wrong":
            return None
        return Answer(self._asking.reply("wrong", asked, messages), True, asked.subject)

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
        """Say in the persona's words that this is not known; in the knowledge's language, also what to ask instead."""
        sorry = grounding.unknown or self._wording.unknown_alone
        if _primary(grounding.language) != _primary(self._knowledge.language or "en"):
            return Answer(sorry)
        meant = reading.pronoun and reading.best is not None and reading.best.attribute in self._index.asked_by_name
        if reading.subject and (reading.named or meant):
            subject = self._knowledge.subjects[reading.subject]
            say = self._wording.what_about if only_names(reading.stems) else self._wording.unknown_about
            return Answer(say(subject, self._topics(subject, turn)), subject=subject.id)
        if self._chooser.lacks_subject(reading):
            return Answer(self._wording.which_one(self._some(turn).plural))
        return Answer(self._wording.unknown(sorry, self._example(turn)))

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
        return ways[0].replace("{plural}", subject.plural)


def filled(answer: Answer, told: str, grounding: Grounding) -> Answer:
    """Return an answer with what its tool `told`, as JSON, in its slots; an apology where that does not fill them."""
    try:
        text = answer.text.format_map(json.loads(told))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return Answer(grounding.unknown or wording(grounding.language).unknown_alone)
    return replace(answer, text=text)


def _primary(tag: str) -> str:
    return tag.lower().split("-")[0]
