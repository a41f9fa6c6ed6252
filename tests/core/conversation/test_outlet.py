from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.conversation.outlet import Outlet
from mynah.conversation.playback import Playback
from mynah.conversation.spool import Spool
from mynah.outputs import Interrupted, PhraseFailed, ReplyToken, SpeechChunk, SpeechEnded, SpeechStarted, TurnFinished
from mynah.session_protocol import OutletOptions
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import Timeline, now

MP3 = AudioFormat("mp3", 24_000, 1)
ADPCM = AudioFormat("ima_adpcm", 16_000, 1)
PCM_8 = AudioFormat("pcm_s16le", 8_000, 1)


class Bench:
    """An outlet on a spool, and all that comes out of it."""

    def __init__(self, *formats, buffer_ms=None, begin_ms=None):
        self.spool = Spool(60_000)
        self.playbacks = {(turn, 0): Playback() for turn in ("t1", "t2")}
        self.over = set()
        self.options = OutletOptions(formats=formats, buffer_ms=buffer_ms)
        self.begin_ms = begin_ms or {}
        self.outlet = None
        self.outputs = []
        self.slow_s = 0.0
        self.task = None

    async def read(self):
        async with aclosing(self.outlet.run()) as outputs:
            async for output in outputs:
                self.outputs.append(output)
                await asyncio.sleep(self.slow_s)

    @asynccontextmanager
    async def running(self):
        self.outlet = Outlet(self.options, self.spool, self.playbacks, self.over.__contains__, self.begin_ms)
        self.task = asyncio.ensure_future(self.read())
        yield self
        self.task.cancel()
        await asyncio.wait({self.task})

    def put(self, *outputs):
        for output in outputs:
            self.spool.put_now(output)

    def interrupt(self, turn="t1"):
        self.over.add(turn)
        self.spool.purge(turn)
        self.outlet.changed()
        self.put(Interrupted(turn_id=turn, heard_ms=0, heard=""))

    def names(self):
        return [type(output).__name__ for output in self.outputs]

    def audio(self):
        return b"".join(o.audio.data for o in self.outputs if isinstance(o, SpeechChunk))


def speech(ms=1000, phrase=1, turn="t1", format=LISTENING, at_ms=0.0, pieces=1, data=None):
    data = bytes(format.pcm_bytes(ms)) if data is None else data
    size = -(-len(data) // pieces)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    outputs = [SpeechStarted(turn_id=turn, phrase=phrase, format=format, at_ms=at_ms, text="x")]
    for part in parts:
        lasts = ms * len(part) / len(data)
        audio = AudioChunk(part, format, lasts)
        outputs.append(SpeechChunk(turn_id=turn, phrase=phrase, audio=audio, at_ms=at_ms))
        at_ms += lasts
    return [*outputs, SpeechEnded(turn_id=turn, phrase=phrase, ms=ms)]


def finished(turn="t1"):
    return TurnFinished(turn_id=turn, outcome="answered", reply="", phrases=1, timeline=Timeline())


def run(bench, scenario):
    async def main():
        async with bench.running():
            await scenario()

    run_in_virtual_time(main())


def test_without_wishes_everything_passes_untouched():
    bench = Bench()
    given = [ReplyToken(turn_id="t1", text="x"), *speech(format=MP3, data=b"12345", pieces=2), finished()]

    async def scenario():
        bench.put(*given)
        await asyncio.sleep(0.01)
        assert bench.outputs == given
        chunks = [o for o in bench.outputs if isinstance(o, SpeechChunk)]
        assert chunks[0].audio.data is given[2].audio.data

    run(bench, scenario)


@pytest.mark.parametrize("when", [0.0, 0.001, 0.05, 0.33])
@pytest.mark.parametrize("slow_s", [0.0, 0.02])
@pytest.mark.parametrize("formats", [(), (PCM_8,), (MP3,)], ids=str)
def test_nothing_of_a_stopped_turn_follows_and_the_next_is_whole(when, slow_s, formats):
    bench = Bench(*formats, buffer_ms=200)
    bench.slow_s = slow_s

    async def scenario():
        bench.put(*speech(2000, pieces=4))
        await asyncio.sleep(when)
        told = len(bench.outputs)
        bench.interrupt()
        bench.put(*speech(500, turn="t2"), finished("t2"))
        await asyncio.sleep(3)
        rest = bench.outputs[told:]
        assert isinstance(rest[0], Interrupted)
        assert {output.turn_id for output in rest[1:]} == {"t2"}
        sounded = sum(o.audio.ms for o in rest if isinstance(o, SpeechChunk))
        assert sounded == pytest.approx(500, abs=150 if formats == (MP3,) else 1)
        assert not bench.outlet._voices

    run(bench, scenario)


def test_a_stopped_turn_leaves_in_the_buffer_what_is_of_others():
    bench = Bench(buffer_ms=300)

    async def scenario():
        bench.put(*speech(100), *speech(100, turn="t2"))
        await asyncio.sleep(0.01)
        assert bench.outlet.pacer.level == pytest.approx(190, abs=1)
        bench.interrupt("t2")
        assert bench.outlet.pacer.level == pytest.approx(90, abs=1)

    run(bench, scenario)


def test_an_outlet_that_is_stopped_while_it_waits_for_room_ends_at_once():
    bench = Bench(buffer_ms=200)

    async def scenario():
        bench.put(*speech(2000))
        await asyncio.sleep(0.05)
        began = now()
        bench.outlet.stop()
        await asyncio.wait_for(bench.task, 1)
        assert now() - began < 0.001

    run(bench, scenario)


def test_a_report_lets_it_go_on_at_once():
    bench = Bench(buffer_ms=200)

    async def scenario():
        bench.put(*speech(2000))
        await asyncio.sleep(0.001)
        sent = bench.playbacks["t1", 0].sent_ms
        bench.playbacks["t1", 0].acknowledge(150)
        bench.outlet.changed()
        await asyncio.sleep(0.001)
        assert bench.playbacks["t1", 0].sent_ms == sent + 100

    run(bench, scenario)


def test_a_phrase_that_cannot_be_converted_fails_once_and_the_next_is_played():
    bench = Bench(LISTENING)
    junk = speech(9000, format=MP3, data=bytes(90_000), pieces=9)

    async def scenario():
        bench.put(*junk, *speech(100, 2, at_ms=9000.0), finished())
        await asyncio.sleep(0.01)
        assert bench.names() == [
            "SpeechStarted", "PhraseFailed", "SpeechStarted", "SpeechChunk", "SpeechEnded", "TurnFinished",
        ]  # fmt: skip
        # What could not be played is no part of what was sent, but the words after it are found all the same.
        playback = bench.playbacks["t1", 0]
        assert (playback.sent_ms, playback.made_ms(50), playback.made_ms(100)) == (100, 9050, 9100)

    run(bench, scenario)


def test_a_format_that_cannot_be_made_fails_every_phrase_once():
    bench = Bench(AudioFormat("ima_adpcm", 16_000, 2))

    async def scenario():
        bench.put(*speech(300, pieces=3), *speech(300, 2, at_ms=300.0, pieces=3), finished())
        await asyncio.sleep(0.01)
        assert bench.names() == ["PhraseFailed", "PhraseFailed", "TurnFinished"]

    run(bench, scenario)


def test_a_phrase_without_audio_that_failed_is_told_after_one_that_could_not_be_converted():
    bench = Bench(LISTENING)

    async def scenario():
        bench.put(*speech(100, format=MP3, data=b"nothing"))
        bench.put(PhraseFailed(turn_id="t1", phrase=2, message="no voice"), finished())
        await asyncio.sleep(0.01)
        assert bench.names() == ["SpeechStarted", "PhraseFailed", "PhraseFailed", "TurnFinished"]
        assert bench.outputs[2].message == "no voice"

    run(bench, scenario)


@pytest.mark.parametrize("target", [PCM_8, ADPCM, MP3], ids=str)
def test_what_was_made_of_a_phrase_that_was_cut_is_played_to_its_last_sample(target):
    bench = Bench(target)

    async def scenario():
        bench.put(*speech(333)[:-1], PhraseFailed(turn_id="t1", phrase=1, message="cut"))
        await asyncio.sleep(0.01)
        assert sum(o.audio.ms for o in bench.outputs if isinstance(o, SpeechChunk)) >= 332.5
        assert isinstance(bench.outputs[-1], PhraseFailed)

    run(bench, scenario)


def test_places_count_what_was_sent_and_find_what_was_made():
    bench = Bench(MP3)

    async def scenario():
        for number in range(1, 6):
            bench.put(*speech(1000, number, at_ms=1000.0 * (number - 1)))
        await asyncio.sleep(0.01)
        chunks = [o for o in bench.outputs if isinstance(o, SpeechChunk)]
        total = 0.0
        for chunk in chunks:
            assert chunk.at_ms == pytest.approx(total)
            total += chunk.audio.ms
        assert total > 5100  # an encoder adds some to every phrase
        starts = [o.at_ms for o in bench.outputs if isinstance(o, SpeechStarted)]
        for number, place in enumerate(starts):
            assert bench.playbacks["t1", 0].made_ms(place) == pytest.approx(1000.0 * number)
        assert bench.playbacks["t1", 0].made_ms(total) == pytest.approx(5000)

    run(bench, scenario)


def test_two_turns_at_once_are_converted_apart():
    bench = Bench(PCM_8)
    one, two = speech(400, pieces=4), speech(400, turn="t2", pieces=4, data=b"\x10\x10" * 6400)

    async def scenario():
        bench.put(*(output for pair in zip(one, two, strict=True) for output in pair), finished("t1"), finished("t2"))
        await asyncio.sleep(0.01)
        for turn, loud in (("t1", False), ("t2", True)):
            data = b"".join(o.audio.data for o in bench.outputs if isinstance(o, SpeechChunk) and o.turn_id == turn)
            assert len(data) == PCM_8.pcm_bytes(400)
            assert any(data) == loud

    run(bench, scenario)


def test_it_begins_where_the_client_was_and_not_in_later_phrases():
    data = b"".join((n % 30_000).to_bytes(2, "little") for n in range(16_000))
    bench = Bench(begin_ms={("t1", 0): 250.0})
    bench.playbacks["t1", 0].sent(250, 0)

    async def scenario():
        bench.put(*speech(1000, data=data, pieces=3), *speech(100, 2, at_ms=1000.0))
        await asyncio.sleep(0.01)
        assert bench.audio() == data[LISTENING.pcm_bytes(250) :] + bytes(3200)
        assert bench.outputs[0].at_ms == 250

    run(bench, scenario)


@pytest.mark.parametrize("buffer_ms", [0.0, 1.0, 10.0])
def test_a_loudspeaker_that_holds_next_to_nothing_is_not_sent_single_samples(buffer_ms):
    bench = Bench(buffer_ms=buffer_ms)

    async def scenario():
        bench.put(*speech(1000))
        await asyncio.sleep(1.1)
        assert len([o for o in bench.outputs if isinstance(o, SpeechChunk)]) == 50

    run(bench, scenario)


def test_a_raw_opus_packet_is_never_cut():
    opus = AudioFormat("opus", 48_000, 1)
    encode = converter(LISTENING, opus)
    packets = [*encode.feed(bytes(32_000)), *encode.flush()]
    bench = Bench(buffer_ms=25)

    async def scenario():
        bench.put(SpeechStarted(turn_id="t1", phrase=1, format=opus))
        for number, packet in enumerate(packets):
            bench.put(SpeechChunk(turn_id="t1", phrase=1, audio=packet, at_ms=20.0 * number))
        await asyncio.sleep(2)
        assert [o.audio.data for o in bench.outputs if isinstance(o, SpeechChunk)] == [p.data for p in packets]

    run(bench, scenario)
