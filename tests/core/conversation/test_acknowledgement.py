"""A reply that is long in coming is acknowledged, once; one that is not, never."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import pytest

from mynah.audio import LISTENING
from mynah.errors import EngineError
from mynah.outputs import (
    Interrupted,
    PhraseFailed,
    PhraseReady,
    SpeechChunk,
    SpeechStarted,
    StageStarted,
    TurnFailed,
    TurnFinished,
)
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from mynah.testing.hubs import SPARROW, scripted_engines

WORDS = SPARROW.acknowledgement


def acknowledgements(room):
    return [phrase for phrase in room.of(PhraseReady) if phrase.acknowledgement]


@pytest.fixture
def ask(in_room):
    def run(first_s, *, aloud=False, config=None, **engines):
        seen = {}

        async def scenario(room):
            if aloud:
                await room.ask_aloud()
            else:
                room.session.submit("what do lions eat")
            seen["last"] = await room.turn_over()
            seen["room"], seen["history"] = room, room.session.history

        engines.setdefault("llm", ScriptedLanguageModel(first_s=first_s))
        in_room(scenario, config=config, **engines)
        return seen["room"], seen["last"], seen["history"]

    return run


def test_a_reply_that_is_long_in_coming_is_acknowledged_once(ask):
    room, last, history = ask(5.0)
    (said,) = acknowledgements(room)
    assert (said.phrase, said.text) == (1, WORDS)
    assert room.at(SpeechChunk) == pytest.approx(1.5, abs=0.01)
    assert last.reply == "Lions eat meat."
    assert last.phrases == 1
    assert [exchange.reply for exchange in history] == ["Lions eat meat."]


def test_the_numbers_of_phrases_have_no_gap(ask):
    room, last, _ = ask(0, llm=ScriptedLanguageModel(["Yes. ", "Lions eat meat. ", "They sleep."], first_s=5))
    assert [phrase.phrase for phrase in room.of(PhraseReady)] == [1, 2, 3, 4]
    assert [started.phrase for started in room.of(SpeechStarted)] == [1, 2, 3, 4]
    assert last.phrases == 3


@pytest.mark.parametrize("first_s", [0.0, 1.0, 1.499])
def test_a_reply_in_time_is_never_acknowledged(ask, first_s):
    room, _, _ = ask(first_s)
    assert not acknowledgements(room)


@pytest.mark.parametrize("step", range(40))
def test_at_the_limit_either_the_token_or_the_acknowledgement_is_first_and_never_both_wrong(ask, step):
    room, last, _ = ask(1.49 + step * 0.0005)
    first_token = last.timeline.ms()["first_token"]
    assert bool(acknowledgements(room)) == (first_token > 1500 - 0.05)


def test_the_limit_counts_from_the_end_of_speech(ask):
    _, last, _ = ask(5.0, aloud=True, stt=ScriptedSpeechToText(final_s=1.0))
    assert last.timeline.ms()["acknowledged"] == pytest.approx(1500, abs=10)


def test_the_timeline_tells_the_acknowledgement_from_the_replys_own_first_audio(ask):
    _, last, _ = ask(5.0, tts=ScriptedTextToSpeech(0.1))
    marks = last.timeline.ms()
    assert marks["acknowledged"] == pytest.approx(1600, abs=5)
    assert marks["first_audio"] == pytest.approx(5100, abs=5)
    assert last.timeline.engine_ms["tts"] == pytest.approx(100, abs=2)
    assert last.timeline.own_ms == pytest.approx(0, abs=2)


def test_while_it_is_said_the_turn_is_still_thinking(ask):
    room, _, _ = ask(5.0)
    assert [stage.stage for stage in room.of(StageStarted)] == ["thinking", "speaking"]
    speaking = next(
        t
        for t, o in zip(room.times, room.outputs, strict=True)
        if isinstance(o, StageStarted) and o.stage == "speaking"
    )
    assert speaking > 4.9


@pytest.mark.parametrize("config", [{"latency": {"acknowledge_after": None}}, {"latency": {"acknowledge_after": 20}}])
def test_it_can_be_switched_off_or_put_off(ask, config):
    room, _, _ = ask(5.0, config=config)
    assert not acknowledgements(room)


def test_a_persona_without_one_says_none(in_room):
    async def scenario(room):
        room.session.submit("hello")
        await room.turn_over()
        assert not acknowledgements(room)

    quiet = replace(SPARROW, acknowledgement="")
    specs = [spec for spec in scripted_engines(llm=ScriptedLanguageModel(first_s=5)) if spec is not SPARROW]
    in_room(scenario, specs=(*specs, quiet))


def test_what_is_said_as_it_is_and_what_was_not_understood_need_none(in_room):
    async def scenario(room):
        room.session.say("The zoo closes in ten minutes.")
        await room.turn_over()
        await room.ask_aloud()
        await room.turn_over("t2")
        assert not acknowledgements(room)

    slow = ScriptedTextToSpeech(first_s=5)
    in_room(scenario, stt=ScriptedSpeechToText("", understood=False, final_s=3), tts=slow)


def test_an_interruption_while_it_sounds_leaves_nothing_heard(in_room):
    llm = ScriptedLanguageModel(first_s=9)

    async def scenario(room):
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        room.session.submit("what do lions eat")
        await asyncio.sleep(1.65)
        room.session.interrupt()
        interrupted = await room.turn_over()
        assert isinstance(interrupted, Interrupted)
        assert interrupted.heard == ""
        assert interrupted.heard_ms == pytest.approx(150, abs=5)
        assert room.session.history[-1].reply == ""
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() - before == set()
        assert llm.calls.begun == llm.calls.ended
        chunks = len(room.of(SpeechChunk))
        await asyncio.sleep(5)
        assert len(room.of(SpeechChunk)) == chunks

    in_room(scenario, llm=llm, buffer_ms=100)


def test_an_interruption_of_the_reply_after_it_tells_the_replys_words(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.until(lambda outputs: any(o.phrase == 2 for o in outputs if isinstance(o, SpeechStarted)))
        await asyncio.sleep(0.25)
        room.session.interrupt()
        await room.until(lambda outputs: isinstance(outputs[-1], Interrupted))
        interrupted = room.outputs[-1]
        assert interrupted.heard == "Lions eat"
        assert interrupted.heard_ms == pytest.approx(300 + 250, abs=25)

    tts = ScriptedTextToSpeech(marks=True)
    in_room(scenario, llm=ScriptedLanguageModel(first_s=3), tts=tts, buffer_ms=100)


def test_an_acknowledgement_that_cannot_be_voiced_costs_the_reply_nothing(ask):
    _, last, history = ask(5.0, tts=ScriptedTextToSpeech(fault="raise", fail_on=WORDS))
    assert isinstance(last, TurnFinished)
    assert last.reply == history[-1].reply == "Lions eat meat."


def test_the_reply_does_not_wait_for_a_voice_that_has_not_begun_to_acknowledge(in_room):
    class SlowAtFirst(ScriptedTextToSpeech):
        async def synthesize(self, text, *, voice, language):
            self.first_s = 8.0 if text == WORDS else 0.1
            async for item in super().synthesize(text, voice=voice, language=language):
                yield item

    tts = SlowAtFirst()

    async def scenario(room):
        room.session.submit("what do lions eat")
        last = await room.turn_over()
        assert last.timeline.ms()["first_audio"] == pytest.approx(2100, abs=5)
        assert [failed.phrase for failed in room.of(PhraseFailed)] == [1]
        assert room.hub.engines()[2]["failures"] == 0
        assert tts.calls.begun == tts.calls.ended == 2
        assert room.session.history[-1].reply == "Lions eat meat."
        assert last.timeline.own_ms == pytest.approx(0, abs=2)

    in_room(scenario, llm=ScriptedLanguageModel(first_s=2), tts=tts)


def test_a_reply_that_fails_after_it_says_so(ask):
    room, last, history = ask(0, llm=ScriptedLanguageModel(first_s=3, fault="raise", at=1, tokens=["", "x"]))
    assert isinstance(last, TurnFailed)
    assert len(acknowledgements(room)) == 1
    assert [(each.reply, each.outcome) for each in history] == [("", "failed")]


def test_in_a_queue_the_time_of_earlier_turns_does_not_count(in_room):
    async def scenario(room):
        room.session.submit("one")
        room.session.submit("two")
        await room.turn_over("t2")
        assert not acknowledgements(room)

    in_room(scenario, policy="queue", llm=ScriptedLanguageModel(first_s=1.0), tts=ScriptedTextToSpeech(0.1, 2.0))


def test_a_token_that_has_come_wins_over_the_limit(in_room):
    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(200)
        room.session.end_listening()
        await room.turn_over()
        assert len(acknowledgements(room)) == 0

    in_room(scenario, stt=ScriptedSpeechToText(final_s=1.0), llm=ScriptedLanguageModel(first_s=0.4))


def test_an_acknowledgement_that_fails_in_the_moment_of_an_interruption_is_nobodys_failure(in_room, caplog):
    def interrupt(session, turns):
        if turns:
            asyncio.get_running_loop().call_soon(interrupt, session, turns - 1)
        else:
            session.interrupt()

    class Refuses:
        async def synthesize(self, text, *, voice, language):
            await asyncio.sleep(1)
            raise EngineError("refused")
            yield

    async def scenario(room):
        loop = asyncio.get_running_loop()
        for turns in range(30):
            room.session.submit("tell me")
            await asyncio.sleep(0)
            loop.call_later(2.5, interrupt, room.session, turns)
            await room.until(lambda outputs, turns=turns: len(room.of(Interrupted)) > turns)
            await asyncio.sleep(20)
        gc.collect()
        assert "never retrieved" not in caplog.text

    # The acknowledgement is asked for at 1.5 s, and refused a second later.
    config = {"engines": {"tts": [{"engine": "scripted_tts", "failures": 1000}]}}
    in_room(scenario, llm=ScriptedLanguageModel(first_s=15), tts=Refuses(), config=config)
