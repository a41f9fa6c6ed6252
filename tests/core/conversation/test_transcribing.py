"""Sessions that do not reply: what is said is transcribed, and nothing more."""

from __future__ import annotations

import asyncio

from mynah.audio import LISTENING
from mynah.events import Event, Heard
from mynah.outputs import PartialTranscript, ReplyReady, SpeechChunk, TranscriptReady, TurnFinished
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech


def test_what_was_said_is_told_and_remembered_but_not_answered(in_room):
    llm = ScriptedLanguageModel()

    async def scenario(room):
        room.session.replies = False
        with room.hub.bus.subscribe(Event, name="test") as events:
            await room.ask_aloud()
            await room.turn_over()
            room.hub.bus.publish(Event())
            seen = [event async for event in _until_plain(events)]
        assert [output.text for output in room.of(TranscriptReady)] == ["what do lions eat"]
        assert room.of(PartialTranscript)
        assert isinstance(room.outputs[-1], TurnFinished)
        assert not room.of(SpeechChunk)
        assert [type(event) for event in seen] == [Heard]
        assert [(entry.user, entry.reply) for entry in room.session.history] == [("what do lions eat", "")]
        assert not llm.calls.begun

    in_room(scenario, stt=ScriptedSpeechToText(), llm=llm, policy="queue")


async def _until_plain(events):
    async for event in events:
        if type(event) is Event:
            return
        yield event


def test_it_may_be_said_for_longer_than_a_question_may(in_room):
    stt = ScriptedSpeechToText()

    async def scenario(room):
        room.session.replies = False
        room.session.listen(LISTENING)
        for _ in range(120):
            room.session.feed(b"\x01\x10" * 16_000)
            await asyncio.sleep(1)
        assert room.session.end_listening() == "t1"
        await room.turn_over()
        assert len(stt.heard) == 120 * 32_000

    in_room(scenario, stt=stt, config={"limits": {"utterance_seconds": 10}})


def test_a_text_is_spoken_while_somebody_is_being_transcribed(in_room):
    async def scenario(room):
        room.session.replies = False
        room.session.listen(LISTENING)
        await room.speak()
        said = room.session.say("Well done.")
        await room.turn_over(said)
        assert room.of(SpeechChunk, said)
        assert not room.of(TranscriptReady)
        room.session.end_listening()
        await room.turn_over("t1")
        assert room.of(TranscriptReady, "t1")

    in_room(scenario, policy="queue")


def test_a_reply_is_ready_when_its_text_is_and_before_its_sound(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.turn_over()
        (ready,) = room.of(ReplyReady)
        assert (ready.text, ready.phrases) == ("Lions eat meat.", 1)
        assert room.at(ReplyReady) < room.at(SpeechChunk)

    in_room(scenario, tts=ScriptedTextToSpeech(first_s=0.5))


def test_listening_that_heard_something_ends_with_the_id_of_its_turn(in_room):
    async def scenario(room):
        assert room.session.end_listening() is None
        room.session.listen(LISTENING)
        await room.speak()
        assert room.session.end_listening() == "t1"
        await room.turn_over()

    in_room(scenario)
