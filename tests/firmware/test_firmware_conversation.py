"""The firmware and a hub: asked by a microphone's file, answered into a loudspeaker's, over the native WebSocket.

All of it with 100 KiB of heap, the control over MQTT with it where a broker is asked for.
"""

from __future__ import annotations

import asyncio
import re
import wave
from contextlib import asynccontextmanager

import av
import numpy
import pytest

from counterparts.mqtt_speaker import Peer, until
from counterparts.network import StallingProxy
from mynah.audio.adpcm import Decoder, Encoder
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from mynah.testing.hubs import run_hub, scripted_engines
from mynah.testing.simulated import SimulatedSpeaker, websocket_url

CODECS = ("pcm_s16le", "ima_adpcm")
RESERVE = 8_000  # bytes
LITTLE = "98k"
HERE = "mynah/speaker/lion_house/"


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
async def conversation(folder, build, codec, *, words=12, ms_per_word=100.0, stall_s=0.0, mqtt=False, **settings):
    """A hub, a speaker that is connected to it, the engines, and the network between them."""
    tokens = [f"word{n}{'. ' if n % 10 == 9 else ' '}" for n in range(words)]
    stt, tts = ScriptedSpeechToText(), ScriptedTextToSpeech(ms_per_word=ms_per_word)
    specs = scripted_engines(stt=stt, llm=ScriptedLanguageModel(tokens=tokens), tts=tts)
    config = {"persona": "sparrow"}
    if mqtt:
        config |= {"speakers": {"lion_house": {}}, "mqtt": {"broker": "embedded", "embedded": {"port": 0}}}
    (folder / "speaker").mkdir()
    plugins = ("http", "websocket", "mqtt") if mqtt else ("http", "websocket")
    async with run_hub(folder, specs=specs, installed=plugins, config=config) as hub:
        port = int(hub.addresses["http"].rsplit(":", 1)[1])
        network = StallingProxy(port, stall_s=stall_s, every_s=1.0 if stall_s else 1e6)
        async with network.running() as between:
            settings.update(hub=websocket_url(f"http://127.0.0.1:{between}"), codec=codec)
            if mqtt:
                token = hub.storage.issue_token("lion_house", "speaker")
                key = settings.pop("key", hub.storage.make_key("lion_house"))
                settings.update(id="lion_house", token=token, key=key, broker=hub.addresses["mqtt"])
            async with SimulatedSpeaker(folder / "speaker", build, **settings) as speaker:
                await speaker.connected()
                speaker.stt, speaker.tts, speaker.hub, speaker.network = stt, tts, hub, network
                yield speaker


@pytest.mark.parametrize("codec", CODECS)
async def test_with_100_kib_a_question_is_answered_sample_for_sample_and_mqtt_has_its_room(tmp_path, build, codec):
    pcm = question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, codec, mqtt=True) as speaker:
        port = int(speaker.hub.addresses["mqtt"].rsplit(":", 1)[1])
        token = speaker.hub.storage.issue_token("admin", "admin")
        async with Peer(port, "admin", token, "mynah/speaker/#") as admin:
            await until(lambda: "firmware" in (admin.on(HERE + "info") or [{}])[-1], "the speaker", 30)
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        free, played = [], False
        async with asyncio.timeout(60):
            while (heap := await speaker.heap())["playing"] or not played:
                free.append(heap["free"])
                played = played or heap["playing"]
                await asyncio.sleep(0.05)
        await speaker.quit()
        assert pcm in bytes(speaker.stt.heard)
        assert avoidable(speaker) == []
        if not (heap["underruns"] or heap["dry"]):
            assert expected(speaker.tts, codec) in speaker.sound()
        assert min(free) > RESERVE, free


@asynccontextmanager
async def steered(speaker):
    """The hub's administrator, who has heard of the speaker."""
    port = int(speaker.hub.addresses["mqtt"].rsplit(":", 1)[1])
    token = speaker.hub.storage.issue_token("admin", "admin")
    async with Peer(port, "admin", token, "mynah/#") as admin:
        await until(lambda: admin.on(HERE + "availability")[-1:] == ["online"], "the speaker", 30)
        yield admin


async def updated(admin, speaker, path, before=()):
    """Send commands, ask a question, and in the midst of its answer for an update; return what the speaker replies."""
    for number, field in enumerate(before):
        await admin.publish(HERE + "cmd", {"id": f"{number}-{'x' * 30}", **field})
        await admin.reply(HERE + "reply", f"{number}-{'x' * 30}", 30)
    await speaker.tell(f"ask {path}")
    await speaker.plays()
    await admin.publish("mynah/hub/request/update", {"id": "u", "speaker": "lion_house"})
    assert (await admin.reply("mynah/hub/response/update", "u", 30))["ok"]
    await until(lambda: [each for each in admin.on(HERE + "reply") if each["command"] == "update"], "its word", 30)
    return [each for each in admin.on(HERE + "reply") if each["command"] == "update"][-1]


@pytest.mark.parametrize("codec", ["pcm_s16le", pytest.param("ima_adpcm", marks=pytest.mark.long)])
async def test_an_update_in_mid_speech_has_room_to_spare_though_sixteen_commands_are_remembered(tmp_path, build, codec):
    question(tmp_path / "question.wav")
    before = [{"command": "volume", "volume": number, "keep": False} for number in range(14)]
    before += [{"command": "volume", "volume": 101}] * 2
    words = {"words": 60, "mqtt": True, "heap": LITTLE}
    async with conversation(tmp_path, build, codec, **words) as speaker, steered(speaker) as admin:
        reply = await updated(admin, speaker, tmp_path / "question.wav", before)
        assert reply["ok"], (reply, speaker.lines[-8:])
        assert await speaker.ended() == 3
    assert len(list((tmp_path / "speaker" / "b").iterdir())) > 20


@pytest.mark.long
async def test_an_update_that_is_refused_is_a_pause_of_what_is_said_and_no_more(tmp_path, build):
    question(tmp_path / "question.wav")
    settings = {
        "words": 40,
        "mqtt": True,
        "key": bytes(32),
        "heap": "200k",
    }  # a chip's room, whose words are half as long
    async with conversation(tmp_path, build, "pcm_s16le", **settings) as speaker:
        async with steered(speaker) as admin:
            reply = await updated(admin, speaker, tmp_path / "question.wav")
            assert (reply["code"], reply["message"]) == ("refused", "the signature is wrong")
        await speaker.connected()
        last = await speaker.played()
        await speaker.quit()
        assert without_silence(expected(speaker.tts, "pcm_s16le")) == without_silence(speaker.sound()), last


@pytest.mark.long
@pytest.mark.parametrize("codec", CODECS)
async def test_with_its_code_in_the_heap_it_fits_into_100_kib_of_a_chips_words(tmp_path, build, codec):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, codec, mqtt=True, heap="100wk", flash=False) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played()
        await speaker.quit()
        assert expected(speaker.tts, codec) in speaker.sound()
        assert last["free"] > 2 * RESERVE


@pytest.mark.long
async def test_a_board_with_a_vs1053_is_sent_mp3_and_gives_the_chip_all_of_it(tmp_path, build):
    pcm = question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, "pcm_s16le", words=40, board="esp32_vs1053") as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played()
        await speaker.quit()
        assert pcm in bytes(speaker.stt.heard)
        with av.open(str(tmp_path / "speaker" / "loudspeaker.mp3")) as file:
            frames = [frame for frame in file.decode(audio=0)]
        assert 3.9 < sum(frame.samples / frame.sample_rate for frame in frames) < 4.6
        assert avoidable(speaker) == [], speaker.lines
        assert last["free"] > RESERVE / 2


def avoidable(speaker):
    """Return the underruns that the firmware could have avoided: for less time than it holds, nothing had come."""
    late = [int(found[1]) for line in speaker.lines if (found := re.search(r"underrun .*, (\d+) after", line))]
    return [ms for ms in late if ms < 350]


async def _stalls(tmp_path, build, codec, words, ms_per_word, *, strict):
    question(tmp_path / "question.wav")
    times = {"words": words, "ms_per_word": ms_per_word, "stall_s": 0.3}
    seconds = words * ms_per_word / 1000
    async with conversation(tmp_path, build, codec, **times) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played(seconds + 20)
        await speaker.quit()
        assert len(speaker.sound()) >= seconds * 32000
        assert speaker.network.stalls >= seconds / 2
        assert avoidable(speaker) == []
        # Dry without an underrun: this computer let the whole process wait for longer than I2S holds.
        if strict or not (last["underruns"] or last["dry"]):
            assert (last["underruns"], last["dry"]) == (0, 0), speaker.lines
            assert expected(speaker.tts, codec) in speaker.sound()


@pytest.mark.parametrize("codec", ["pcm_s16le", pytest.param("ima_adpcm", marks=pytest.mark.long)])
async def test_three_seconds_play_through_stalls_of_the_network_without_an_underrun_it_could_avoid(
    tmp_path, build, codec
):
    await _stalls(tmp_path, build, codec, 30, 100.0, strict=False)


@pytest.mark.long
@pytest.mark.parametrize("codec", CODECS)
async def test_a_minute_plays_through_stalls_of_the_network_without_an_underrun(tmp_path, build, codec):
    await _stalls(tmp_path, build, codec, 60, 1000.0, strict=True)


@pytest.mark.long
@pytest.mark.parametrize("codec", CODECS)
async def test_a_hub_that_is_gone_in_mid_sentence_goes_on_where_it_was_without_a_repeated_sample(
    tmp_path, build, codec
):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, codec, words=60) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        await speaker.plays()
        await asyncio.sleep(1)
        speaker.network.there = False
        speaker.network.cut()
        await asyncio.sleep(1.5)
        speaker.network.there = True
        await speaker.connected()
        last = await speaker.played()
        await speaker.quit()
        assert without_silence(expected(speaker.tts, codec)) == without_silence(speaker.sound())
        assert last["underruns"] == 1


@pytest.mark.long
async def test_a_speaker_that_lost_its_power_in_mid_sentence_comes_back_and_answers(tmp_path, build):
    pcm = question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, "pcm_s16le", words=60) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        await speaker.plays()
        await speaker.__aexit__()
        speaker.stt.heard.clear()
        async with SimulatedSpeaker(tmp_path / "speaker", build) as again:
            await again.connected()
            await again.tell(f"ask {tmp_path / 'question.wav'}")
            await again.plays()
            assert pcm in bytes(speaker.stt.heard)


def without_silence(sound):
    samples = numpy.frombuffer(bytes(sound), "<i2")
    return samples[samples != 0].tobytes()


@pytest.mark.long
async def test_an_outage_that_no_buffer_spans_is_counted_and_told(tmp_path, build):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, "pcm_s16le", words=40, stall_s=1.2) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        last = await speaker.played()
        await speaker.quit()
        assert last["underruns"] > 0
        assert last["dry"] > 0
        assert any(line.split()[1:2] == ["underrun"] for line in speaker.lines)


@pytest.mark.long
@pytest.mark.parametrize("codec", CODECS)
async def test_once_playing_no_piece_of_memory_larger_than_a_small_packet_is_needed(tmp_path, build, codec):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, codec, words=60) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        await speaker.plays()
        await speaker.tell("fragment 512")
        assert (await speaker.answer("fragmented"))["fragmented"] > 10
        live = []
        while (heap := await speaker.heap())["playing"]:
            live.append(heap["live"])
            await asyncio.sleep(0.3)
        await speaker.quit()
        assert expected(speaker.tts, codec) in speaker.sound()
        assert max(live[1:-1]) - min(live[1:-1]) < 3000


@pytest.mark.long
async def test_the_button_silences_the_speaker_and_the_hub(tmp_path, build):
    question(tmp_path / "question.wav")
    async with conversation(tmp_path, build, "pcm_s16le", words=60) as speaker:
        await speaker.tell(f"ask {tmp_path / 'question.wav'}")
        await speaker.plays()
        await asyncio.sleep(0.5)
        await speaker.tell("press")
        async with asyncio.timeout(30):
            while (await speaker.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
                await asyncio.sleep(0.05)
        await speaker.quit()
        assert len(speaker.sound()) < 3 * 32000
