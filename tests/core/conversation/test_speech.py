from __future__ import annotations

import asyncio

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.conversation.lane import Lane
from mynah.conversation.measure import Measure
from mynah.conversation.speech import Voicing
from mynah.errors import EngineError
from mynah.outputs import PhraseFailed, PhraseReady, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now
from mynah.values import WordMark

MP3 = AudioFormat("mp3", 24_000, 1)
STEREO = AudioFormat("pcm_s16le", 16_000, 2)


def chunk(ms=100.0):
    return AudioChunk(bytes(LISTENING.pcm_bytes(ms)), LISTENING, ms)


def ready(number, text="some words"):
    return PhraseReady(turn_id="t1", phrase=number, text=text)


async def say(synthesize, count=3, *, emit=None, **more):
    outputs = []

    async def collect(output):
        outputs.append(output)

    async with asyncio.TaskGroup() as tasks:
        voicing = Voicing("t1", tasks, synthesize, emit or collect, **more)
        for number in range(1, count + 1):
            await voicing.take(ready(number))
    return voicing, outputs


# ---------------------------------------------------------------- measuring


def take(measure, *chunk):
    return list(measure.take(AudioChunk(*chunk)))


def test_pcm_is_measured_whatever_the_engine_says():
    assert take(Measure(), bytes(3200), LISTENING, 7.0)[0].ms == 100
    assert take(Measure(), bytes(3200), LISTENING)[0].ms == 100


def test_samples_that_are_cut_are_put_together():
    for format in (LISTENING, STEREO):
        measure, got = Measure(), b""
        data = bytes(range(240))
        for at in range(0, 240, 7):
            for taken in take(measure, data[at : at + 7], format):
                assert len(taken.data) % format.frame_bytes == 0
                assert taken.ms == format.pcm_ms(len(taken.data))
                got += taken.data
        assert got == data


def test_a_chunk_of_nothing_is_nothing():
    assert take(Measure(), b"", LISTENING) == []
    assert take(Measure(), b"x", LISTENING) == []


def test_whole_chunks_are_handed_on_as_they_are():
    data = bytes(3200)
    assert take(Measure(), data, LISTENING, 100.0)[0].data is data


@pytest.mark.parametrize("format", [LISTENING, STEREO, MP3])
def test_long_chunks_are_cut(format):
    data = bytes(range(200)) * 960
    taken = take(Measure(), data, format, 6000.0)
    assert b"".join(piece.data for piece in taken) == data
    assert max(piece.ms for piece in taken) <= 500
    assert sum(piece.ms for piece in taken) == pytest.approx(format.pcm_ms(len(data)) if format.is_pcm else 6000)
    assert not format.is_pcm or all(len(piece.data) % format.frame_bytes == 0 for piece in taken)


def test_a_compressed_stream_is_measured_where_its_first_chunk_does_not_tell():
    encode = converter(LISTENING, MP3)
    chunks = encode.feed(bytes(32_000)) + encode.flush()
    data, lasts = b"".join(c.data for c in chunks), sum(c.ms for c in chunks)
    measure = Measure()
    taken = [piece for at in range(0, len(data), 31) for piece in take(measure, data[at : at + 31], MP3)]
    assert sum(c.ms for c in taken) == pytest.approx(lasts)
    told = Measure()
    assert take(told, data[:40], MP3, 5.0)[0].ms == 5.0
    assert take(told, data[40:80], MP3, 0.0)[0].ms == 0.0


# ---------------------------------------------------------------- lanes


async def fill(lane, *items, error=None):
    async def give():
        for item in items:
            yield item
        if error is not None:
            raise error

    await lane.fill(give())


async def drain(lane):
    """Return all that `lane` gives."""
    items = []
    while (item := await lane.peek()) is not None:
        lane.pop()
        items.append(item)
    return items


async def test_a_lane_takes_so_much_and_then_waits_for_its_reader():
    lane = Lane(ready(1, "a"), 200)
    chunks = [chunk() for _ in range(10)]
    filling = asyncio.create_task(fill(lane, *chunks))
    await asyncio.sleep(0.01)
    assert lane.held_ms == pytest.approx(500)
    assert await drain(lane) == chunks
    await asyncio.wait({filling}, timeout=1)


async def test_a_lane_has_room_for_a_whole_phrase_so_that_no_slow_listener_keeps_an_engine_busy():
    text = "a sentence of some length that takes an engine a while to say, and a person as long to hear"
    lane = Lane(ready(1, text), 200)
    await asyncio.wait_for(fill(lane, *[chunk() for _ in range(len(text))]), 1)
    assert lane.held_ms == 100 * len(text)
    endless = Lane(ready(1, 10_000 * text), 200)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fill(endless, *[chunk() for _ in range(10_000)]), 0.1)
    assert endless.held_ms <= 60_200


async def test_what_a_lane_holds_can_be_cut_and_what_it_gave_out_cannot():
    lane = Lane(ready(1), 1000)
    await fill(lane, chunk(), WordMark(4, 50.0), chunk(), chunk())
    await lane.peek()
    lane.pop()
    assert lane.cut(130.0) == 130.0
    assert (lane.given_ms, lane.held_ms) == (100.0, 30.0)
    assert await drain(lane) == [WordMark(4, 50.0), chunk(30.0)]


async def test_a_lane_is_closed_however_its_synthesis_ends():
    for error in (None, EngineError("no"), RuntimeError("defect"), asyncio.CancelledError()):
        lane = Lane(ready(1), 200)
        filling = asyncio.ensure_future(fill(lane, chunk(), error=error))
        assert await drain(lane) == [chunk()]
        await asyncio.wait({filling})
        assert lane.trouble == ("no" if isinstance(error, EngineError) else "")
        if not filling.cancelled():
            filling.exception()


# ---------------------------------------------------------------- voicing


async def test_phrases_are_given_out_in_order_however_they_are_made():
    async def synthesize(phrase, take_back):
        await asyncio.sleep({1: 0.03, 2: 0.0, 3: 0.01}[phrase.phrase])
        for _ in range(2):
            yield chunk()

    voicing, outputs = await say(synthesize)
    names = [type(output).__name__ for output in outputs]
    assert names == ["SpeechStarted", "SpeechChunk", "SpeechChunk", "SpeechEnded"] * 3
    assert [o.at_ms for o in outputs if isinstance(o, SpeechChunk)] == [0, 100, 200, 300, 400, 500]
    assert [o.at_ms for o in outputs if isinstance(o, SpeechStarted)] == [0, 200, 400]
    assert [(p.start_ms, p.ms, p.complete) for p in voicing.voiced] == [
        (0, 200, True),
        (200, 200, True),
        (400, 200, True),
    ]


async def test_chunks_without_a_length_announce_the_phrase_once():
    async def synthesize(phrase, take_back):
        yield AudioChunk(b"\xff", MP3)
        yield AudioChunk(b"\xfb", MP3)

    voicing, outputs = await say(synthesize, 2)
    names = [type(output).__name__ for output in outputs]
    assert names == ["SpeechStarted", "SpeechChunk", "SpeechChunk", "PhraseFailed"] * 2
    assert voicing.failed == 2


async def test_the_time_to_start_at_is_for_the_first_audio_whichever_phrase_has_it():
    async def synthesize(phrase, take_back):
        if phrase.phrase == 1:
            raise EngineError("no")
        yield chunk()

    _, outputs = await say(synthesize, start_at=5.0)
    assert [o.start_at for o in outputs if isinstance(o, SpeechStarted)] == [5.0, None]


async def test_marks_alone_are_no_audio():
    async def synthesize(phrase, take_back):
        yield WordMark(4, 10.0)

    voicing, outputs = await say(synthesize, 1)
    assert [type(o) for o in outputs] == [PhraseFailed]
    assert not voicing.voiced


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_who_stands_by_gives_out_what_comes_and_goes_when_nothing_does(count):
    async def synthesize(phrase, take_back):
        yield chunk()

    outputs = []

    async def collect(output):
        outputs.append(output)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        voicing = Voicing("t1", tasks, synthesize, collect)
        voicing.stand_by()
        voicing.stand_by()  # who does already goes on
        await asyncio.sleep(0)
        for number in range(1, count + 1):
            await voicing.take(ready(number))
        voicing.stand_down()
    assert [type(o) for o in outputs] == [SpeechStarted, SpeechChunk, SpeechEnded] * count


async def test_a_defect_comes_up_and_stops_everything():
    async def synthesize(phrase, take_back):
        if phrase.phrase == 2:
            raise RuntimeError("a defect")
        yield chunk()
        await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        await say(synthesize)
    assert caught.group_contains(RuntimeError)


def test_while_nobody_takes_no_more_is_made_than_so_much():
    made_ms = 0.0

    async def main():
        nonlocal made_ms

        async def synthesize(phrase, take_back):
            nonlocal made_ms
            for _ in range(1000):
                made_ms += 100
                yield chunk()

        async def emit(output):
            if isinstance(output, SpeechChunk) and output.at_ms >= 1000:
                await asyncio.sleep(3600)

        voicing = asyncio.ensure_future(say(synthesize, 8, emit=emit, ahead_ms=3000))
        await asyncio.sleep(60)
        voicing.cancel()
        await asyncio.wait({voicing})

    run_in_virtual_time(main())
    assert made_ms <= 1000 + 2 * 3000 + 600


def test_no_more_than_three_are_made_at_once_and_the_next_begins_when_one_was_given_out():
    began = []

    async def main():
        start = now()

        async def synthesize(phrase, take_back):
            began.append(round(now() - start, 3))
            await asyncio.sleep(1)
            yield chunk()

        _, outputs = await say(synthesize, 7)
        assert [o.phrase for o in outputs if isinstance(o, SpeechEnded)] == list(range(1, 8))

    run_in_virtual_time(main())
    assert began == [0, 0, 0, 1, 1, 1, 2]
