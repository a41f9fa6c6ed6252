from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import aclosing

import pytest

from mynah import LISTENING, AudioFormat, EngineError, EngineUnavailable, Grounding, Hints
from mynah.testing import check_speech_to_text
from mynah_whisper import mynah_engines
from mynah_whisper.config import Options
from mynah_whisper.engine import Whisper, open_whisper
from mynah_whisper.gates import Decoded, probability
from mynah_whisper.recognizer import Found
from mynah_whisper.settling import Word
from mynah_whisper.slots import Slots, spares
from mynah_whisper.voice import load_detector

SAID = "what do lions eat"
SILENCE = bytes(LISTENING.pcm_bytes(3000))
HINTS = Hints(words=("lion", "giraffe"))


def noise(seconds, level, seed=0):
    chance = random.Random(seed)
    samples = (int(max(-32768, min(32767, chance.gauss(0, level)))) for _ in range(int(seconds * LISTENING.rate)))
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


class Blocking:
    """A recogniser that blocks in C, as far as anybody can tell: it takes its time and cannot be stopped."""

    multilingual = False
    name = "blocking"

    def __init__(self, seconds, text="heard"):
        self.seconds = seconds
        self.text = text
        self.windows = []
        self.stretches = []
        self.released = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._began = asyncio.Event()

    async def begins(self, count):
        """Wait until so many decodes have begun."""
        async with asyncio.timeout(5):
            while len(self.windows) < count:
                self._began.clear()
                await self._began.wait()

    def knows(self, language):
        return language == "en"

    def decode(self, stretch, stop):
        self.stretches.append(stretch)
        self.windows.append(len(stretch.audio) / 32_000)
        self._loop.call_soon_threadsafe(self._began.set)
        self.released.wait(self.seconds)
        return Found(Decoded((Word(f" {self.text}", 0.3, 0.6),), -0.1, 0.0), "en")


@pytest.fixture(scope="module")
def detector():
    return load_detector()


@pytest.fixture
async def blocking(detector):
    made = []

    def make(seconds, workers=2):
        recognizer, slots = Blocking(seconds), Slots(workers)
        made.append((recognizer, slots))
        return Whisper(recognizer, detector, slots, Options(workers=workers)), recognizer, slots

    yield make
    for recognizer, slots in made:
        recognizer.released.set()
        slots.close()


# ---------------------------------------------------------------- the contract


async def test_it_keeps_the_contract_of_speech_to_text(said_model, tmp_path, recording):
    [spec] = mynah_engines()
    utterances = (recording("goforward.wav"), recording("austen-0880.wav"))
    config = {"model": str(said_model), "device": "cpu", "threads": 1}
    await check_speech_to_text(spec, config, folder=tmp_path, hints=HINTS, utterances=utterances)


def test_it_is_no_embedded_engine():
    [spec] = mynah_engines()
    assert (spec.name, spec.kind, spec.embedded) == ("whisper", "stt", False)
    assert Options.parse({"engine": "whisper", "hotwords": ["okapi"]}).hotwords == ("okapi",)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("name", ["jfk.wav", "austen-0870.wav", "goforward.wav", "cards-001.wav"])
async def test_a_fixed_text_is_heard_once_however_long_the_recording_is(engine, recording, hear, spoken, name):
    final = (await hear(engine, spoken(recording(name), 0.002), hints=HINTS))[-1]
    assert (final.text, final.final, final.language, final.understood) == (SAID, True, "en", True)
    assert final.confidence > 0.9


async def test_partial_transcripts_come_before_the_end_and_say_how_sure_they_are(engine, recording, microphone):
    audio = microphone(recording("jfk.wav"))
    async with aclosing(engine.transcribe(audio, LISTENING, language="en-GB", hints=HINTS)) as transcripts:
        partial = await asyncio.wait_for(anext(transcripts), 10)
    assert (partial.text, partial.final, partial.language) == (SAID, False, "en-GB")
    assert partial.confidence > 0.9


async def test_random_weights_end_in_bounded_time_and_their_text_is_not_believed(
    random_model, tmp_path, hear, spoken, recording
):
    async with open_whisper({"model": str(random_model), "beam_size": 5, "threads": 1}, tmp_path) as engine:
        for name in ("jfk.wav", "austen-0890.wav", "alexa.wav"):
            began = time.monotonic()
            final = (await hear(engine, spoken(recording(name), 0.001)))[-1]
            assert time.monotonic() - began < 20
            assert (final.text, final.understood) == ("", False)
            assert 0 <= final.confidence < 0.1


async def test_the_language_is_heard_and_told_with_every_transcript(german_model, tmp_path, recording, hear, spoken):
    async with open_whisper({"model": str(german_model), "threads": 1}, tmp_path) as engine:
        transcripts = await hear(engine, spoken(recording("jfk.wav"), 0.002), language=None)
        assert [transcript.language for transcript in transcripts] == ["de"] * len(transcripts)
        assert transcripts[-1].text == "was fressen die Löwen"
        assert (await hear(engine, recording("goforward.wav"), language="fr-CA"))[-1].language == "fr-CA"
        with pytest.raises(EngineError, match="does not know the language 'qaa'"):
            await hear(engine, b"", language="qaa")


async def test_a_language_that_is_configured_wins_over_the_persona_s(german_model, tmp_path, recording, hear):
    for configured, heard in (("auto", "de"), ("it", "it")):
        config = {"model": str(german_model), "threads": 1, "language": configured}
        async with open_whisper(config, tmp_path) as engine:
            assert (await hear(engine, recording("goforward.wav"), language="en"))[-1].language == heard


async def test_another_language_than_an_english_model_knows_is_refused(engine, hear):
    with pytest.raises(EngineError, match="knows only English, not 'de'"):
        await hear(engine, SILENCE, language="de")


async def test_another_format_is_refused(engine):
    async def nothing():
        yield b""

    with pytest.raises(EngineError, match="pcm_s16le/16000/1"):
        await anext(engine.transcribe(nothing(), AudioFormat(rate=8000), language="en", hints=Hints()))


async def test_what_the_audio_s_source_raises_is_raised_here(engine, recording, hear):
    async def broken():
        yield recording("goforward.wav")
        raise ConnectionResetError("the microphone is gone")

    with pytest.raises(ConnectionResetError, match="the microphone is gone"):
        await hear(engine, broken())


async def test_warming_up_decodes_with_the_persona_s_words_where_the_model_knows_its_language(blocking):
    engine, recognizer, _ = blocking(0)
    await engine.warm_up(Grounding(), HINTS)
    await engine.warm_up(Grounding(language="de"), HINTS)
    assert [stretch.vocabulary for stretch in recognizer.stretches] == [HINTS.words]


# ---------------------------------------------------------------- what is no speech


@pytest.mark.parametrize("level", [0, 3, 300, 3000])
async def test_silence_and_noise_are_never_decoded(blocking, hear, level):
    engine, recognizer, _ = blocking(0)
    [final] = await hear(engine, noise(4, level))
    assert (final.text, final.final, final.understood, final.language) == ("", True, True, "en")
    assert final.confidence > 0.5
    assert not recognizer.windows


async def test_text_that_the_model_takes_for_no_speech_or_that_repeats_itself_is_dropped(blocking, recording, hear):
    engine, recognizer, _ = blocking(0)
    gates = {
        (-1.5, 0.9, "thanks for watching"): ("", True),
        (-0.1, 0.9, "thanks for watching"): ("thanks for watching", True),
        (-0.1, 0.0, "so it goes on " * 20): ("", False),
        (-2.0, 0.0, "mumble"): ("", False),
    }
    for (log_probability, no_speech, text), expected in gates.items():
        found = Found(Decoded((Word(text, 0.3, 0.9, probability(log_probability)),), log_probability, no_speech), "en")
        recognizer.decode = lambda stretch, stop, found=found: found
        final = (await hear(engine, recording("goforward.wav")))[-1]
        assert (final.text, final.understood) == expected
        assert 0 <= final.confidence <= 1


# ---------------------------------------------------------------- how much is decoded, and when


async def test_after_the_end_there_is_one_decode_of_what_is_left(blocking, recording, microphone, hear):
    engine, recognizer, _ = blocking(0.01)
    ended = []

    async def source():
        async for piece in spoken_at(recording("jfk.wav")):
            yield piece
        ended.append(len(recognizer.windows))

    await hear(engine, source())
    assert ended[0] > 2
    assert len(recognizer.windows) - ended[0] <= 1
    assert max(recognizer.windows) <= 30


async def spoken_at(audio, times=20):
    for at in range(0, len(audio), 1280):
        await asyncio.sleep(0.04 / times)
        yield audio[at : at + 1280]


async def test_a_pause_at_the_end_has_the_text_ready_when_the_utterance_ends(blocking, recording, hear):
    engine, recognizer, _ = blocking(0.01)
    ended = []

    async def source():
        async for piece in spoken_at(recording("goforward.wav") + bytes(LISTENING.pcm_bytes(600))):
            yield piece
        await recognizer.begins(1)
        ended.append(len(recognizer.windows))

    assert (await hear(engine, source()))[-1].text == "heard"
    assert len(recognizer.windows) == ended[0]


async def test_an_utterance_that_ends_just_as_a_window_is_decoded_is_heard_whole(blocking, recording, hear):
    engine, recognizer, _ = blocking(0.05)

    async def source():
        async for piece in spoken_at(recording("austen-0870.wav")):
            yield piece
            await asyncio.sleep(0.01)
            if recognizer.windows:
                return

    assert (await hear(engine, source()))[-1].text == "heard"
    assert recognizer.windows == [recognizer.windows[0]] * 2


async def test_minutes_of_speech_at_once_are_decoded_in_windows_of_30_s(blocking, recording, hear):
    engine, recognizer, _ = blocking(0.02)

    async def source():
        yield recording("jfk.wav") * 14

    assert (await hear(engine, source()))[-1].text
    assert max(recognizer.windows) == pytest.approx(30, abs=0.01)
    assert sum(recognizer.windows) > 150


async def test_minutes_of_silence_are_not_kept(blocking, hear):
    engine, _, _ = blocking(0)

    async def source():
        for _ in range(10):
            yield bytes(LISTENING.pcm_bytes(30_000))

    assert (await hear(engine, source()))[-1].text == ""


# ---------------------------------------------------------------- who decodes


async def test_a_cancel_in_mid_decode_lets_the_next_utterance_begin_at_once(blocking, recording, microphone):
    engine, recognizer, slots = blocking(5, workers=1)
    for number in range(spares(1)):
        turn = asyncio.create_task(drain(engine, microphone(recording("jfk.wav"))))
        await recognizer.begins(number + 1)
        waiting = asyncio.create_task(slots.run(lambda: lambda stop: time.monotonic(), 0))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        cancelled = time.monotonic()
        turn.cancel()
        assert await asyncio.wait_for(waiting, 5) - cancelled < 2  # and not the five seconds of the decode
        await asyncio.wait({turn}, timeout=2)
        assert turn.cancelled()


async def test_interruptions_at_random_moments_leave_all_workers_free(engine, recording, microphone, hear):
    chance = random.Random(0)
    for _ in range(40):
        turn = asyncio.create_task(drain(engine, microphone(recording("goforward.wav"))))
        await asyncio.sleep(chance.uniform(0, 0.06))
        turn.cancel()
        await asyncio.wait({turn})
        assert turn.cancelled()
    began = time.monotonic()
    assert (await hear(engine, recording("goforward.wav")))[-1].text == SAID
    assert time.monotonic() - began < 10


async def drain(engine, audio):
    async with aclosing(engine.transcribe(audio, LISTENING, language="en", hints=Hints())) as transcripts:
        return [transcript async for transcript in transcripts]


async def test_several_people_are_heard_at_once(engine, recording, hear):
    names = ("jfk.wav", "goforward.wav", "austen-0880.wav", "cards-002.wav")
    heard = await asyncio.gather(*(hear(engine, recording(name)) for name in names))
    assert [transcripts[-1].text for transcripts in heard] == [SAID] * 4


# ---------------------------------------------------------------- what cannot be opened


async def opened(config, folder):
    async with open_whisper(config, folder):
        pass


async def test_a_cuda_card_that_is_not_there_is_one_clear_line(said_model, tmp_path):
    with pytest.raises(EngineUnavailable, match=r"^engines → stt → whisper → device: .*set `device: cpu`") as caught:
        await opened({"model": str(said_model), "device": "cuda"}, tmp_path)
    assert "\n" not in str(caught.value)


async def test_a_compute_type_that_the_processor_lacks_is_one_clear_line(said_model, tmp_path):
    with pytest.raises(EngineUnavailable, match="Set `compute_type: auto`"):
        await opened({"model": str(said_model), "device": "cpu", "compute_type": "float16"}, tmp_path)


async def test_a_damaged_model_is_one_clear_line(said_model, tmp_path):
    for file in said_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1000 if file.name == "model.bin" else None])
    with pytest.raises(EngineUnavailable, match="cannot be loaded") as caught:
        await opened({"model": str(tmp_path), "device": "cpu"}, tmp_path)
    assert "\n" not in str(caught.value)


async def test_an_overlap_as_long_as_the_window_is_refused(said_model, tmp_path):
    with pytest.raises(EngineUnavailable, match="overlap_s: 2 is not less than window_s"):
        await opened({"model": str(said_model), "overlap_s": 2, "window_s": 1.5}, tmp_path)
