"""C: the clinic interpreter's wire."""

from __future__ import annotations

import base64
import time

import pytest

from mynah import AudioFormat
from mynah.testing import ScriptedSpeechToText, ScriptedTextToSpeech, ScriptedTranslator
from wire.wire_clients import b64, name_of, names, of, read_wav, tone, wav_file

PATHS = ("/ws", "/ws/parallel")
SPOKEN = b64(wav_file(tone(300)))
ORDER = [
    "processing_started", "processing_update", "stt_result", "processing_update", "translation_result",
    "processing_update", "translation_complete",
]  # fmt: skip


async def ask(client, **more):
    await client.send(**{"source_lang": "en", "target_lang": "es", "sender_id": "u1", **more})


def sound_of(url):
    head, _, data = url.partition(",")
    return head, base64.b64decode(data)


@pytest.mark.parametrize("path", PATHS)
async def test_a_text_goes_through_every_stage_in_order(house, path):
    async with house() as home, home.connect(path) as client:
        await client.silence(0.05)
        await ask(client, text="Hello")
        frames = await client.until("translation_complete")
        assert names(frames) == ORDER
        data = [frame["data"] for frame in frames]
        assert len({each["message_id"] for each in data}) == 1
        assert [each["status"] for each in data] == [
            "processing", "processing", "stt_complete", "processing", "translation_complete", "processing", "complete",
        ]  # fmt: skip
        assert [each.get("stage") for each in data] == [
            "processing_text", "text_processing", None, "translation", None, "text_to_speech", None,
        ]  # fmt: skip
        assert data[2]["original_text"] == "Hello"
        assert data[4]["translated_text"] == "es HELLO"
        done = data[-1]
        assert (done["original_text"], done["translated_text"]) == ("Hello", "es HELLO")
        assert done["audio_url"] == done["audio_url_translated"]


@pytest.mark.parametrize("path", PATHS)
async def test_speech_goes_through_every_stage_in_order(house, path):
    async with house() as home, home.connect(path) as client:
        await ask(client, audio_data=SPOKEN)
        frames = await client.until("translation_complete")
        assert names(frames) == ORDER
        assert [frame["data"].get("stage") for frame in frames[:2]] == ["decoding_audio", "speech_recognition"]
        assert frames[2]["data"]["original_text"] == "what do lions eat"
        assert frames[-1]["data"]["translated_text"] == "es WHAT DO LIONS EAT"


@pytest.mark.parametrize("path", PATHS)
async def test_both_audios_are_whole_wav_files(house, path):
    tts = ScriptedTextToSpeech()
    async with house(tts=tts) as home, home.connect(path) as client:
        await ask(client, text="Hello my friend. How are you today?")
        done = (await client.until("translation_complete"))[-1]["data"]
        for name, words in (("audio_url_original", 7), ("audio_url_translated", 9)):
            head, data = sound_of(done[name])
            assert head == "data:audio/wav;base64"
            rate, channels, pcm = read_wav(data)
            assert (rate, channels) == (16_000, 1)
            assert len(pcm) / 32 == pytest.approx(words * 100, abs=2)
        assert {language for _, language in tts.said} == {"en", "es"}


async def test_mp3_stays_mp3(house):
    voice = ScriptedTextToSpeech(format=AudioFormat("mp3", 24_000, 1))
    async with house(tts=voice) as home, home.connect("/ws") as client:
        await ask(client, text="Hello")
        done = (await client.until("translation_complete"))[-1]["data"]
        assert sound_of(done["audio_url"])[0] == "data:audio/mpeg;base64"


async def test_the_first_sign_comes_at_once(house):
    async with house(translator=ScriptedTranslator(first_s=3.0)) as home, home.connect("/ws") as client:
        for what in ({"text": "Hello"}, {"audio_data": SPOKEN}):
            began = time.monotonic()
            await ask(client, **what)
            assert (await client.next())["type"] == "processing_started"
            assert time.monotonic() - began < 2
            told = names(await client.until("processing_update"))
            assert told == ["processing_update"]
            await client.until("translation_complete")


@pytest.mark.parametrize(("path", "most"), [("/ws", 99), ("/ws/parallel", 0.95)])
async def test_in_parallel_the_original_is_voiced_while_it_is_translated(house, path, most):
    slow = {"translator": ScriptedTranslator(first_s=0.4), "tts": ScriptedTextToSpeech(first_s=0.5, total_s=0.5)}
    async with house(**slow) as home, home.connect(path) as client:
        began = time.monotonic()
        await ask(client, text="Hello")
        await client.until("translation_complete", within=20)
        taken = time.monotonic() - began
        assert taken >= 0.9
        assert taken < most + 0.5


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", [{"text": "Hello number {}"}, {"audio_data": SPOKEN}])
async def test_ten_requests_at_once(house, path, what):
    async with (
        house(translator=ScriptedTranslator(first_s=0.2), tts=ScriptedTextToSpeech(first_s=0.1, total_s=0.2)) as home,
        home.connect(path) as client,
    ):
        began = time.monotonic()
        for number in range(10):
            await ask(client, **{key: value.format(number) for key, value in what.items()}, sender_id=f"u{number}")
        frames = []
        while len(of(frames, "translation_complete")) < 10:
            frames.append(await client.next())
        assert time.monotonic() - began < 3  # one after the other they would take five
        by_request = {}
        for frame in frames:
            by_request.setdefault(frame["data"]["message_id"], []).append(frame)
        assert len(by_request) == 10
        assert all(names(each) == ORDER for each in by_request.values())
        if "text" in what:
            done = [frame["data"] for frame in of(frames, "translation_complete")]
            assert {each["translated_text"] for each in done} == {f"es HELLO NUMBER {n}" for n in range(10)}
            assert all(each["original_text"].upper() in each["translated_text"] for each in done)


async def test_the_oldest_clients_get_a_single_answer(house):
    async with house() as home, home.connect("/ws") as client:
        await ask(client, text="Hello", stream=False)
        answer = await client.next()
        assert answer["type"] == "translation"
        assert answer["data"]["message_id"]
        assert (answer["data"]["original_text"], answer["data"]["translated_text"]) == ("Hello", "es HELLO")
        assert sound_of(answer["data"]["audio_url"])[0] == "data:audio/wav;base64"
        await client.silence()


async def test_a_browsers_recording_is_understood(house, recording):
    stt = ScriptedSpeechToText()
    async with house(stt=stt) as home, home.connect("/ws") as client:
        await ask(client, audio_data=b64(recording("webm")))
        await client.until("translation_complete")
        assert len(stt.heard) / 32 == pytest.approx(1_000, abs=60)


async def test_where_nothing_was_heard_it_is_an_error(house):
    async with house(stt=ScriptedSpeechToText("")) as home, home.connect("/ws") as client:
        await ask(client, audio_data=SPOKEN)
        assert (await client.until("error"))[-1]["message"]
        await ask(client, text="Hello")
        assert (await client.until("translation_complete"))[-1]


async def test_what_cannot_be_translated_is_an_error(house):
    translator = ScriptedTranslator(fault="raise", fail_on="bad")
    async with house(translator=translator) as home, home.connect("/ws") as client:
        await ask(client, text="bad luck")
        assert (await client.until("error"))[-1]["message"]
        await ask(client, text="Hello")
        await client.until("translation_complete")


@pytest.mark.parametrize("stream", [True, False])
async def test_what_there_are_no_words_for_is_said_and_can_be_read(house, stream):
    translator = ScriptedTranslator(refuse_on="quarks")
    async with house(translator=translator) as home, home.connect("/ws") as client:
        await ask(client, text="Hello. How are your quarks?", stream=stream)
        done = (await client.until("translation_complete" if stream else "translation"))[-1]["data"]
        assert done["translated_text"].startswith("es HELLO.")
        assert "I'm sorry" in done["translated_text"]
        assert done["audio_url"]


async def test_health_has_the_key_that_its_clients_look_at(house):
    async with house() as home, home.http.get(home.url + "/health") as answer:
        assert (await answer.json())["status"] == "healthy"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "frame",
    [
        "not json", "[]", "{}", '{"text":"Hello"}', '{"source_lang":"en","target_lang":"es"}', '{"type":"sing"}',
        '{"source_lang":7,"target_lang":"es","text":"x"}', '{"source_lang":"en","target_lang":"!!","text":"x"}',
        '{"source_lang":"en","target_lang":"es","text":7}', '{"source_lang":"en","target_lang":"es","text":""}',
        '{"source_lang":"en","target_lang":"es","audio_data":"%%"}',
        '{"source_lang":"en","target_lang":"es","audio_data":"' + b64(b"this is no recording" * 9) + '"}',
        '{"source_lang":"en","target_lang":"es","text":"x","sender_id":7}',
        '{"source_lang":"en","target_lang":"es","text":"x","stream":"no"}',
    ],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_the_next_good_one_works(house, path, frame):
    async with house() as home, home.connect(path) as client:
        await client.ws.send_str(frame)
        error = await client.next()
        assert error["type"] == "error"
        assert error["message"]
        assert "conversation_id" not in error  # that would be the console's
        await ask(client, text="Hello")
        assert name_of(await client.next()) == "processing_started"


async def test_the_two_dialects_of_the_path_do_not_disturb_each_other(house):
    async with house() as home, home.connect("/ws") as client:
        await ask(client, text="Hello")
        await client.until("translation_complete")
        await client.send(type="ping")
        assert names([await client.next(), await client.next()]) == ["connection", "pong"]
        await ask(client, text="Hello")
        assert names(await client.until("translation_complete")) == ORDER
