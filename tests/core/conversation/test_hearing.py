"""A language model that hears the person's voice itself: no transcript is needed, unless it fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mynah.audio import LISTENING
from mynah.conversation.hearing import Speech
from mynah.conversation.scene import UNTRANSCRIBED
from mynah.events import Event, Heard
from mynah.outputs import (
    Interrupted,
    PartialTranscript,
    ReplyToken,
    StageStarted,
    TranscriptReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah.testing.engines import (
    ScriptedDetector,
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    scripted,
)
from mynah.testing.hubs import SPARROW
from mynah.values import AudioClip, Message

QUIET = bytes(640)


def house(hears, *others, stt=None, with_vad=True):
    llms = [replace(scripted("llm", hears, name="a_ear"), accepts_audio=lambda config: True)]
    llms += [scripted("llm", other, name=f"b_{number}") for number, other in enumerate(others)]
    vad = [scripted("vad", ScriptedVoiceActivity())] if with_vad else []
    stt = scripted("stt", stt or ScriptedSpeechToText())
    return (*llms, stt, scripted("tts", ScriptedTextToSpeech()), *vad, SPARROW)


def test_the_model_is_given_the_utterance_and_nothing_is_transcribed(in_room):
    hears, stt = ScriptedLanguageModel(), ScriptedSpeechToText()

    async def scenario(room):
        with room.hub.bus.subscribe(Event, name="test") as events:
            await room.ask_aloud(400)
            last = await room.turn_over()
            assert last.reply == "Lions eat meat."
            events.__exit__()
            assert not [event async for event in events if isinstance(event, Heard)]
        clip = hears.asked[0][-1].content
        assert isinstance(clip, AudioClip)
        assert (len(clip.data), clip.format) == (20 * 640, LISTENING)
        assert stt.calls.begun == 0
        assert not room.of(TranscriptReady)
        assert not room.of(PartialTranscript)
        assert [stage.stage for stage in room.of(StageStarted)] == [
            "listening", "transcribing", "thinking", "speaking",
        ]  # fmt: skip
        assert "stt" not in last.timeline.engine_ms
        assert "transcript" not in last.timeline.marks

    in_room(scenario, specs=house(hears, stt=stt))


def test_history_has_a_note_instead_of_the_words(in_room):
    hears = ScriptedLanguageModel()

    async def scenario(room):
        await room.ask_aloud()
        await room.turn_over()
        assert [(entry.user, entry.reply) for entry in room.session.history] == [(UNTRANSCRIBED, "Lions eat meat.")]
        await asyncio.sleep(1)
        await room.ask_aloud()
        await room.turn_over("t2")
        assert hears.asked[1][1:3] == [Message("user", UNTRANSCRIBED), Message("assistant", "Lions eat meat.")]

    in_room(scenario, specs=house(hears))


def test_written_questions_are_given_as_text(in_room):
    hears = ScriptedLanguageModel()

    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.turn_over()
        assert hears.asked[0][-1] == Message("user", "what do lions eat")

    in_room(scenario, specs=house(hears))


@pytest.mark.parametrize("ms", [0, 600])
def test_silence_is_not_sent(in_room, ms):
    hears = ScriptedLanguageModel()

    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(ms, QUIET)
        room.session.end_listening()
        last = await room.turn_over()
        assert last.outcome == "no_speech"
        assert [transcript.outcome for transcript in room.of(TranscriptReady)] == ["no_speech"]
        assert not hears.asked

    in_room(scenario, specs=house(hears))


def test_a_room_that_says_nothing_is_not_answered(in_room):
    hears = ScriptedLanguageModel()

    async def scenario(room):
        room.session.listen(LISTENING, "open")
        await room.speak(80)
        await room.speak(2000, QUIET)
        assert isinstance(await room.turn_over(), TurnDropped)
        assert not hears.asked

    in_room(scenario, specs=house(hears))


def test_an_open_microphone_interrupts_a_reply_while_the_person_still_speaks(in_room):
    hears = ScriptedLanguageModel(["Lions eat meat. "] * 20)

    async def scenario(room):
        room.session.listen(LISTENING, "open")
        await room.speak(400)
        await room.speak(1500, QUIET)
        assert room.of(ReplyToken)
        began = room.times[-1]
        await room.speak(600)
        (interrupted,) = [t for t, o in zip(room.times, room.outputs, strict=True) if isinstance(o, Interrupted)]
        assert interrupted - began < 0.5

    in_room(scenario, specs=house(hears), buffer_ms=300)


@pytest.mark.parametrize("fault", ["raise", "crash", "hang"])
def test_where_the_model_fails_the_words_are_transcribed_and_the_next_one_gets_them(in_room, fault):
    hears, reads = ScriptedLanguageModel(fault=fault), ScriptedLanguageModel(["They eat meat."])

    async def scenario(room):
        with room.hub.bus.subscribe(Heard, name="test") as heard:
            await room.ask_aloud(400)
            last = await room.turn_over()
            assert (await anext(aiter(heard))).text == "what do lions eat"
        assert last.reply == "They eat meat."
        assert reads.asked[0][-1] == Message("user", "what do lions eat")
        assert len(hears.asked) == 1
        assert [transcript.text for transcript in room.of(TranscriptReady)] == ["what do lions eat"]
        assert room.session.history[-1].user == "what do lions eat"
        assert last.timeline.engines["llm"] == "b_0"
        assert last.timeline.troubles["llm"][0].startswith("a_ear: ")
        assert last.timeline.engine_ms["stt"] == pytest.approx(100, abs=2)
        assert last.timeline.own_ms == pytest.approx(0, abs=5)

    in_room(scenario, specs=house(hears, reads, stt=ScriptedSpeechToText(final_s=0.1)))


def test_where_it_fails_and_no_words_are_found_the_person_is_told(in_room):
    hears, reads = ScriptedLanguageModel(fault="raise"), ScriptedLanguageModel()

    async def scenario(room):
        await room.ask_aloud()
        assert (await room.turn_over()).reply == SPARROW.not_understood
        assert not reads.asked

    in_room(scenario, specs=house(hears, reads, stt=ScriptedSpeechToText("", understood=False)))


def test_a_model_that_breaks_while_the_person_speaks_is_not_given_the_clip_and_no_other_is(in_room):
    hears, reads = ScriptedLanguageModel(), ScriptedLanguageModel(["They eat meat."])

    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(200)
        room.hub._chains["llm"].engines[0].state = "failed"
        room.session.end_listening()
        assert (await room.turn_over()).reply == "They eat meat."
        assert not hears.asked
        assert reads.asked[0][-1].content == "what do lions eat"

    in_room(scenario, specs=house(hears, reads))


def test_where_no_other_model_is_left_nothing_is_transcribed(in_room):
    stt = ScriptedSpeechToText()

    async def scenario(room):
        await room.ask_aloud()
        failed = await room.turn_over()
        assert isinstance(failed, TurnFailed)
        assert "a_ear" in failed.message
        assert stt.calls.begun == 0

    in_room(scenario, specs=house(ScriptedLanguageModel(fault="raise"), stt=stt))


def test_after_its_first_token_it_is_not_replaced(in_room):
    reads = ScriptedLanguageModel()

    async def scenario(room):
        await room.ask_aloud()
        assert isinstance(await room.turn_over(), TurnFailed)
        assert not reads.asked

    in_room(scenario, specs=house(ScriptedLanguageModel(["Lions, ", "eat"], fault="raise", at=1), reads))


def test_a_model_that_is_second_in_its_chain_does_not_hear(in_room):
    first, hears = ScriptedLanguageModel(), ScriptedLanguageModel()
    specs = house(hears, first)
    specs = (*(replace(spec, name="z_ear") if spec.name == "a_ear" else spec for spec in specs),)

    async def scenario(room):
        await room.ask_aloud()
        assert isinstance(await room.turn_over(), TurnFinished)
        assert first.asked[0][-1].content == "what do lions eat"

    in_room(scenario, specs=specs, config={"engines": {"llm": ["b_0", "z_ear"]}})


def test_without_a_detector_any_sound_is_taken_for_speech(in_room):
    hears = ScriptedLanguageModel()

    async def scenario(room):
        await room.ask_aloud()
        assert isinstance(await room.turn_over(), TurnFinished)
        room.session.listen(LISTENING)
        await room.speak(200, QUIET)
        room.session.end_listening()
        assert (await room.turn_over("t2")).outcome == "no_speech"

    in_room(scenario, specs=house(hears, with_vad=False))


def test_speech_is_heard_whatever_the_size_of_the_chunks():
    speech = Speech(ScriptedDetector(), 0.5, 100)
    loud = b"\x01" * 640 * 5
    found = [speech.hear(loud[start : start + 166]) for start in range(0, len(loud), 166)]
    assert found.count(True) == 1
    assert found[-1]
    assert not speech.hear(loud)
