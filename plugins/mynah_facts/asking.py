"""Questions that were put to the listener: which is open, whether what is said answers it, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mynah import Knowledge, Message, Question
from mynah_facts.chinese import ASKS
from mynah_facts.english import QUESTION_WORDS
from mynah_facts.numerals import normal
from mynah_facts.wording import wording
from mynah_facts.words import words

Verdict = Literal["right", "wrong", "given_up", "no_answer"]

_GIVE_UP = frozenset(
    tuple(words(text))
    for text in (
        "I don't know", "I do not know that", "no idea", "I have no idea", "I give up", "tell me", "please tell me",
        "tell me the answer", "what is the answer", "what's the right answer", "I'm not sure", "not sure", "no",
        "不知道", "我不知道", "不会", "我不会", "不清楚", "我不确定", "放弃", "告诉我",
        "告诉我答案", "请告诉我答案", "答案是什么",
    )
)  # fmt: skip
_NOT = frozenset({"not", "不"})
_MOST_WORDS = 12
_PATIENCE = 2


@dataclass(frozen=True, slots=True)
class Open:
    """A question that the listener was asked last, of a subject; `times` it was asked in a row."""

    subject: str
    question: Question
    times: int


class Asking:
    """Knows every question that the facts of a knowledge ask."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._say = wording(knowledge.language)
        self._asked = {
            fact.ask.say: (subject.id, fact.ask)
            for subject in knowledge.subjects.values()
            for facts in subject.facts.values()
            for fact in facts
            if fact.ask
        }

    def open(self, messages: Sequence[Message]) -> Open | None:
        """Return the question with which the last reply ended, if it did with one."""
        replies = [m.content for m in messages if m.role == "assistant" and isinstance(m.content, str)]
        last = replies[-1].rstrip() if replies else ""
        say = next((say for say in self._asked if last.endswith(say)), None)
        if say is None:
            return None
        subject, question = self._asked[say]
        times = next((n for n, reply in enumerate(reversed(replies)) if not reply.rstrip().endswith(say)), len(replies))
        return Open(subject, question, times)

    def verdict(self, said: str, asked: Open) -> Verdict:
        """Return what `said` is to an open question; "no_answer" for what looks like a question of its own."""
        spoken = words(said)
        if tuple(spoken) in _GIVE_UP:
            return "given_up"
        if any(_is(said, answer) for answer in asked.question.answers):
            return "right"
        asks = bool(spoken) and (
            spoken[0] in QUESTION_WORDS or not ASKS.isdisjoint(spoken) or said.endswith(("?", "？"))
        )
        return "no_answer" if asks or not spoken or len(spoken) > _MOST_WORDS else "wrong"

    def reply(self, verdict: Verdict, asked: Open, messages: Sequence[Message]) -> str:
        """Return what is said to an answer: praise, or a hint and the question again, or at last the answer."""
        say, question = self._say, asked.question
        turn = len(messages) // 2
        if verdict == "right":
            return say.joined([say.right[turn % len(say.right)], self._next(asked, messages)])
        if verdict == "wrong" and asked.times < _PATIENCE:
            return say.joined([say.not_quite[turn % len(say.not_quite)], question.hint, question.say])
        return say.joined([say.answer_is(question.answers[0]), question.hint, self._next(asked, messages)])

    def _next(self, asked: Open, messages: Sequence[Message]) -> str:
        """Return another question about the same subject that was not asked yet."""
        told = [m.content for m in messages if m.role == "assistant" and isinstance(m.content, str)]
        own = (say for say, (subject, _) in self._asked.items() if subject == asked.subject)
        fresh = next((say for say in own if not any(say in text for text in told)), None)
        return fresh or self._say.no_more(self._knowledge.subjects[asked.subject])


def _is(said: str, answer: str) -> bool:
    """Tell whether `said` holds an answer. Of several numbers the last is meant: "three fours are twelve"."""
    told, wanted = normal(said), normal(answer)
    if not wanted or not (_NOT.isdisjoint(told) or not _NOT.isdisjoint(wanted)):
        return False
    if len(wanted) == 1 and wanted[0].isdigit():
        numbers = [word for word in told if word.isdigit()]
        return numbers[-1:] == wanted
    return any(told[at : at + len(wanted)] == wanted for at in range(len(told) - len(wanted) + 1))
