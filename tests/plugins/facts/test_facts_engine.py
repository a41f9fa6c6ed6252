import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
import voluptuous as vol

from mynah import (
    AudioClip,
    AudioFormat,
    EngineError,
    Grounding,
    Hints,
    Knowledge,
    LanguageModel,
    Message,
    ReplyNote,
    Token,
)
from mynah.testing.contracts import check_language_model
from mynah_facts import engine as engine_module
from mynah_facts import mynah_engines
from mynah_facts.answer import Answerer
from mynah_facts.config import SCHEMA
from mynah_facts.engine import FactsEngine, open_facts
from mynah_facts.index import Index


@pytest.fixture
async def engine():
    async with open_facts({}, Path()) as engine:
        yield engine


async def reply(engine, knowledge, *said):
    outputs = []
    grounding = Grounding(knowledge=knowledge)
    messages = [message if isinstance(message, Message) else Message("user", message) for message in said]
    async with aclosing(engine.reply(messages, grounding=grounding)) as stream:
        async for output in stream:
            outputs.append(output)
    return outputs


def text(outputs):
    return "".join(output.text for output in outputs if isinstance(output, Token))


async def test_keeps_the_contract_of_language_models(small):
    [spec] = mynah_engines()
    questions = ("What do owls eat?", "What do hens eat?")
    await check_language_model(spec, questions=questions, grounding=Grounding(knowledge=small))


def test_is_the_embedded_language_model():
    [spec] = mynah_engines()
    assert (spec.name, spec.kind, spec.embedded) == ("facts", "llm", True)
    assert isinstance(FactsEngine(), LanguageModel)


async def test_a_reply_comes_word_by_word_after_one_note(engine, small):
    outputs = await reply(engine, small, "what do owls eat")
    assert outputs == [ReplyNote("answered", "owl"), Token("Owls"), Token(" eat"), Token(" mice.")]


async def test_the_note_tells_that_something_is_not_known(engine, small):
    assert (await reply(engine, small, "how do i bake bread"))[0] == ReplyNote("unknown", "")
    assert (await reply(engine, small, "who is the keeper of the owls"))[0] == ReplyNote("unknown", "owl")


async def test_follow_ups_use_the_subject_of_earlier_messages(engine, small):
    earlier = (Message("user", "what do owls eat"), Message("assistant", "Owls eat mice.", subject="owl"))
    assert text(await reply(engine, small, *earlier, "how heavy is it")) == "Two."


async def test_two_questions_at_once_are_answered_apart(engine, small):
    both = await asyncio.gather(reply(engine, small, "what do owls eat"), reply(engine, small, "what do hens eat"))
    assert [text(outputs) for outputs in both] == ["Owls eat mice.", "Hens eat corn."]


async def test_a_reply_can_be_stopped_after_any_word(engine, small):
    async with aclosing(
        engine.reply([Message("user", "what do owls eat")], grounding=Grounding(knowledge=small))
    ) as stream:
        assert [await anext(stream), await anext(stream)] == [ReplyNote("answered", "owl"), Token("Owls")]
    assert text(await reply(engine, small, "what do owls eat")) == "Owls eat mice."


async def test_cancelling_the_first_question_does_not_spoil_the_next(engine, small):
    first = asyncio.create_task(reply(engine, small, "what do owls eat"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert text(await reply(engine, small, "what do hens eat")) == "Hens eat corn."


@pytest.fixture
def built(monkeypatch):
    """Every knowledge that is prepared, in order."""
    built = []

    def build(knowledge):
        built.append(knowledge)
        return Index(knowledge)

    monkeypatch.setattr(engine_module, "Index", build)
    return built


async def test_a_knowledge_is_prepared_once(engine, small, built):
    await engine.warm_up(Grounding(knowledge=small), Hints())
    await asyncio.gather(*(reply(engine, small, "what do owls eat") for _ in range(3)))
    assert built == [small]


async def test_only_the_latest_knowledges_are_kept(engine, small, built, monkeypatch):
    monkeypatch.setattr(engine_module, "_KEPT", 2)
    first, second, third = (Knowledge(small.subjects, small.attributes) for _ in range(3))
    for knowledge in (first, second, first, third, first, second):
        await engine.warm_up(Grounding(knowledge=knowledge), Hints())
    assert [id(knowledge) for knowledge in built] == [id(k) for k in (first, second, third, second)]


async def test_a_failure_to_prepare_is_tried_again(engine, small, monkeypatch):
    def broken(knowledge):
        raise RuntimeError("no memory")

    monkeypatch.setattr(engine_module, "Index", broken)
    with pytest.raises(RuntimeError):
        await reply(engine, small, "what do owls eat")
    monkeypatch.setattr(engine_module, "Index", Index)
    assert text(await reply(engine, small, "what do owls eat")) == "Owls eat mice."


async def test_a_question_as_audio_is_refused_in_words(engine, small):
    clip = AudioClip(b"", AudioFormat("pcm_s16le", 16_000, 1))
    with pytest.raises(EngineError, match="text only"):
        await reply(engine, small, Message("user", clip))


def test_every_setting_is_described_and_has_a_default():
    assert vol.Schema(dict(SCHEMA))({}) == {"caution": 1.0}
    assert all(key.description for key in SCHEMA)
    with pytest.raises(vol.Invalid):
        vol.Schema(dict(SCHEMA))({"caution": 0})


def test_the_answerer_keeps_no_state_of_a_conversation(small):
    answerer = Answerer(Index(small))
    messages = [Message("user", "what do owls eat")]
    grounding = Grounding(knowledge=small)
    assert answerer.answer(messages, grounding) == answerer.answer(messages, grounding)
