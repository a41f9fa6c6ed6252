"""The fake speaker itself: what plugin authors rely on."""

from __future__ import annotations

import asyncio
import time
import wave

import pytest

import mynah
from mynah.testing.loudspeaker import Loudspeaker
from mynah.testing.speaker import FakeSpeaker, HubRefused


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def talkative(scripted_hub, outputs):
    """A hub whose sessions answer every text with a reply of two phrases, and every utterance too."""

    def open_(session) -> None:
        session.on_text = lambda text: session.give(*outputs.reply())
        end = session.end_listening
        session.end_listening = lambda: (end(), session.give(*outputs.reply("t2")))

    scripted_hub.on_open = open_
    return scripted_hub


async def test_asking_in_writing_gives_the_whole_turn(talkative, speaker):
    async with speaker() as one:
        turn = await one.ask_text("Count.")
        assert (turn.reply, turn.phrases, turn.outcome, turn.over) == ("One. Two.", ["One.", "Two."], "answered", True)
        assert len(turn.audio_bytes()) == 3 * 960
        assert turn.timeline["first_audio"] == 250


async def test_asking_aloud_sends_all_audio_between_listen_and_its_end(talkative, speaker):
    async with speaker() as one:
        turn = await one.ask_audio([b"\1\0" * 320] * 3)
        assert turn.id == "t2"
        assert [call[0] for call in talkative.only.calls[:5]] == ["listen", "feed", "feed", "feed", "end_listening"]


async def test_asking_aloud_in_real_time_takes_as_long_as_the_speech(talkative, speaker):
    async with speaker() as one:
        began = time.monotonic()
        await one.ask_audio([bytes(640)] * 5, real_time=True)
        assert time.monotonic() - began >= 0.1


async def test_messages_and_audio_carry_the_time_of_their_arrival(talkative, speaker):
    async with speaker() as one:
        before = time.monotonic()
        turn = await one.ask_text("Count.")
        times = [message.at for message in turn.messages]
        assert before <= times[0] <= turn.first_audio_at <= times[-1] <= time.monotonic()
        assert times == sorted(times)


async def test_in_virtual_time_all_has_sounded_on_arrival_and_is_reported(talkative, speaker):
    async with speaker() as one:
        await one.ask_text("Count.")
        await one.send("ping")
        await one.expect("pong")
        assert talkative.only.of("played") == [("t1", 40.0), ("t1", 60.0)]


async def test_in_real_time_reports_come_as_it_sounds(scripted_hub, speaker, outputs):
    async with speaker(playback="real_time") as one:
        session = scripted_hub.only
        session.give(*outputs.speech(1, "One.", *[bytes(4_800)] * 4), outputs.finished("One."))
        await one.expect("turn_finished")
        assert one.loudspeaker.played_ms("t1") < 400
        async with asyncio.timeout(20):
            while not (reports := [ms for _, ms in session.of("played")]) or reports[-1] < 399:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert reports == sorted(reports)
        assert len(reports) > 1


async def test_silent_speakers_report_nothing(talkative, speaker):
    async with speaker(playback="silent") as one:
        await one.ask_text("Count.")
        await one.send("ping")
        await one.expect("pong")
        assert not talkative.only.of("played")


async def test_an_interruption_stops_the_loudspeaker(scripted_hub, speaker, outputs):
    async with speaker(playback="real_time") as one:
        scripted_hub.only.give(*list(outputs.speech(1, "One.", bytes(480_000)))[:2])
        await one.until(lambda: "t1" in one.turns and one.turns["t1"].audio)
        await one.interrupt()
        await one.expect("interrupted")
        sounded = one.loudspeaker.played_ms("t1")
        assert sounded < 5_000
        await asyncio.sleep(0.05)
        assert one.loudspeaker.played_ms("t1") == sounded


async def test_a_reply_becomes_a_wav_file(talkative, speaker, tmp_path, outputs):
    async with speaker() as one:
        await one.ask_text("Count.")
        with wave.open(str(one.reply_wav(tmp_path / "reply.wav"))) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
            assert sound.readframes(10_000) == b"\1\2" * 960 + b"\3\4" * 480


async def test_without_audio_there_is_no_wav_file(speaker, tmp_path):
    async with speaker() as one:
        with pytest.raises(mynah.AudioError, match="no audio"):
            one.reply_wav(tmp_path / "reply.wav")


async def test_dropping_and_resuming_goes_on_where_the_loudspeaker_was(scripted_hub, speaker, outputs):
    async with speaker(playback="silent") as one:
        session = scripted_hub.only
        started, first, second, ended = outputs.speech(1, "One.", b"\1\0" * 480, b"\2\0" * 480)
        session.give(started, first)
        await one.until(lambda: "t1" in one.turns and one.turns["t1"].audio)
        await one.drop()
        assert not one.connected
        with pytest.raises(ConnectionError):
            await one.interrupt()
        await one.resume()
        session.give(second, ended, outputs.finished("One."))
        turn = await one.finished(one.turns["t1"])
        assert turn.audio_bytes() == b"\1\0" * 480 + b"\2\0" * 480
        assert one.loudspeaker.played_ms("t1") == 40.0


async def test_waiting_for_what_never_comes_says_what_it_was(speaker):
    async with speaker() as one:
        with pytest.raises(TimeoutError, match=r"waited 0.05 s for the message 'pong' in vain"):
            await one.expect("pong", timeout_s=0.05)


async def test_waiting_on_a_connection_that_ends_says_why_it_did(scripted_hub, speaker):
    async with speaker() as one:
        scripted_hub.only.on_text = lambda text: scripted_hub.close_session("s1", "idle")
        with pytest.raises(HubRefused, match="the hub ended this session") as refused:
            await one.ask_text("Are you there?")
        assert refused.value.code == "session_ended"


async def test_a_hub_that_is_not_there_is_a_connection_error(unused_tcp_port):
    with pytest.raises(OSError, match="Cannot connect"):
        async with FakeSpeaker(f"http://127.0.0.1:{unused_tcp_port}"):
            pass


def test_the_loudspeaker_takes_its_time_and_counts_its_gaps():
    clock = Hands()
    speaker = Loudspeaker(real_time=True, clock=clock)
    speaker.place("t1", 0)
    speaker.take("t1", 100)
    clock.now += 0.06
    assert speaker.played_ms("t1") == pytest.approx(60)
    clock.now += 0.06
    speaker.take("t1", 50)
    assert speaker.gap_ms == pytest.approx(20)
    assert speaker.played_ms("t1") == pytest.approx(100)
    speaker.take("t2", 50)
    clock.now += 0.06
    assert (speaker.played_ms("t1"), speaker.played_ms("t2")) == (pytest.approx(150), pytest.approx(10))
    speaker.stop("t2")
    clock.now += 1
    assert speaker.played_ms("t2") == pytest.approx(10)
    assert speaker.gap_ms == pytest.approx(20)
