from __future__ import annotations

import asyncio
import random
from contextlib import aclosing

import pytest

from counterparts.openai_server import OpenAIServer, Script, tone
from mynah import AudioError, AudioFormat, EngineError, Voice
from mynah.audio import converter, wav_header
from mynah_openai.sound import Sound

PCM = AudioFormat("pcm_s16le", 24_000)


async def say(engine, text="Lions eat meat.", voice=None):
    async with aclosing(engine.synthesize(text, voice=voice or Voice(), language="en")) as stream:
        return [chunk async for chunk in stream]


async def test_audio_is_handed_on_as_it_arrives(server: OpenAIServer, opened):
    server.speech = Script(each_s=5)
    async with (
        opened("tts") as engine,
        aclosing(engine.synthesize("Lions.", voice=Voice(), language="en")) as stream,
        asyncio.timeout(2),
    ):
        chunk = await anext(stream)
    assert (chunk.data, chunk.format, chunk.ms) == (tone(), PCM, 100)


async def test_voice_speed_and_instructions_are_sent(server: OpenAIServer, opened):
    async with opened("tts") as engine:
        await say(engine)
        await say(engine, voice=Voice(name="nova", rate=9.0))
    async with opened(
        "tts", voice="af_heart", speed=0.8, instructions="Whisper.", extra_body={"lang_code": "e"}
    ) as engine:
        await say(engine, voice=Voice(rate=0.5))
    first, second, third = (seen.body for seen in server.asked("speech"))
    assert first == {"model": "tiny", "input": "Lions eat meat.", "voice": "alloy", "response_format": "pcm"}
    assert (second["voice"], second["speed"]) == ("nova", 4)
    assert (third["voice"], third["speed"], third["instructions"], third["lang_code"]) == (
        "af_heart", 0.4, "Whisper.", "e"
    )  # fmt: skip


def mp3():
    encode = converter(PCM, AudioFormat("mp3", 24_000))
    return b"".join(chunk.data for chunk in [*encode.feed(tone(500)), *encode.flush()])


@pytest.mark.parametrize("size", [1, 50, 5000])
async def test_mp3_without_a_mark_is_not_played_as_samples(server: OpenAIServer, opened, size):
    data = mp3()
    assert data[0] == 0xFF
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    server.speech = Script(audio=pieces, content_type="audio/mpeg")
    async with opened("tts", format="pcm") as engine:
        chunks = await say(engine)
    assert b"".join(chunk.data for chunk in chunks) == data
    assert {chunk.format.codec for chunk in chunks} == {"mp3"}


@pytest.mark.parametrize("sound", [tone(500), b"\xff\xfb" * 6000, tone(20)])
async def test_samples_that_are_called_mp3_are_samples_all_the_same(server: OpenAIServer, opened, sound):
    server.speech = Script(audio=(sound,), content_type="audio/mpeg")
    async with opened("tts", format="pcm") as engine:
        chunks = await say(engine)
    assert b"".join(chunk.data for chunk in chunks) == sound
    assert {chunk.format for chunk in chunks} == {PCM}


@pytest.mark.parametrize("media", ["audio/flac", "audio/aac"])
async def test_a_format_that_is_not_known_is_an_error_rather_than_noise(server: OpenAIServer, opened, media):
    server.speech = Script(audio=(b"fLaC" + bytes(range(200)),), content_type=media)
    async with opened("tts", format="pcm") as engine:
        with pytest.raises(EngineError, match="no pcm_s16le"):
            await say(engine)


async def test_no_words_are_no_request(server: OpenAIServer, opened):
    async with opened("tts") as engine:
        assert await say(engine, " \n") == []
    assert not server.asked("speech")


async def test_the_rate_of_pcm_is_configured(server: OpenAIServer, opened):
    async with opened("tts", sample_rate=22_050) as engine:
        assert {chunk.format.rate for chunk in await say(engine)} == {22_050}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script(audio=()), "gave no audio"),
        (Script(fault="html"), "answered with a web page"),
        (Script(audio=(b'{"error": "no such voice"}',), content_type="application/json"), "no such voice"),
        (Script(audio=(b"no such voice",), content_type="text/plain"), "text instead of audio"),
        (Script(audio=(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + bytes(60),)), "the audio cannot be read"),
    ],
)
async def test_what_is_no_audio_is_an_error(server: OpenAIServer, opened, script, words):
    server.speech = script
    async with opened("tts") as engine:
        with pytest.raises(EngineError, match=words):
            await say(engine)


def through(asked, pieces):
    sound = Sound(asked)
    return [*(chunk for piece in pieces for chunk in sound.feed(piece)), *sound.flush()]


def cut(data, seed):
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(len(data) + 1), 40))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("seed", range(10))
def test_pcm_cut_anywhere_comes_in_whole_samples(seed):
    chunks = through(PCM, cut(tone(500), seed))
    assert b"".join(chunk.data for chunk in chunks) == tone(500)
    assert all(len(chunk.data) % 2 == 0 for chunk in chunks)


@pytest.mark.parametrize("seed", range(10))
def test_the_header_of_a_wav_is_taken_off_and_believed(seed):
    wav = wav_header(AudioFormat("pcm_s16le", 16_000, 1), None) + tone(500, 16_000)
    chunks = through(PCM, cut(wav, seed))
    assert b"".join(chunk.data for chunk in chunks) == tone(500, 16_000)
    assert {chunk.format for chunk in chunks} == {AudioFormat("pcm_s16le", 16_000, 1)}


@pytest.mark.parametrize("asked", [PCM, AudioFormat("mp3", 24_000)])
def test_opus_from_a_server_that_was_asked_for_something_else_passes_through(asked):
    convert = converter(PCM, AudioFormat("ogg_opus", 24_000))
    ogg = b"".join(chunk.data for chunk in [*convert.feed(tone(500)), *convert.flush()])
    chunks = through(asked, cut(ogg, 1))
    assert b"".join(chunk.data for chunk in chunks) == ogg
    assert {chunk.format.codec for chunk in chunks} == {"ogg_opus"}


def test_compressed_audio_passes_through_byte_for_byte_and_measured():
    convert = converter(PCM, AudioFormat("mp3", 24_000))
    mp3 = b"".join(chunk.data for chunk in [*convert.feed(tone(1000)), *convert.flush()])
    chunks = through(AudioFormat("mp3", 24_000), cut(mp3, 2))
    assert b"".join(chunk.data for chunk in chunks) == mp3
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(1000, abs=150)


def test_the_first_bytes_of_pcm_are_not_waited_for():
    assert Sound(PCM).feed(b"\1\0\2\0")


def test_samples_that_begin_like_a_mark_are_samples_all_the_same():
    assert b"".join(chunk.data for chunk in through(PCM, [b"RI"])) == b"RI"
    data = b"RIFF" + bytes(100)
    assert b"".join(chunk.data for chunk in through(PCM, [data])) == data


def test_bytes_of_no_known_format_are_refused_where_a_format_can_be_told():
    with pytest.raises(AudioError, match="it is no mp3"):
        through(AudioFormat("mp3", 24_000), [bytes(100)])
