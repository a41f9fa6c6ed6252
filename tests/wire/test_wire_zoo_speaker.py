"""A: the zoo speaker's wire."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from mynah import AudioFormat
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from wire.wire_clients import b64, decoded, name_of, names, of, tone, wav_file

PATH = "/ws/esp32/lion_house"
MP3_VOICE = AudioFormat("mp3", 24_000, 1)


async def ask_aloud(client, *chunks):
    for chunk in chunks or (tone(200, 44_100), tone(200, 44_100)):
        await client.send(type="audio_chunk", audio=b64(chunk))
    await client.send(type="audio_complete")


async def test_whatever_comes_first_is_answered(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="settings", sample_rate=16_000, channels=1, bits=16)
        settings = await client.next()
        assert settings["type"] == "settings_ack"
        assert isinstance(settings["message"], str)
        await client.send(type="register")
        registered = await client.next()
        assert (registered["type"], registered["client_id"]) == ("register_ack", "lion_house")


async def test_the_other_path_takes_the_name_from_the_query(house):
    async with house() as home, home.connect("/ws/audio?client_id=giraffes") as client:
        await client.send(type="register")
        assert (await client.next())["client_id"] == "giraffes"


async def test_a_spoken_turn_is_told_in_order(house):
    async with house() as home, home.connect(PATH) as client:
        await ask_aloud(client)
        frames = await client.until("response_complete")
        order = [
            "audio_receiving", "stt_processing", "stt_result", "openai_processing",
            *["audio_start", "bytes", "audio_complete"] * 3, "response_complete",
        ]  # fmt: skip
        told = names(frames)
        assert [kind for n, kind in enumerate(told) if kind != "bytes" or told[n - 1] != "bytes"] == order
        (result,) = of(frames, "stt_result")
        assert (result["text"], result["client_id"]) == ("what do lions eat", "lion_house")
        assert "error" not in result
        starts = of(frames, "audio_start")
        assert [start["phrase"] for start in starts] == [1, 2, 3]
        assert {start["format"] for start in starts} == {"mp3"}
        assert {(start["total_bytes"], start["total_phrases"]) for start in starts} == {(None, None)}
        assert [done["phrase"] for done in of(frames, "audio_complete")] == [1, 2, 3]
        done = frames[-1]
        assert (done["phrases"], done["text"]) == (3, "Yes. Lions eat meat. They sleep a lot.")


async def test_the_first_chunk_is_acknowledged_at_once(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="register")
        await client.next()
        began = time.monotonic()
        await client.send(type="audio_chunk", audio=b64(tone(100, 44_100)))
        assert (await client.next())["type"] == "audio_receiving"
        assert time.monotonic() - began < 5
        await client.send(type="audio_chunk", audio=b64(tone(100, 44_100)))
        await client.silence()


async def test_a_text_query_needs_no_audio(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        frames = await client.until("response_complete")
        assert names(frames)[:3] == ["text_processing", "openai_processing", "audio_start"]
        assert frames[-1]["phrases"] == 3


async def test_where_nothing_was_heard_it_is_said_at_once(house):
    async with house(stt=ScriptedSpeechToText("")) as home, home.connect(PATH) as client:
        await ask_aloud(client)
        frames = await client.until("response_complete")
        assert names(frames) == ["audio_receiving", "stt_processing", "stt_result", "response_complete"]
        assert (frames[2]["text"], frames[2]["error"]) == ("", "No speech detected")
        assert (frames[3]["phrases"], frames[3]["text"]) == (0, "")


async def test_the_end_of_nothing_is_silence(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="audio_complete")
        frames = await client.until("response_complete")
        assert of(frames, "stt_result")[0]["error"] == "No speech detected"


async def test_chunks_of_samples_and_wav_files_are_one_recording(house):
    stt = ScriptedSpeechToText()
    async with house(stt=stt) as home, home.connect(PATH) as client:
        await ask_aloud(
            client, tone(300, 44_100), wav_file(tone(300, 16_000)), wav_file(tone(300, 22_050, 2), 22_050, 2)
        )
        await client.until("response_complete")
        assert len(stt.heard) / 32 == pytest.approx(900, abs=20)


async def test_settings_may_come_late_and_change(house):
    stt = ScriptedSpeechToText()
    async with house(stt=stt) as home, home.connect(PATH) as client:
        await client.send(type="audio_chunk", audio=b64(tone(200, 44_100)))
        await client.send(type="settings", sample_rate=8_000, channels=1, bits=16)
        await client.send(type="audio_chunk", audio=b64(tone(200, 8_000)))
        await client.send(type="settings", sample_rate=16_000, channels=2, bits=8)
        await client.send(type="audio_chunk", audio=b64(bytes(range(64, 192)) * 50))
        await client.send(type="audio_chunk", audio=b64(tone(200, 48_000)), sample_rate=48_000, channels=1)
        await client.send(type="audio_complete")
        await client.until("response_complete")
        # The last is taken for samples of 8 bits, as the settings say: twice as long.
        assert len(stt.heard) / 32 == pytest.approx(200 + 200 + 200 + 400, abs=30)


async def test_samples_may_be_cut_anywhere(house):
    stt = ScriptedSpeechToText()
    async with house(stt=stt) as home, home.connect(PATH) as client:
        await client.send(type="settings", sample_rate=16_000, channels=1, bits=16)
        pcm = tone(300)
        await ask_aloud(client, *(pcm[at : at + 333] for at in range(0, len(pcm), 333)))
        await client.until("response_complete")
        assert bytes(stt.heard) == pcm


async def test_mp3_of_the_engine_passes_through_byte_for_byte(house):
    tts = ScriptedTextToSpeech(format=MP3_VOICE)
    async with house(tts=tts) as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        frames = await client.until("response_complete")
        sent = b"".join(of(frames, "bytes"))
        made = b"".join(
            tts._piece(number, tts.ms_per_word * len(text.split()) / tts.pieces).data
            for text, _ in tts.said
            for number in range(tts.pieces)
        )
        assert sent == made


async def test_what_is_no_mp3_becomes_one(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        frames = await client.until("response_complete")
        heard = decoded(b"".join(of(frames, "bytes")), "mp3")
        assert len(heard) / 32 == pytest.approx(800, rel=0.4)


async def test_a_speaker_in_wav_mode_gets_streamed_wav_of_16_khz(house):
    async with house(dialects={"zoo_speaker": {"modes": {"lion_house": "wav"}}}) as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        frames = await client.until("response_complete")
        assert {start["format"] for start in of(frames, "audio_start")} == {"wav"}
        first = of(frames, "bytes")[0]
        assert (first[:4], first[8:12]) == (b"RIFF", b"WAVE")
        assert int.from_bytes(first[24:28], "little") == 16_000
        assert int.from_bytes(first[40:44], "little") == 0xFFFFFFFF


async def test_binary_frames_are_of_8_kib_or_less(house):
    tts = ScriptedTextToSpeech(ms_per_word=4_000, pieces=1)
    async with house(tts=tts, dialects={"zoo_speaker": {"mode": "wav"}}) as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        frames = await client.until("response_complete")
        assert max(map(len, of(frames, "bytes"))) == 8192


async def test_a_phrase_that_fails_is_named_and_the_rest_goes_on(house):
    tts = ScriptedTextToSpeech(fault="raise", fail_on="meat")
    async with house(tts=tts) as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        frames = await client.until("response_complete")
        (failed,) = of(frames, "tts_error")
        assert failed["phrase"] == 2
        assert failed["message"]
        assert [done["phrase"] for done in of(frames, "audio_complete")] == [1, 3]


async def test_new_input_interrupts_and_nothing_more_of_that_reply_follows(house):
    llm = ScriptedLanguageModel(rounds=[[f"Sentence number {n} is a long one. " for n in range(30)], ["Brief."]])
    tts = ScriptedTextToSpeech(first_s=0.02, total_s=0.2, ms_per_word=400)
    async with house(llm=llm, tts=tts) as home, home.connect(PATH) as client:
        await client.send(type="text_query", text="what do lions eat")
        await client.until("audio_complete")
        await client.send(type="audio_chunk", audio=b64(tone(100, 44_100)))
        before = await client.until("audio_interrupted")
        assert "audio_receiving" in names(before)
        assert before[-1]["phrase"] >= 1
        await client.send(type="audio_complete")
        frames = await client.until("response_complete")
        assert names(frames, once=True) == [
            "stt_processing", "stt_result", "openai_processing", "audio_start", "bytes", "audio_complete",
            "response_complete",
        ]  # fmt: skip
        assert frames[-1]["text"] == "Brief."


@pytest.mark.parametrize(
    "frame",
    [
        "not json", "[1]", "null", '"text"', "{}", '{"type":7}', '{"type":"dance"}', '{"type":"audio_chunk"}',
        '{"type":"audio_chunk","audio":7}', '{"type":"audio_chunk","audio":"not base64!"}',
        '{"type":"audio_chunk","audio":"' + b64(wav_file(b"")[:20] + b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") + '"}',
        '{"type":"text_query"}', '{"type":"text_query","text":""}', '{"type":"text_query","text":["a"]}',
        '{"type":"settings","sample_rate":"fast"}', '{"type":"settings","sample_rate":1}',
        '{"type":"settings","channels":9}', '{"type":"settings","bits":7}',
    ],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_the_next_good_one_works(house, frame):
    async with house() as home, home.connect(PATH) as client:
        await client.ws.send_str(frame)
        error = await client.next()
        assert error["type"] == "error"
        assert error["message"]
        await client.send(type="register")
        assert (await client.next())["type"] == "register_ack"


async def test_more_than_1_mib_of_audio_is_refused(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="audio_chunk", audio=b64(bytes(1024 * 1024 + 1)))
        assert "1 MiB" in (await client.next())["message"]
        await client.send(type="audio_chunk", audio=b64(bytes(1024 * 1024)))
        assert (await client.next())["type"] == "audio_receiving"


async def test_a_frame_above_16_mib_closes_the_connection(house):
    async with house() as home, home.connect(PATH) as client:
        await client.ws.send_str(" " * (16 * 1024 * 1024 + 2))
        assert (await client.next())["type"] == "error"
        assert (await client.ws.receive()).type == aiohttp.WSMsgType.CLOSE


async def test_a_binary_frame_is_an_error(house):
    async with house() as home, home.connect(PATH) as client:
        await client.ws.send_bytes(b"\x00\x01")
        assert (await client.next())["type"] == "error"


async def test_a_client_that_is_gone_leaves_no_session(house):
    async with house() as home:
        async with home.connect(PATH) as client:
            await client.send(type="register")
            await client.next()
            assert len(home.hub.sessions()) == 1
        for _ in range(100):
            if not home.hub.sessions():
                break
            await asyncio.sleep(0.01)
        assert not home.hub.sessions()


async def test_a_session_that_the_hub_ends_is_followed_by_another(house):
    async with house() as home, home.connect(PATH) as client:
        await client.send(type="register")
        await client.next()
        (session,) = home.hub.sessions()
        home.hub.close_session(session["id"], "idle")
        await asyncio.sleep(0.05)
        await client.send(type="text_query", text="what do lions eat")
        assert name_of((await client.until("response_complete"))[-1]) == "response_complete"
