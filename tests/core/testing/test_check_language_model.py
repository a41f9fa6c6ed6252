from __future__ import annotations

import asyncio

import pytest

from mynah import Token


class Parrot:
    """A language model that repeats; subclasses have one defect each."""

    async def reply(self, messages, *, grounding, tools=()):
        words = messages[-1].content.split() if messages else []
        for word in words or ["Hm."]:
            await asyncio.sleep(0.01)
            yield Token(word + " ")


class Dictionary:
    """A translator that changes the language of nothing; subclasses have one defect each."""

    async def translate(self, text, *, source, target):
        for word in text.split():
            await asyncio.sleep(0.01)
            yield word + " "


@pytest.mark.parametrize(("kind", "engine"), [("llm", Parrot()), ("translator", Dictionary())])
def test_an_engine_without_defects_passes(check, kind, engine):
    check(kind, engine)


class Silent(Parrot):
    async def reply(self, messages, *, grounding, tools=()):
        yield Token(" ")


class Strings(Parrot):
    async def reply(self, messages, *, grounding, tools=()):
        yield "hello"


class NeedsWords(Parrot):
    async def reply(self, messages, *, grounding, tools=()):
        words = messages[-1].content.split()
        yield Token(words[0])


class NeedsASystemMessage(Parrot):
    async def reply(self, messages, *, grounding, tools=()):
        system = next(message for message in messages if message.role == "system") if messages[-1].content else ""
        yield Token(f"As you say: {system}")


class Remembers(Parrot):
    """Mixes conversations: it answers the last question anybody asked."""

    async def reply(self, messages, *, grounding, tools=()):
        self.question = messages[-1].content if messages else "Hm."
        await asyncio.sleep(0.01)
        yield Token(self.question or "Hm.")


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (Silent(), "a reply in words: gave no words"),
        (Strings(), "a reply in words: gave str; it gives Token or ToolCall or ReplyNote only"),
        (NeedsASystemMessage(), "no system message: raised RuntimeError"),
        (NeedsWords(), "empty question: raised IndexError"),
        (Remembers(), "two at once: the first of two calls at once gave something else than it gives alone"),
    ],
)
def test_a_language_model_must_answer_whatever_it_is_asked(broken, engine, says):
    assert broken("llm", engine).startswith(f"language model contract: {says}")


class Echo(Dictionary):
    async def translate(self, text, *, source, target):
        yield text or "(nothing)"


class Two(Dictionary):
    async def translate(self, text, *, source, target):
        if {source, target} - {"en", "de"}:
            raise ValueError(target)
        yield text


class Bytes(Dictionary):
    async def translate(self, text, *, source, target):
        yield text.encode()


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (Echo(), "empty text: translated an empty text as '(nothing)'"),
        (Two(), "language unknown: raised ValueError"),
        (Bytes(), "a translation in words: gave bytes; it gives str only"),
    ],
)
def test_a_translator_must_translate_words_and_nothing_else(broken, engine, says):
    assert broken("translator", engine).startswith(f"translator contract: {says}")
