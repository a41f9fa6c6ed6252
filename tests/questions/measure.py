"""Asks the zoo guide a set of questions as text, and counts.

    python tests/questions/measure.py tests/questions/first.yaml [--exhibit lion]

A set has four groups. `ordinary` and `free` (freely worded) questions are right when the reply holds the fact that is
meant. `other` (other topics) and `near` (about an animal or the zoo, but nobody has written such a fact) are right when
the guide says that it does not know.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import yaml

from mynah import Grounding, Knowledge, LanguageModel, Message, ReplyNote, Token
from mynah.conversation.persona import Persona
from mynah_facts import mynah_engines
from mynah_zoo_guide import mynah_personas

HAVE_ANSWERS = ("ordinary", "free")
HAVE_NONE = ("other", "near")


@dataclass(frozen=True)
class Question:
    """A question, and which fact answers it: `topic` (or any of several) of the subject `about`, or neither."""

    ask: str
    group: str
    about: str = ""
    topic: str | list[str] = ""


@dataclass(frozen=True)
class Result:
    """What came of a question. `hit` tells that a fact was told, and where one exists, that it was the right one."""

    question: Question
    reply: str
    answered: bool
    hit: bool
    ms: float


def load(file: Path) -> list[Question]:
    """Read a set of questions."""
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [
        Question(group=group, **(entry if isinstance(entry, dict) else {"ask": entry}))
        for group, entries in groups.items()
        for entry in entries
    ]


async def ask(
    engine: LanguageModel, knowledge: Knowledge, question: Question, context: Mapping[str, str] | None = None
) -> Result:
    """Put one question to an engine, as the first of a conversation."""
    grounding = Grounding("zoo_guide", "en", knowledge, context or {})
    started, words, note = time.perf_counter(), "", ReplyNote()
    async with aclosing(engine.reply([Message("user", question.ask)], grounding=grounding)) as outputs:
        async for output in outputs:
            words += output.text if isinstance(output, Token) else ""
            note = output if isinstance(output, ReplyNote) else note
    ms = (time.perf_counter() - started) * 1000
    answered = note.outcome == "answered"
    return Result(question, words, answered, answered and is_right(knowledge, question, words), ms)


def is_right(knowledge: Knowledge, question: Question, reply: str) -> bool:
    """Tell whether a reply holds a fact that is meant; where none is, any answer counts."""
    if question.group in HAVE_NONE:
        return True
    topics = [question.topic] if isinstance(question.topic, str) else question.topic
    return any(fact.say in reply for topic in topics for fact in knowledge.subjects[question.about].facts[topic])


async def measure(questions: Sequence[Question], context: Mapping[str, str] | None = None) -> list[Result]:
    """Ask the embedded answerer, with the zoo guide's knowledge, every question on its own."""
    [spec], [persona] = mynah_engines(), mynah_personas()
    knowledge = Persona(persona).knowledge
    async with spec.open({}, Path()) as engine:
        await ask(engine, knowledge, Question("hello", "free", "guide", "hello"))
        return [await ask(engine, knowledge, question, context) for question in questions]


def hits(results: Sequence[Result]) -> dict[str, int]:
    """Count by group: right answers where there is one, answers given where there is none."""
    groups = dict.fromkeys(result.question.group for result in results)
    return {group: sum(r.hit for r in results if r.question.group == group) for group in groups}


def report(results: Sequence[Result]) -> list[str]:
    """Return the counts, with every question that went wrong and what was said."""
    lines = []
    for group, count in hits(results).items():
        those = [result for result in results if result.question.group == group]
        verb = "right" if group in HAVE_ANSWERS else "answered, though nobody knows"
        lines.append(f"{group}: {count} of {len(those)} {verb}")
        for result in those:
            if result.hit == (group in HAVE_NONE):
                question = result.question
                meant = f" ({question.about}, {question.topic})" if question.topic else ""
                lines.append(f"  {question.ask}{meant}\n    → {result.reply}")
    times = sorted(result.ms for result in results)
    lines.append(f"{times[len(times) // 2]:.2f} ms a question (median), {times[-1]:.2f} ms at most")
    return lines


def main() -> None:
    """Measure the sets named on the command line."""
    parser = argparse.ArgumentParser(description="Count what the zoo guide can answer.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--exhibit", help="the animal that the visitors stand at")
    arguments = parser.parse_args()
    context = {"exhibit": arguments.exhibit} if arguments.exhibit else {}
    for file in arguments.files:
        print(file)
        print("\n".join(report(asyncio.run(measure(load(file), context)))))


if __name__ == "__main__":
    main()
