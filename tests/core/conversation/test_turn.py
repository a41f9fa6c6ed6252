from __future__ import annotations

import asyncio

import pytest

from mynah.audio import AudioFormat
from mynah.outputs import (
    PartialTranscript,
    PhraseFailed,
    PhraseReady,
    ReplyToken,
    SpeechChunk,
    SpeechEnded,
    SpeechStarted,
    StageStarted,
    TranscriptReady,
    TurnFailed,
    TurnFinished,
)
from mynah.testing.engines import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    scripted,
)
from mynah.testing.hubs import SPARROW

THREE = ["Yes. ", "Lions eat meat. ", "They sleep a lot."]


def test_a_spoken_turn_gives_every_output_in_order(in_room):
    async def scenario(room):
        await room.ask_aloud()
        await room.turn_over()
        stages = [output.stage for output in room.of(StageStarted)]
        assert stages == ["listening", "transcribing", "thinking", "speaking"]
        names = [name for name in dict.fromkeys(room.names()) if name != "StageStarted"]
        assert names == [
            "PartialTranscript", "TranscriptReady", "ReplyToken", "PhraseReady", "ReplyReady",
            "SpeechStarted", "SpeechChunk", "SpeechEnded", "TurnFinished",
        ]  # fmt: skip
        assert room.of(TranscriptReady)[0].text == "what do lions eat"
        assert room.of(TurnFinished)[0].reply == "Lions eat meat."

    in_room(scenario)


def test_that_an_answer_is_thought_of_is_told_before_it_comes_however_soon_that_is(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.turn_over()
        told = [getattr(o, "stage", "token") for o in room.outputs if isinstance(o, StageStarted | ReplyToken)]
        assert told[:2] == ["thinking", "token"]
        assert told.count("thinking") == 1

    in_room(scenario, llm=ScriptedLanguageModel(first_s=0.0, each_s=0.0))


def test_a_turn_that_is_stopped_as_it_begins_tells_of_no_thinking(in_room):
    async def scenario(room):
        turn = room.session.submit("what do lions eat")
        await asyncio.sleep(0)  # it is about to ask its language model
        room.session.interrupt()
        await asyncio.sleep(1)
        assert [o for o in room.outputs if isinstance(o, StageStarted)] == []
        assert room.names() == ["Interrupted"], turn

    in_room(scenario, llm=ScriptedLanguageModel(first_s=0.5))


def test_partial_transcripts_come_while_the_person_speaks(in_room):
    async def scenario(room):
        await room.ask_aloud(1000)
        await room.turn_over()
        assert room.at(PartialTranscript) < 0.1
        assert room.at(TranscriptReady) > 0.99

    in_room(scenario)


def test_the_first_phrase_is_voiced_while_the_rest_is_still_being_thought_of(in_room):
    async def scenario(room):
        room.session.submit("tell me")
        await room.turn_over()
        last_token = max(t for t, o in zip(room.times, room.outputs, strict=True) if isinstance(o, ReplyToken))
        assert room.at(SpeechChunk) == pytest.approx(0.1 + 0.05, abs=0.01)
        assert last_token > 1.0

    tokens = ["Yes,", *[" word"] * 10, "."]
    in_room(scenario, llm=ScriptedLanguageModel(tokens, 0.1, 0.1), tts=ScriptedTextToSpeech(0.05))


def test_three_phrases_are_made_side_by_side_and_heard_in_order(in_room):
    async def scenario(room):
        room.session.say(" ".join(THREE))
        await room.turn_over()
        assert max(room.times) <= 3 * 1.05
        assert [chunk.phrase for chunk in room.of(SpeechChunk)] == sorted(c.phrase for c in room.of(SpeechChunk))
        assert [output.phrase for output in room.of(SpeechEnded)] == [1, 2, 3]

    in_room(scenario, tts=ScriptedTextToSpeech(0.5, 3.0))


def test_no_more_than_three_phrases_are_made_at_once(in_room):
    tts = ScriptedTextToSpeech(0.1, 0.5)

    async def scenario(room):
        room.session.say("Yes. " + "Here is a sentence. " * 8)
        await room.turn_over()
        assert tts.calls.most == 3

    in_room(scenario, tts=tts)


@pytest.mark.parametrize("fault", ["raise", "crash", "hang"])
def test_a_failed_phrase_does_not_lose_the_rest(in_room, fault):
    async def scenario(room):
        room.session.say(" ".join(THREE))
        await room.turn_over()
        assert [output.phrase for output in room.of(PhraseFailed)] == [2]
        assert [output.phrase for output in room.of(SpeechEnded)] == [1, 3]
        assert isinstance(room.outputs[-1], TurnFinished)

    in_room(scenario, tts=ScriptedTextToSpeech(fault=fault, fail_on="meat"))


def test_a_reply_of_which_nothing_can_be_voiced_fails_and_says_so(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        failed = await room.turn_over()
        assert isinstance(failed, TurnFailed)
        assert "voiced" in failed.message
        assert "".join(output.text for output in room.of(ReplyToken)) == "Lions eat meat."

    in_room(scenario, tts=ScriptedTextToSpeech(fault="raise"))


@pytest.mark.parametrize("fault", ["raise", "crash", "hang"])
@pytest.mark.parametrize("kind", ["stt", "llm"])
def test_a_turn_whose_engine_fails_ends_with_a_message_and_the_session_goes_on(in_room, kind, fault):
    engine = {"stt": ScriptedSpeechToText, "llm": ScriptedLanguageModel}[kind](fault=fault)

    async def scenario(room):
        await room.ask_aloud()
        failed = await room.turn_over()
        assert isinstance(failed, TurnFailed)
        assert f"scripted_{kind}" in failed.message
        engine.fault = ""
        await room.ask_aloud()
        assert isinstance(await room.turn_over("t2"), TurnFinished)

    in_room(scenario, **{kind: engine})


def test_an_engine_that_drips_for_ever_is_stopped_by_the_stage_limit(in_room):
    async def scenario(room):
        room.session.submit("go on")
        failed = await room.turn_over()
        assert isinstance(failed, TurnFailed)
        assert "in all" in failed.message
        assert max(room.times) < 70

    in_room(scenario, llm=ScriptedLanguageModel(["so "] * 10_000, 1.0, 1.0), config={"limits": {"reply": 30}})


def test_a_reply_that_breaks_off_is_heard_as_far_as_it_came(in_room):
    async def scenario(room):
        room.session.submit("tell me")
        assert isinstance(await room.turn_over(), TurnFailed)
        assert [output.text for output in room.of(PhraseReady)] == ["Yes,"]
        assert room.of(SpeechEnded)

    in_room(scenario, llm=ScriptedLanguageModel(["Yes,", " lions", " eat"], fault="raise", at=2))


def _two(kind, first, second):
    engines = {"stt": ScriptedSpeechToText(), "llm": ScriptedLanguageModel(), "tts": ScriptedTextToSpeech()}
    others = [scripted(k, engine) for k, engine in engines.items() if k != kind]
    pair = [scripted(kind, first, name="a_first"), scripted(kind, second, name="b_second")]
    return (*others, *pair, scripted("vad", ScriptedVoiceActivity()), SPARROW)


@pytest.mark.parametrize(
    ("kind", "make"),
    [("stt", ScriptedSpeechToText), ("llm", ScriptedLanguageModel), ("tts", ScriptedTextToSpeech)],
)
def test_an_engine_that_fails_before_it_gave_anything_is_replaced_by_the_next(in_room, kind, make):
    second = make()

    async def scenario(room):
        await room.ask_aloud()
        assert isinstance(await room.turn_over(), TurnFinished)
        assert second.calls.begun >= 1

    in_room(scenario, specs=_two(kind, make(fault="raise"), second))


def test_the_second_recogniser_hears_the_utterance_from_its_beginning(in_room):
    second = ScriptedSpeechToText()

    async def scenario(room):
        await room.ask_aloud(400)
        await room.turn_over()
        assert len(second.heard) == 20 * 640

    in_room(scenario, specs=_two("stt", ScriptedSpeechToText("", fault="raise"), second))


def test_the_language_that_was_heard_is_carried_to_the_voice(in_room):
    tts = ScriptedTextToSpeech()

    async def scenario(room):
        await room.ask_aloud()
        await room.turn_over()
        assert {language for _, language in tts.said} == {"es"}

    in_room(scenario, stt=ScriptedSpeechToText("qué comen los leones", language="es"), tts=tts)


def test_silence_is_answered_by_nothing_and_told_as_such(in_room):
    async def scenario(room):
        room.session.listen(room_format)
        room.session.end_listening()
        finished = await room.turn_over()
        assert (finished.outcome, finished.reply) == ("no_speech", "")
        assert not room.of(SpeechStarted)

    room_format = AudioFormat()
    in_room(scenario)


def test_speech_that_was_not_understood_is_apologised_for(in_room):
    async def scenario(room):
        await room.ask_aloud()
        finished = await room.turn_over()
        assert finished.outcome == "not_understood"
        assert finished.reply == SPARROW.not_understood
        assert room.audio()

    in_room(scenario, stt=ScriptedSpeechToText("", understood=False))


def test_every_mark_of_the_timeline_is_set_and_in_order(in_room):
    async def scenario(room):
        await room.ask_aloud()
        timeline = (await room.turn_over()).timeline
        ms = timeline.ms()
        marks = ["opened", "speech_end", "transcript", "first_token", "first_word", "first_phrase", "first_audio"]
        assert [ms[mark] for mark in marks] == sorted(ms[mark] for mark in marks)
        assert timeline.engine_ms == pytest.approx({"stt": 40, "llm": 160, "tts": 50}, abs=1)
        assert ms["first_audio"] == pytest.approx(250, abs=1)
        assert timeline.own_ms == pytest.approx(0, abs=1)

    in_room(
        scenario,
        stt=ScriptedSpeechToText(final_s=0.04),
        llm=ScriptedLanguageModel(["Yes", " I", " do", ","], 0.1, 0.02),
        tts=ScriptedTextToSpeech(0.05),
    )


def test_what_a_recogniser_took_that_failed_is_not_the_hubs_own(in_room):
    entries = [{"engine": "a_first", "first_timeout": 1}, "b_second"]

    async def scenario(room):
        await room.ask_aloud()
        timeline = (await room.turn_over()).timeline
        assert timeline.engines["stt"] == "b_second"
        assert timeline.engine_ms["stt"] == pytest.approx(timeline.ms()["transcript"], abs=1)
        assert timeline.engine_ms["stt"] > 1000
        assert timeline.own_ms == pytest.approx(0, abs=1)

    specs = _two("stt", ScriptedSpeechToText(fault="hang"), ScriptedSpeechToText(final_s=0.2))
    in_room(scenario, specs=specs, config={"engines": {"stt": entries}})


def test_a_long_reply_waits_for_the_listener_and_not_in_memory(in_room):
    async def scenario(room):
        room.session.say("Here is one sentence. " * 400)
        await asyncio.sleep(5)
        turn = room.session._turns.known["t1"]
        ahead_s = turn.speaking.voicing.position_ms / 1000 - 5
        assert ahead_s < 30

    config = {"limits": {"text_chars": 10_000}}
    in_room(scenario, buffer_ms=300, tts=ScriptedTextToSpeech(0.0, 0.01), config=config)
