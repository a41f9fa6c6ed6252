import asyncio
import math
import subprocess
import sys
import time
from array import array
from contextlib import AsyncExitStack, aclosing
from itertools import pairwise
from pathlib import Path

import pytest
import voluptuous as vol

from mynah import AudioChunk, AudioFormat, EngineError, EngineUnavailable, KnowsVoices, TextToSpeech, Voice, WordMark
from mynah_espeak import mynah_engines
from mynah_espeak.config import SCHEMA
from mynah_espeak.engine import open_espeak

LONG = "The lion sleeps tonight, in the mighty jungle. " * 40


@pytest.fixture
async def espeak():
    async with open_espeak(configured(), Path()) as engine:
        yield engine


def configured(**config):
    return vol.Schema(SCHEMA)(config)


async def said(engine, text, *, voice=None, language="en-US"):
    async with aclosing(engine.synthesize(text, voice=voice or Voice(), language=language)) as parts:
        return [part async for part in parts]


def pcm(parts):
    return b"".join(part.data for part in parts if isinstance(part, AudioChunk))


def marks(parts):
    return [part for part in parts if isinstance(part, WordMark)]


def milliseconds(parts):
    return sum(part.ms for part in parts if isinstance(part, AudioChunk))


def loudness(parts):
    samples = array("h", pcm(parts))
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


async def test_it_gives_speech_in_its_own_format_in_small_chunks(espeak):
    chunks = [part for part in await said(espeak, "Hello there, my friend.") if isinstance(part, AudioChunk)]

    assert isinstance(espeak, TextToSpeech)
    assert {chunk.format for chunk in chunks} == {AudioFormat("pcm_s16le", 22_050, 1)}
    assert all(0 < chunk.ms <= 61 and len(chunk.data) % 2 == 0 for chunk in chunks)
    assert 800 < milliseconds(chunks) < 3000
    assert loudness(chunks) > 500


async def test_audio_comes_while_it_is_still_synthesised(espeak):
    async with aclosing(espeak.synthesize(LONG, voice=Voice(), language="en")) as parts:
        started = time.perf_counter()
        first = await anext(parts)
        to_first = time.perf_counter() - started
        rest = [part async for part in parts]
        whole = time.perf_counter() - started

    assert isinstance(first, AudioChunk)
    assert milliseconds(rest) > 60_000
    assert to_first < whole / 4


async def test_the_event_loop_stays_free(espeak):
    lags = []

    async def watch():
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - before - 0.001)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(said(espeak, LONG) for _ in range(3)))
    watcher.cancel()

    assert sorted(lags)[len(lags) // 2] < 0.02


async def test_marks_say_which_words_have_been_said_by_when(espeak):
    text = "Hello there, my friend. How are you?"
    parts = await said(espeak, text)

    assert [text[: mark.char_end].split()[-1] for mark in marks(parts)] == text.split()
    ends = [mark.end_ms for mark in marks(parts)]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(milliseconds(parts), abs=1)
    # At "there," rather before than in the middle of "my friend", which is half of the audio.
    assert 600 < ends[1] < 1300


async def test_a_mark_never_comes_before_the_audio_it_speaks_of(espeak):
    passed = 0.0
    for part in await said(espeak, LONG):
        if isinstance(part, AudioChunk):
            passed += part.ms
        else:
            assert part.end_ms <= passed + 0.1


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("de", "Größe und\tÜbermut,  schön!", ["Größe", "und", "Übermut,", "schön!"]),
        ("fr", "L'été, ça va?", ["L'été,", "ça", "va?"]),
        ("hi", "शेर क्या खाता है?", ["शेर", "क्या", "खाता", "है?"]),
        ("en", "It costs 1234 or 3.5 m 😀 now.", ["It", "costs", "1234", "or", "3.5", "m", "😀", "now."]),
        ("zh", "狮子吃肉。", ["狮", "子", "吃", "肉。"]),
    ],
)
async def test_marks_count_characters_in_every_script(espeak, language, text, words):
    ends = [0] + [mark.char_end for mark in marks(await said(espeak, text, language=language))]

    assert [text[start:end].strip() for start, end in pairwise(ends)] == words


async def test_marks_go_on_through_a_long_text(espeak):
    parts = await said(espeak, LONG)

    # "in the" is said, and marked, as one word.
    assert len(marks(parts)) == 40 * 7
    assert marks(parts)[-1].char_end == len(LONG.rstrip())
    assert marks(parts)[-1].end_ms == pytest.approx(milliseconds(parts), abs=1)


async def test_rate_pitch_and_volume_of_a_voice_are_factors(espeak):
    text = "the lion sleeps tonight"
    plain, fast, soft, high = [
        await said(espeak, text, voice=voice)
        for voice in (Voice(), Voice(rate=2.0), Voice(volume=0.3), Voice(pitch=1.8))
    ]

    assert milliseconds(fast) < 0.65 * milliseconds(plain)
    assert loudness(soft) < 0.5 * loudness(plain)
    assert pcm(high) != pcm(plain)


async def test_the_configuration_sets_the_plain_manner():
    text = "the lion sleeps"
    async with open_espeak(configured(), Path()) as plain:
        usual = milliseconds(await said(plain, text))
    async with open_espeak(configured(rate=100, gap=300), Path()) as slow:
        assert milliseconds(await said(slow, text)) > usual * 1.4


async def test_factors_beyond_the_range_are_held_within_it(espeak):
    assert pcm(await said(espeak, "one two", voice=Voice(rate=99, pitch=99, volume=99)))
    assert pcm(await said(espeak, "one two", voice=Voice(rate=0.01, pitch=0, volume=0.1)))


async def test_gender_changes_the_voice(espeak):
    plain, female, male = [
        pcm(await said(espeak, "hello", voice=voice))
        for voice in (Voice(), Voice(gender="female"), Voice(gender="male"))
    ]

    assert len({plain, female, male}) == 3


async def test_text_is_never_taken_for_markup_or_commands(espeak):
    plain = milliseconds(await said(espeak, "one two"))

    assert milliseconds(await said(espeak, "\x01400Sone\x01 two")) > plain
    assert len(marks(await said(espeak, "one [[h@l'oU]] two"))) >= 3
    assert milliseconds(await said(espeak, '<speak><break time="9s"/>one</speak>')) < 8000


@pytest.mark.parametrize("text", ["", "  ", "\n"])
async def test_nothing_to_say_gives_nothing(espeak, text):
    assert await said(espeak, text) == []


@pytest.mark.parametrize("text", ["…", "?!", "\x00", "\ud800", "a" * 600, "9" * 300, "\u200d", "[[[["])
async def test_odd_text_does_no_harm(espeak, text):
    await said(espeak, text)

    assert pcm(await said(espeak, "hello"))


async def test_a_phrase_that_ends_with_a_mark_ends_with_a_pause(espeak):
    assert milliseconds(await said(espeak, "the lion.")) > milliseconds(await said(espeak, "the lion")) + 200


async def test_an_unknown_voice_or_language_is_an_error_that_names_close_ones(espeak):
    with pytest.raises(EngineError, match=r"no voice 'femal2'; close to it are .*female2"):
        await said(espeak, "hello", voice=Voice(name="femal2"))
    with pytest.raises(EngineError, match="no voice for the language 'xx-YY'"):
        await said(espeak, "hello", language="xx-YY")

    assert pcm(await said(espeak, "hello"))


async def test_an_unknown_voice_in_the_configuration_cannot_be_opened():
    with pytest.raises(EngineUnavailable, match="engines → tts → espeak → voice: espeak has no voice 'englsh'"):
        async with open_espeak(configured(voice="englsh"), Path()):
            pass


async def test_the_configured_voice_speaks_its_own_language_only():
    opened = open_espeak(configured(voice="en-gb-scotland"), Path()), open_espeak(configured(), Path())
    async with opened[0] as scottish, opened[1] as plain:
        english = [pcm(await said(engine, "the lion", language="en")) for engine in (scottish, plain)]
        german = [marks(await said(engine, "Zwei Löwen", language="de")) for engine in (scottish, plain)]

    assert english[0] != english[1]
    assert [mark.char_end for mark in german[0]] == [mark.char_end for mark in german[1]]


async def test_a_call_that_nobody_consumes_holds_nobody_up(espeak):
    async with AsyncExitStack() as stack:
        for _ in range(5):
            idle = await stack.enter_async_context(aclosing(espeak.synthesize(LONG, voice=Voice(), language="en")))
            await anext(idle)

        async with asyncio.timeout(5):
            assert pcm(await said(espeak, "hello"))


async def test_calls_at_once_do_not_mix(espeak):
    texts = [("hello there", "en"), ("die Löwen schlafen", "de"), ("el león duerme", "es"), ("one two three", "en-GB")]
    alone = [marks(await said(espeak, text, language=language)) for text, language in texts]

    together = await asyncio.gather(*(said(espeak, text, language=language) for text, language in texts))

    for before, now in zip(alone, map(marks, together), strict=True):
        assert [mark.char_end for mark in before] == [mark.char_end for mark in now]
        assert now[-1].end_ms == pytest.approx(before[-1].end_ms, rel=0.05)


async def test_short_calls_take_turns_with_a_long_one(espeak):
    long = asyncio.create_task(said(espeak, LONG * 20))
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await said(espeak, "hello")

    assert not long.done()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long


async def test_closing_the_generator_stops_the_work(espeak):
    for _ in range(200):
        parts = espeak.synthesize(LONG, voice=Voice(), language="en")
        await anext(parts)
        await parts.aclose()

    async with asyncio.timeout(2):
        assert pcm(await said(espeak, "hello"))


async def test_two_engines_share_the_library():
    async with open_espeak(configured(), Path()) as one, open_espeak(configured(rate=300), Path()) as two:
        slow, fast = await asyncio.gather(said(one, LONG), said(two, LONG))

    assert milliseconds(fast) < 0.7 * milliseconds(slow)


async def test_it_can_be_opened_again_after_it_was_closed():
    for _ in range(3):
        async with open_espeak(configured(), Path()) as engine:
            assert pcm(await said(engine, "hello"))


async def test_closing_the_engine_ends_what_is_being_said():
    async with open_espeak(configured(), Path()) as engine:
        parts = engine.synthesize(LONG, voice=Voice(), language="en")
        await anext(parts)

    with pytest.raises(EngineUnavailable, match="closed"):
        async for _ in parts:
            pass
    with pytest.raises(EngineUnavailable, match="closed"):
        await said(engine, "hello")


def test_the_hook_declares_an_embedded_voice():
    (spec,) = mynah_engines()

    assert (spec.name, spec.kind, spec.embedded) == ("espeak", "tts", True)


@pytest.mark.parametrize("wrong", [{"rate": 20}, {"pitch": 101}, {"volume": -1}, {"gap": 5000}, {"speed": 3}])
def test_the_schema_refuses_what_espeak_cannot_do(wrong):
    with pytest.raises(vol.Invalid):
        configured(**wrong)


def test_every_key_of_the_configuration_is_described():
    assert all(key.description for key in SCHEMA)


REOPEN = """
import asyncio, pathlib
from mynah import Voice
from mynah_espeak.engine import open_espeak

async def main():
    for _ in range(40):
        async with open_espeak({}, pathlib.Path()) as engine:
            async def say(text):
                return [item async for item in engine.synthesize(text, voice=Voice(rate=0.9), language="en")]
            assert all(await asyncio.gather(*(say(f"Sentence number {n}, and a clause.") for n in range(8))))

asyncio.run(main())
"""


def test_opening_it_again_and_again_does_not_upset_the_library():
    # In a process of its own, as a library that is upset takes the process with it.
    done = subprocess.run([sys.executable, "-c", REOPEN], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "known"), [("en-us", True), ("f2", True), ("en-us+f2", True), ("amber", False), ("", False)]
)
async def test_it_tells_which_voices_it_knows(espeak, name, known):
    assert isinstance(espeak, KnowsVoices)
    assert espeak.knows_voice(name) is known
