"""The firmware and a hub: asked by a microphone's file, answered into a loudspeaker's, over the native WebSocket."""

from __future__ import annotations

import asyncio
import wave
from contextlib import asynccontextmanager

import pytest

from counterparts.simulated_speaker import SimulatedSpeaker, StallingProxy, websocket_url
from mynah.audio.adpcm import Decoder, Encoder
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from mynah.testing.hubs import run_hub, scripted_engines

pytestmark = pytest.mark.long  # plays in real time

CODECS = ("pcm_s16le", "ima_adpcm")


def question(path, ms=600):
    """Write a file for the microphone and return its samples: they count up."""
    pcm = b"".join((n % 9000 + 100).to_bytes(2, "little") for n in range(16 * ms))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(pcm)
    return pcm


def expected(tts, codec):
    """Return what the loudspeaker should play: every phrase as it was made, through the codec."""
    sound = b""
    for text, _ in tts.said:
        ms = tts.ms_per_word * len(text.split()) / tts.pieces
        phrase = b"".join(tts._piece(number, ms).data for number in range(tts.pieces))
        if codec == "ima_adpcm":
            encoder, decoder = Encoder(16000), Decoder(16000)
            phrase = decoder.feed(encoder.feed(phrase) + encoder.flush()) + decoder.flush()
        sound += phrase
    return sound


@asynccontextmanager
async def conversation(folder, build, codec, *, words=12, ms_per_word=100.0, stall_s=None, **settings):
    """A hub, a speaker that is connected to it, and the engines."""
    tokens = [f"word{n}{'. ' if n % 10 == 9 else ' '}" for n in range(words)]
    stt, tts = ScriptedSpeechToText(), ScriptedTextToSpeech(ms_per_word=ms_per_word)
    specs = scripted_engines(stt=stt, llm=ScriptedLanguageModel(tokens=tokens), tts=tts)
    (folder / "speaker").mkdir()
    async with run_hub(folder, specs=specs, installed=("http", "websocket"), config={"persona": "sparrow"}) as hub:
        url = hub.addresses["http"]
        port = int(url.rsplit(":", 1)[1])
        proxy = StallingProxy(port, stall_s=stall_s or 0)
        async with proxy.running() as between:
            if stall_s:
                url = f"http://127.0.0.1:{between}"
            settings.update(hub=websocket_url(url), codec=codec)
            async with SimulatedSpeaker(folder / "speaker", build, **settings) as speaker:
                await speaker.connected()
                speaker.stt, speaker.tts, speaker.hub = stt, tts, hub
                yield speaker


@pytest.mark.parametrize("codec", CODECS)
async def test_a_question_into_the_microphone_is_answered_by_the_loudspeaker_sample_for_sample(tmp_path, build, codec):
    pcm = question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, codec) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played()
        await speaker.quit()
        assert pcm in bytes(speaker.stt.heard)
        assert expected(speaker.tts, codec) in speaker.sound()
        assert last["underruns"] == last["dry"] == 0


async def _stalls(tmp_path, build, codec, words, ms_per_word):
    question(tmp_path / "question.wav")
    times = {"words": words, "ms_per_word": ms_per_word, "stall_s": 0.3}
    seconds = words * ms_per_word / 1000
    async with conversation(tmp_path, build, codec, **times) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played(seconds + 20)
        await speaker.quit()
        assert len(speaker.sound()) >= seconds * 32000
        assert expected(speaker.tts, codec) in speaker.sound()
        assert last["underruns"] == last["dry"] == 0


@pytest.mark.parametrize("codec", CODECS)
async def test_six_seconds_play_through_stalls_of_the_network_without_an_underrun(tmp_path, build, codec):
    await _stalls(tmp_path, build, codec, 60, 100.0)


@pytest.mark.long
@pytest.mark.parametrize("codec", CODECS)
async def test_a_minute_plays_through_stalls_of_the_network_without_an_underrun(tmp_path, build, codec):
    await _stalls(tmp_path, build, codec, 60, 1000.0)


async def test_an_outage_that_no_buffer_spans_is_counted_and_told(tmp_path, build):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, "pcm_s16le", words=40, stall_s=1.2) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played(20)
        await speaker.quit()
        assert last["underruns"] > 0
        assert last["dry"] > 0
        assert any(line.split()[1:2] == ["underrun"] for line in speaker.lines)


@pytest.mark.parametrize("codec", CODECS)
async def test_once_playing_no_piece_of_memory_larger_than_a_small_packet_is_needed(tmp_path, build, codec):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, codec, words=60) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        while not (await speaker.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
            await asyncio.sleep(0.05)
        await speaker.tell("fragment 512")
        assert (await speaker.answer("fragmented"))["fragmented"] > 10
        live = []
        while (heap := await speaker.heap())["playing"]:
            live.append(heap["live"])
            await asyncio.sleep(0.3)
        await speaker.quit()
        assert expected(speaker.tts, codec) in speaker.sound()
        assert max(live[1:-1]) - min(live[1:-1]) < 3000


async def test_the_button_silences_the_speaker_and_the_hub(tmp_path, build):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, "pcm_s16le", words=60) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        while not (await speaker.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        await speaker.tell("press")
        async with asyncio.timeout(1.5):
            while (await speaker.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
                await asyncio.sleep(0.05)
        await speaker.quit()
        assert len(speaker.sound()) < 3 * 32000
