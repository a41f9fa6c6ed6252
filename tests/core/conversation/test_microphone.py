from __future__ import annotations

import asyncio

import pytest

from mynah.audio import LISTENING, AudioFormat, converter
from mynah.conversation.listening import ListeningOptions, OpenMicrophone
from mynah.conversation.microphone import Microphone
from mynah.conversation.utterance import Utterance
from mynah.errors import AudioError, LimitError
from mynah.testing.engines import ScriptedDetector

LOUD = b"\x01\x10" * 320
QUIET = bytes(640)


class FakeTurn:
    id = "t1"

    def __init__(self, max_bytes=1_000_000):
        self.utterance = Utterance(max_bytes)
        self.ends = 0

    def speech_ended(self):
        self.ends += 1
        self.utterance.end()

    def heard(self):
        return b"".join(self.utterance._chunks)


class Bench:
    def __init__(self, format=LISTENING, *, always_open=False, max_bytes=1_000_000, most=100):
        self.turns = []
        self.dropped = []
        self.most = most
        self.max_bytes = max_bytes
        detection = OpenMicrophone(ScriptedDetector(), ListeningOptions()) if always_open else None
        self.microphone = Microphone(format, detection, self.hear, lambda turn, why: self.dropped.append((turn, why)))

    def hear(self):
        if len(self.turns) >= self.most:
            raise LimitError("too many")
        self.turns.append(FakeTurn(self.max_bytes))
        return self.turns[-1]

    def feed(self, data, times=1):
        for _ in range(times):
            self.microphone.feed(data)


def test_push_to_talk_is_one_turn_from_the_first_audio_to_the_end():
    bench = Bench()
    assert not bench.turns
    bench.feed(LOUD, 3)
    bench.microphone.finish()
    assert len(bench.turns) == 1
    assert bench.turns[0].heard() == LOUD * 3
    assert bench.turns[0].ends == 1


def test_nothing_recorded_is_a_turn_of_silence():
    bench = Bench()
    bench.microphone.finish()
    assert [turn.ends for turn in bench.turns] == [1]


def test_a_turn_is_told_at_once_that_its_utterance_was_cut():
    bench = Bench(max_bytes=1000)
    bench.feed(LOUD, 4)
    assert bench.turns[0].ends >= 1
    assert len(bench.turns) == 1
    assert len(bench.turns[0].heard()) == 1000


def test_what_is_abandoned_is_dropped_with_a_reason():
    bench = Bench()
    bench.microphone.abandon("gone")
    assert not bench.dropped
    bench.feed(LOUD)
    bench.microphone.abandon("gone")
    assert bench.dropped == [(bench.turns[0], "gone")]


def test_an_open_microphone_opens_a_turn_for_every_utterance():
    bench = Bench(always_open=True)
    for _ in range(2):
        bench.feed(QUIET, 20)
        bench.feed(LOUD, 20)
        bench.feed(QUIET, 35)
    assert [turn.ends for turn in bench.turns] == [1, 1]
    assert all(LOUD * 20 in turn.heard() for turn in bench.turns)
    bench.microphone.finish()
    assert [turn.ends for turn in bench.turns] == [1, 1]


def test_closing_an_open_microphone_ends_what_is_being_said():
    bench = Bench(always_open=True)
    bench.feed(LOUD, 20)
    bench.microphone.finish()
    assert bench.turns[0].ends == 1


def test_noise_is_dropped():
    bench = Bench(always_open=True)
    bench.feed(LOUD, 4)
    bench.feed(QUIET, 40)
    assert [turn for turn, _ in bench.dropped] == bench.turns


def test_a_turn_that_is_refused_is_said_and_the_next_is_heard_whole():
    bench = Bench(always_open=True, most=0)
    with pytest.raises(LimitError):
        bench.feed(LOUD, 20)
    bench.feed(LOUD, 5)
    bench.feed(QUIET, 40)
    bench.most = 1
    bench.feed(LOUD, 20)
    bench.feed(QUIET, 40)
    assert [turn.ends for turn in bench.turns] == [1]
    assert bench.turns[0].heard().count(LOUD) == 20


@pytest.mark.parametrize("always_open", [False, True])
def test_compressed_audio_is_decoded_up_to_its_last_sample(always_open):
    format = AudioFormat("ima_adpcm", 16_000, 1)
    encode = converter(LISTENING, format)
    data = b"".join(c.data for c in [*encode.feed(LOUD * 30), *encode.flush()])
    bench = Bench(format, always_open=always_open)
    for at in range(0, len(data), 101):
        bench.feed(data[at : at + 101])
    bench.microphone.finish()
    assert bench.turns[0].ends == 1
    assert len(bench.turns[0].heard()) == pytest.approx(len(LOUD) * 30, abs=32)


def test_audio_that_cannot_be_decoded_opens_no_turn_and_is_said():
    bench = Bench(AudioFormat("mp3", 24_000, 1))
    bench.feed(b"\0" * 500)
    with pytest.raises(AudioError):
        bench.microphone.finish()
    assert not bench.turns


def test_a_failure_at_the_end_still_ends_the_turn():
    bench = Bench(AudioFormat("pcm_s16le", 48_000, 1))
    bench.feed(LOUD * 10)

    class Breaks:
        def flush(self):
            raise AudioError("broken")

    bench.microphone._converter = Breaks()
    with pytest.raises(AudioError):
        bench.microphone.finish()
    assert bench.turns[0].ends == 1


async def test_a_frame_wakes_nobody_when_nobody_listens():
    bench = Bench(always_open=True)
    before = asyncio.all_tasks()
    bench.feed(QUIET, 100)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert not bench.turns
