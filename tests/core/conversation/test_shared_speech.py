"""Recordings: made once, read by many, and their conversions."""

from __future__ import annotations

import asyncio
import math

import numpy
import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.conversation.encodings import Encodings, delay_ms
from mynah.conversation.playback import Pacer
from mynah.conversation.shared_speech import LAG_MS, Recording, SharedSpeech
from mynah.errors import EngineError
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now
from mynah.values import WordMark

ADPCM = AudioFormat("ima_adpcm", 16_000, 1)


def chunk(ms, value=1):
    return AudioChunk(bytes([value, 0]) * (LISTENING.pcm_bytes(ms) // 2), LISTENING, ms)


def recording(*items, error=None, pause=0.0):
    made = []

    async def make(take_back, meter):
        for item in items:
            await asyncio.sleep(pause)
            made.append(item)
            yield item
        if error:
            raise error

    one = Recording("words", make)
    return one, made


async def all_of(speech, number=1):
    return [item async for item in speech.read(number)]


def virtual(test):
    def run():
        run_in_virtual_time(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@virtual
async def test_everybody_gets_all_of_it_and_it_is_made_once():
    one, made = recording(chunk(100), WordMark(5, 100.0), chunk(100, 2), pause=0.1)
    speech = SharedSpeech("words", [one])
    speech.begin(None)
    early = asyncio.ensure_future(all_of(speech))
    await asyncio.sleep(0.15)
    late = asyncio.ensure_future(all_of(speech))
    assert await early == await late == made
    assert (speech.ms, speech.complete) == (200, True)


@virtual
async def test_nothing_is_read_before_it_begins_though_it_is_made():
    one, made = recording(chunk(100))
    speech = SharedSpeech("words", [one])
    reading = asyncio.ensure_future(all_of(speech))
    await speech.ready()
    await asyncio.sleep(1)
    assert made
    assert not reading.done()
    speech.begin(5_000.0)
    speech.begin(None)
    assert await reading == made
    assert speech.start_at == 5_000.0


@virtual
async def test_a_failure_is_told_to_everybody_after_what_there_is():
    one, _ = recording(chunk(100), error=EngineError("the voice broke"))
    speech = SharedSpeech("words", [one])
    speech.begin(None)
    for _ in range(2):
        reader = speech.read(1)
        assert await anext(reader) == chunk(100)
        with pytest.raises(EngineError, match="the voice broke"):
            await anext(reader)


@virtual
async def test_a_reader_that_is_far_behind_is_told_so_and_memory_is_bounded():
    one, made = recording(*[chunk(500)] * 400)
    speech = SharedSpeech("words", [one])
    speech.begin(None)
    slow = speech.read(1)
    await anext(slow)
    async for _ in speech.read(1):
        assert len(made) * 500 <= 200_000
    with pytest.raises(EngineError, match="too slow"):
        await anext(slow)
    await slow.aclose()


@virtual
async def test_it_is_not_made_far_ahead_of_whoever_reads():
    one, made = recording(*[chunk(500)] * 400)
    speech = SharedSpeech("words", [one])
    speech.begin(None)
    reader = speech.read(1)
    await anext(reader)
    await asyncio.sleep(10)
    assert len(made) * 500 < LAG_MS + 2_000
    await reader.aclose()
    await speech.stopped()
    assert speech.complete


@virtual
async def test_what_nobody_has_read_can_be_taken_back():
    kept = []

    async def make(take_back, meter):
        yield chunk(200)
        await asyncio.sleep(0.1)
        kept.append(take_back(50.0))
        yield chunk(100, 2)
        await asyncio.sleep(0.1)
        kept.append(take_back(10.0))

    speech = SharedSpeech("words", [Recording("words", make)])
    asyncio.get_running_loop().call_later(0.15, speech.begin, None)
    heard = await all_of(speech)
    assert kept == [50.0, None]
    assert [item.ms for item in heard] == [50.0, 100.0]


def test_outlets_share_a_conversion_step_by_step_whoever_is_first():
    encodings, audio = Encodings(), [chunk(40, value) for value in range(1, 30)]
    ways = [encodings.revoicing(1, LISTENING, (ADPCM,)) for _ in range(3)]
    given = [b"" for _ in ways]
    for number, piece in enumerate(audio):
        for index in sorted(range(3), key=lambda index, number=number: (index + number) % 3):
            given[index] += b"".join(out.data for _, out in ways[index].feed(number * 40.0, piece))
    given = [data + b"".join(out.data for _, out in way.flush()) for data, way in zip(given, ways, strict=True)]
    alone = converter(LISTENING, ADPCM)
    wanted = b"".join(out.data for piece in audio for out in alone.feed(piece.data))
    wanted += b"".join(out.data for out in alone.flush())
    assert given == [wanted] * 3
    assert encodings.made == 1


def test_an_outlet_that_begins_in_the_middle_has_a_conversion_of_its_own():
    encodings = Encodings()
    first, late = (encodings.revoicing(1, LISTENING, (ADPCM,)) for _ in range(2))
    first.feed(0.0, chunk(40))
    placed = [*late.feed(40.0, chunk(40, 2)), *late.flush()]
    assert placed[0][0] == 40.0
    assert sum(audio.ms for _, audio in placed) == pytest.approx(40, abs=1)
    assert first.flush()[0][0] < 40.0


BURST = (numpy.sin(numpy.arange(480) * 0.4) * numpy.hanning(480) * 12_000).astype("<i2")


def bursts(rate):
    """Half a second of silence that a burst breaks in its middle; of an awkward length."""
    samples = numpy.zeros(rate // 2 + 7, "<i2")
    samples[rate // 4 : rate // 4 + 480] = BURST
    return AudioChunk(samples.tobytes(), AudioFormat("pcm_s16le", rate, 1), len(samples) * 1000 / rate)


@pytest.mark.parametrize("target", [AudioFormat("mp3", 24_000, 1), AudioFormat("opus", 24_000, 1)], ids=str)
def test_a_compressed_stream_keeps_in_step_through_all_phrases(target):
    encodings = Encodings(6)
    sounds, at_ms, wanted = [], 0.0, []
    for phrase in range(1, 7):
        audio = bursts(24_000)
        first, second = (encodings.revoicing(phrase, audio.format, (target,)) for _ in range(2))
        placed = [*first.feed(at_ms, audio), *first.flush()]
        assert [*second.feed(at_ms, audio), *second.flush()] == placed
        sounds += placed
        wanted.append(at_ms + 250)
        at_ms += audio.ms
    pcm = AudioFormat("pcm_s16le", 24_000, 1)
    decode = converter(target, pcm)
    data = b"".join(out.data for _, audio in sounds for out in decode.feed(audio.data))
    data += b"".join(out.data for out in decode.flush())
    heard = numpy.correlate(numpy.frombuffer(data, "<i2").astype(float), BURST.astype(float), "valid")
    for at in wanted:
        near = int((at - 20) * 24), int((at + 100) * 24)
        found = (near[0] + int(numpy.argmax(heard[near[0] : near[1]]))) / 24
        assert found - at == pytest.approx(delay_ms(target), abs=1)
    assert encodings.made == 6


def test_an_outlet_that_is_ahead_of_those_who_share_does_not_disturb_them():
    target = AudioFormat("mp3", 24_000, 1)
    encodings, audio = Encodings(2), bursts(24_000)
    slow = encodings.revoicing(1, audio.format, (target,))
    begun = slow.feed(0.0, audio)
    ahead = encodings.revoicing(2, audio.format, (target,))
    assert ahead.feed(500.0, audio)
    both = begun + slow.flush()
    next_one = encodings.revoicing(2, audio.format, (target,))
    both += next_one.feed(500.0, audio) + next_one.flush()
    assert sum(out.ms for _, out in both) == pytest.approx(1000, abs=75)
    assert encodings.made == 2


def test_what_a_loudspeaker_plays_passes_through_untouched():
    way = Encodings().revoicing(1, LISTENING, (ADPCM, LISTENING))
    piece = chunk(40)
    assert way.feed(0.0, piece)[0][1] is piece


@virtual
async def test_a_pacer_counts_nothing_as_played_before_the_time_to_begin():
    pacer = Pacer(200)
    pacer.sent(100)  # of a reply, which sounds at once
    pacer.pause_until(now() + 0.5)
    pacer.sent(100)
    assert round(pacer.level) == 200
    assert round(pacer.through_ms) == 600
    await asyncio.sleep(0.1)
    assert round(pacer.level) == 100
    assert round(pacer.wait_s(150), 3) == round(0.05 + 0.4, 3)
    await asyncio.sleep(0.4)
    assert round(pacer.level) == 100
    await asyncio.sleep(0.05)
    assert round(pacer.level) == 50


@virtual
async def test_a_pacer_does_not_believe_a_time_that_is_far_off():
    pacer = Pacer(200)
    for at in (now() + 3600, now() - 1, math.inf):
        pacer.pause_until(at)
    pacer.sent(100)
    assert round(pacer.through_ms) == 100
