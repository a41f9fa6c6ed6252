from __future__ import annotations

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah.audio import AudioFormat, converter
from mynah.testing import check_language_model, check_speech_to_text, check_text_to_speech


def encoded(codec, rate):
    """Return some seconds of a tone in `codec`, in pieces."""
    from counterparts.openai_server import RATE, tone

    convert = converter(AudioFormat("pcm_s16le", RATE), AudioFormat(codec, rate))
    return [chunk.data for chunk in [*convert.feed(tone(2000)), *convert.flush()]]


async def test_the_language_model_keeps_the_contract(server: OpenAIServer, specs):
    await check_language_model(specs["llm"], {"base_url": server.base_url, "model": "tiny"})


async def test_the_recogniser_keeps_the_contract(server: OpenAIServer, specs):
    await check_speech_to_text(specs["stt"], {"base_url": server.base_url, "model": "tiny"})


async def test_the_recogniser_keeps_the_contract_without_streams(server: OpenAIServer, specs):
    await check_speech_to_text(specs["stt"], {"base_url": server.base_url, "model": "tiny", "stream": False})


@pytest.mark.parametrize(("format", "codec", "rate"), [("mp3", "mp3", 24_000), ("opus", "ogg_opus", 24_000)])
async def test_the_voice_keeps_the_contract_with_compressed_audio(server: OpenAIServer, specs, format, codec, rate):
    server.speech = Script(audio=encoded(codec, rate), content_type=f"audio/{format}")
    await check_text_to_speech(specs["tts"], {"base_url": server.base_url, "model": "tiny", "format": format})


async def test_the_voice_keeps_the_contract_with_pcm(server: OpenAIServer, specs):
    await check_text_to_speech(specs["tts"], {"base_url": server.base_url, "model": "tiny"})
