"""A visitor and the hub as it comes out of the box: real engines, a real socket, a recorded voice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

import mynah.cli
from mynah.audio import LISTENING, AudioFormat, read_audio
from mynah.testing.hubs import run_hub
from mynah.testing.speaker import FakeSpeaker

EMBEDDED = ("espeak", "facts", "http", "pocketsphinx", "vad", "websocket", "zoo_guide")
QUESTION = Path(mynah.cli.__file__).with_name("question.wav")
SPEECH = Path(__file__).parents[1] / "audio" / "jfk.wav"
PLAYS = AudioFormat("pcm_s16le", 22_050, 1)


def _frames(file, before_ms=0, after_ms=0):
    pcm = bytes(LISTENING.pcm_bytes(before_ms))
    pcm += b"".join(chunk.data for chunk in read_audio(file, LISTENING)) + bytes(LISTENING.pcm_bytes(after_ms))
    return [pcm[start : start + 640] for start in range(0, len(pcm), 640)]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory):
    """One hub for all of them: its recogniser builds its model once."""
    async with run_hub(tmp_path_factory.mktemp("hub"), installed=EMBEDDED) as running:
        await running.warm(60)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def speaker(hub):
    async with FakeSpeaker(hub.addresses["http"], plays=[PLAYS]) as connected:
        yield connected


async def test_a_recorded_question_is_heard_and_answered_aloud(speaker):
    turn = await speaker.ask_audio(_frames(QUESTION), timeout_s=60)
    assert turn.transcript == "what do red pandas eat"
    assert turn.outcome == "answered"
    assert "bamboo" in turn.reply
    assert sum(len(piece.data) for piece in turn.audio) > PLAYS.pcm_bytes(2000)


async def test_the_answer_begins_while_it_is_still_being_made(speaker):
    turn = await speaker.ask_text("What do red pandas eat?")
    assert turn.audio[0].at < turn.messages[-1].at
    assert len(turn.phrases) > 1
    first_end = next(message.at for message in turn.messages if message.name == "speech_ended")
    assert turn.audio[0].at < first_end


async def test_words_are_recognised_while_they_are_spoken(speaker):
    turn = await speaker.ask_audio(_frames(QUESTION), real_time=True, timeout_s=60)
    partials = turn.all("partial_transcript")
    assert partials
    assert partials[0].at < turn.all("transcript")[0].at - 0.2


async def test_an_open_microphone_hears_the_end_of_the_question_by_itself(speaker):
    turn = await speaker.ask_audio(_frames(QUESTION, 500, 1500), mode="open", real_time=True, timeout_s=60)
    assert turn.transcript == "what do red pandas eat"


async def test_other_speech_is_not_turned_into_a_question_about_animals(speaker):
    turn = await speaker.ask_audio(_frames(SPEECH), timeout_s=60)
    assert turn.outcome in ("not_understood", "unknown")


async def test_silence_is_told_as_silence(speaker):
    turn = await speaker.ask_audio([bytes(640)] * 100, timeout_s=60)
    assert turn.outcome == "no_speech"
    assert not turn.audio


async def test_a_follow_up_question_knows_what_it_is_about(speaker):
    await speaker.ask_text("What do red pandas eat?")
    turn = await speaker.ask_text("And how long do they sleep?")
    assert "red panda" in turn.reply.lower()


async def test_the_exhibit_is_what_it_is_about(hub):
    async with FakeSpeaker(hub.addresses["http"], plays=[PLAYS], context={"exhibit": "giraffe"}) as speaker:
        turn = await speaker.ask_text("How tall is it?")
        assert "giraffe" in turn.reply.lower()


async def test_what_is_not_known_is_said_so(speaker):
    turn = await speaker.ask_text("What is the capital of Portugal?")
    assert turn.outcome == "unknown"
    assert turn.audio


async def test_an_interruption_stops_the_sound_and_history_has_what_was_heard(hub):
    async with FakeSpeaker(hub.addresses["http"], plays=[PLAYS], buffer_ms=300, playback="real_time") as speaker:
        asking = asyncio.create_task(speaker.ask_text("What do red pandas eat?", timeout_s=30))
        await speaker.until(lambda: any(turn.audio for turn in speaker.turns.values()) or None)
        await asyncio.sleep(0.8)
        await speaker.interrupt()
        turn = await asking
        told = next(message for message in turn.messages if message.name == "interrupted")
        assert not [piece for piece in turn.audio if piece.at > told.at]
        session = hub.session(speaker.session_id).describe()
        heard = session["history"][-1]["reply"]
        assert 0 < len(heard) < len(turn.reply)
        assert told.data["heard"] == heard


async def test_a_dropped_connection_gets_the_rest_of_the_reply(hub):
    async with FakeSpeaker(hub.addresses["http"], plays=[PLAYS], buffer_ms=300, playback="real_time") as speaker:
        whole = await speaker.ask_text("What do red pandas eat?", timeout_s=60)
        length = sum(len(piece.data) for piece in whole.audio)
        asking = asyncio.create_task(speaker.ask_text("What do red pandas eat?", timeout_s=60))
        await speaker.until(lambda: len([t for t in speaker.turns.values() if t.audio]) > 1 or None)
        await asyncio.sleep(0.7)
        asking.cancel()
        await asyncio.wait({asking})
        await speaker.drop()
        second = list(speaker.turns.values())[-1]
        played = speaker.loudspeaker.played_ms(second.id)
        already = len(second.audio)
        assert (await speaker.resume())["resumed"]
        await speaker.finished(second, timeout_s=60)
        rest = sum(len(piece.data) for piece in second.audio[already:])
        assert PLAYS.pcm_bytes(played) + rest == pytest.approx(length, abs=PLAYS.pcm_bytes(2))


async def test_another_format_is_played_as_asked(hub):
    mp3 = AudioFormat("mp3", 24_000, 1)
    async with FakeSpeaker(hub.addresses["http"], plays=[mp3]) as speaker:
        turn = await speaker.ask_text("What do red pandas eat?")
        assert {piece.format for piece in turn.audio} == {mp3}


async def test_health_says_that_all_is_well(hub):
    health = hub.health()
    assert health["status"] == "healthy", health
    assert health["ready"]


async def test_the_guide_greets_by_what_it_stands_at(hub):
    async with FakeSpeaker(hub.addresses["http"], plays=[PLAYS], context={"exhibit": "giraffe"}) as speaker:
        turn = await speaker.greet()
        assert turn.reply == "Hello! Ask me anything about the giraffes."
        assert turn.audio
