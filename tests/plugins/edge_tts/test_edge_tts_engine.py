import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import edge_tts
import pytest
import voluptuous as vol

from counterparts.edge import Script, word_ends
from mynah import (
    AudioChunk,
    AudioFormat,
    EngineError,
    EngineUnavailable,
    Grounding,
    Hints,
    TextToSpeech,
    Voice,
    Warmable,
    WordMark,
)
from mynah_edge_tts import mynah_engines
from mynah_edge_tts.config import SCHEMA
from mynah_edge_tts.engine import open_edge_tts

TEXT = "The lions are awake today."
LONG = " ".join(f"Sentence number {number} is about lions & owls." for number in range(120))


def configured(**config):
    return vol.Schema(SCHEMA)(config)


@pytest.fixture
async def engine():
    async with open_edge_tts(configured(), Path()) as opened:
        yield opened


async def said(engine, text=TEXT, *, language="en", **voice):
    async with aclosing(engine.synthesize(text, voice=Voice(**voice), language=language)) as parts:
        return [part async for part in parts]


def chunks(parts):
    return [part for part in parts if isinstance(part, AudioChunk)]


def audio(parts):
    return b"".join(chunk.data for chunk in chunks(parts))


def marks(parts):
    return [part for part in parts if isinstance(part, WordMark)]


async def test_the_audio_is_what_the_service_sent_byte_for_byte(edge, engine):
    edge.script = Script(chunk=500)  # whatever the cuts are
    parts = await said(engine)

    assert isinstance(engine, TextToSpeech)
    assert isinstance(engine, Warmable)
    assert audio(parts) == edge.audio(TEXT)
    assert {chunk.format for chunk in chunks(parts)} == {AudioFormat("mp3", 24_000, 1)}
    assert sum(chunk.ms for chunk in chunks(parts)) == len(edge.audio(TEXT)) / 144 * 24


async def test_audio_is_given_the_moment_it_comes(edge, engine):
    edge.script = Script(first_s=0.05, total_s=1.0)
    times = []
    async with aclosing(engine.synthesize(TEXT, voice=Voice(), language="en")) as parts:
        async for part in parts:
            times += [time.monotonic()] if isinstance(part, AudioChunk) else []

    assert times[0] - edge.first_sent[TEXT] < 0.7
    assert times[-1] - times[0] > 0.3


async def test_each_word_is_marked_no_later_than_its_audio(edge, engine):
    passed = 0.0
    parts = await said(engine)
    for part in parts:
        if isinstance(part, AudioChunk):
            passed += part.ms
        else:
            assert passed <= part.end_ms

    assert [TEXT[: mark.char_end].split()[-1] for mark in marks(parts)] == TEXT.split()
    assert [mark.end_ms for mark in marks(parts)] == pytest.approx(word_ends(TEXT), abs=0.01)
    assert edge.requests[0].word_boundaries


async def test_phrases_are_made_side_by_side(edge, engine):
    edge.script = Script(first_s=0.05, total_s=0.2)
    texts = [f"Phrase number {number}." for number in range(8)]
    answers = await asyncio.gather(*(said(engine, text) for text in texts))

    assert edge.most == 8
    assert [audio(parts) for parts in answers] == [edge.audio(text) for text in texts]


async def test_text_like_markup_is_said_not_obeyed(edge, engine):
    text = '1 < 2 & <break time="9s"/> \x0b"four" &amp;'
    await said(engine, text)

    assert edge.requests[0].text == text.replace("\x0b", " ")


@pytest.mark.parametrize("text", ["", " \n ", "…", "\x00\x01", "\ud800"])
async def test_nothing_to_say_is_not_asked_for(edge, engine, text):
    assert await said(engine, text) == []
    assert edge.connects == 0


async def test_a_long_text_is_said_in_parts_as_one(edge, engine):
    edge.script = Script(word_ms=30)
    parts = await said(engine, LONG)

    assert edge.connects == 2
    assert audio(parts) == b"".join(edge.audio(request.text, 30) for request in edge.requests)
    assert marks(parts)[-1].char_end == len(LONG)
    assert marks(parts)[-1].end_ms <= sum(chunk.ms for chunk in chunks(parts))


async def test_a_voice_by_name_speaks_whatever_the_language(edge, engine):
    await said(engine, name="de-DE-ConradNeural", language="en")

    assert edge.requests[0].voice == "Microsoft Server Speech Text to Speech Voice (de-DE, ConradNeural)"


async def test_language_and_gender_choose_a_voice_without_asking_the_service(edge, engine):
    await said(engine, language="en")
    await said(engine, language="de", gender="male")

    assert [request.voice.rpartition("(")[2] for request in edge.requests] == [
        "en-US, EmmaMultilingualNeural)",
        "de-DE, ConradNeural)",
    ]
    assert edge.lists == 0


async def test_the_configured_voice_and_gender_are_for_their_own_language(edge):
    async with open_edge_tts(configured(voice="en-GB-RyanNeural", gender="male"), Path()) as engine:
        await said(engine, language="en-US")
        await said(engine, language="fr")
        await said(engine, language="en", gender="female")
    async with open_edge_tts(configured(voice="en-US-AvaMultilingualNeural"), Path()) as engine:
        await said(engine, language="fr")

    assert [request.voice.rpartition("(")[2] for request in edge.requests] == [
        "en-GB, RyanNeural)",
        "fr-FR, HenriNeural)",
        "en-US, EmmaMultilingualNeural)",
        "en-US, AvaMultilingualNeural)",
    ]


async def test_rate_pitch_and_volume_go_to_the_service(edge):
    async with open_edge_tts(configured(rate=1.1), Path()) as engine:
        await said(engine, rate=1.1, pitch=0.9, volume=0.8)

    asked = edge.requests[0]
    assert (asked.rate, asked.pitch, asked.volume) == ("+21%", "-20Hz", "-20%")


async def test_a_language_that_only_the_service_knows_is_looked_up_in_its_list_once(edge, engine):
    await asyncio.gather(*(said(engine, language="xh-ZA", gender="male") for _ in range(3)))
    await said(engine, name="iu-Latn-CA-SiqiniqNeural")

    assert {request.voice.rpartition("(")[2] for request in edge.requests} == {
        "xh-ZA, LundiNeural)",
        "iu-Latn-CA, SiqiniqNeural)",
    }
    assert edge.lists == 1


async def test_an_unknown_voice_or_language_is_an_error_that_names_close_ones(edge, engine):
    with pytest.raises(EngineError, match=r"no voice 'xh-ZA-NomzaNeural'; close to it are .*xh-ZA-NomsaNeural"):
        await said(engine, name="xh-ZA-NomzaNeural")
    with pytest.raises(EngineError, match="no voice 'en-us\\+f2'"):
        await said(engine, name="en-us+f2")
    with pytest.raises(EngineError, match="no voice for the language 'qaa-x-nowhere'"):
        await said(engine, language="qaa-x-nowhere")

    assert edge.connects == 0


async def test_without_the_list_a_name_is_tried_and_a_language_is_an_error(edge, engine):
    edge.list_status = 503
    await said(engine, name="xh-ZA-LundiNeural")
    with pytest.raises(EngineError, match=r"list of voices could not be had: .* \(HTTP 503\)"):
        await said(engine, language="xh-ZA")

    assert edge.requests[0].voice.endswith("(xh-ZA, LundiNeural)")
    assert edge.lists == 1


async def test_a_voice_that_cannot_be_one_cannot_be_opened():
    with pytest.raises(EngineUnavailable, match=r"edge_tts → voice: .*'en-US-Ariel'.* en-US-AriaNeural"):
        async with open_edge_tts(configured(voice="en-US-Ariel"), Path()):
            pass


async def test_warming_up_asks_for_the_list_once_and_says_what_is_missing(edge, engine):
    for _ in range(2):
        await engine.warm_up(Grounding(), Hints())
    assert edge.lists == 1

    edge.list_status = 403
    async with open_edge_tts(configured(), Path()) as other:
        with pytest.raises(EngineError, match="HTTP 403"):
            await other.warm_up(Grounding(), Hints())


async def test_opening_does_not_need_the_service(monkeypatch):
    monkeypatch.setattr(edge_tts.communicate, "WSS_URL", "ws://127.0.0.1:9/x?")
    async with open_edge_tts(configured(), Path()) as engine:
        with pytest.raises(EngineUnavailable, match=r"cannot be reached \(.+\)"):
            await said(engine)


async def test_without_the_client_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "edge_tts", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'mynah\[edge\]'"):
        async with open_edge_tts(configured(), Path()):
            pass


@pytest.mark.parametrize(
    "config", [{"rate": 3}, {"pitch": 0.1}, {"gender": "other"}, {"connect_timeout": 0}, {"volume": -1}, {"key": "x"}]
)
def test_what_the_service_would_not_take_cannot_be_configured(config):
    with pytest.raises(vol.Invalid):
        configured(**config)


@pytest.mark.parametrize("proxy", ["http://me:hushhush@[bad", "me:hushhush@proxy", "socks5://proxy:1080", "hushhush"])
def test_a_proxy_that_is_no_address_is_refused_without_repeating_its_password(proxy):
    with pytest.raises(vol.Invalid, match="such as http://proxy:3128") as caught:
        configured(proxy=proxy)
    assert "hushhush" not in str(caught.value)
    assert configured(proxy="http://me:hushhush@proxy:3128")["proxy"]


def test_the_hook_declares_a_voice_that_is_no_embedded_one():
    (spec,) = mynah_engines()

    assert (spec.name, spec.kind, spec.embedded, spec.max_parallel, spec.cached) == ("edge_tts", "tts", False, 8, True)


async def test_it_tells_which_voices_are_built_in_without_asking_anybody(edge, engine):
    assert engine.knows_voice("en-US-AriaNeural")
    assert not engine.knows_voice("amber")
    assert edge.lists == 0
