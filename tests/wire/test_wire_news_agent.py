"""D: the voice news agent's wire."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime

import pytest

from mynah import AudioFormat
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from wire.wire_clients import b64, decoded, names, of, tone, wav_file

PATH = "/ws/voice?user_id=u1"
SENTENCES = [f"Sentence number {n} is a long one. " for n in range(30)]


def sound(frames):
    return [base64.b64decode(frame["data"]["audio_chunk"]) for frame in of(frames, "tts_chunk")]


async def connected(client):
    return (await client.next())["data"]["session_id"]


async def test_on_connect_it_says_so(house):
    async with house() as home, home.connect(PATH) as client:
        hello = await client.next()
        assert hello["event"] == "connected"
        assert hello["data"]["session_id"]
        assert hello["data"]["message"]
        datetime.fromisoformat(hello["data"]["timestamp"])


async def test_a_command_is_answered_with_text_and_mp3(house):
    async with house() as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat", confidence=0.9)
        frames = await client.until("streaming_complete")
        text = "Yes. Lions eat meat. They sleep a lot."
        (response,) = of(frames, "voice_response")
        data = response["data"]
        assert (data["text"], data["streaming"], data["audio_url"]) == (text, True, None)
        assert isinstance(data["response_type"], str)
        assert data["processing_time_ms"] >= 0
        (again,) = of(frames, "agent_response")
        assert again["data"]["text"] == text
        chunks = of(frames, "tts_chunk")
        assert [chunk["data"]["chunk_index"] for chunk in chunks] == list(range(len(chunks)))
        assert {chunk["data"]["format"] for chunk in chunks} == {"mp3"}
        assert frames[-1]["data"]["total_chunks_sent"] == len(chunks)
        assert len(decoded(b"".join(sound(frames)), "mp3")) / 32 == pytest.approx(800, rel=0.4)


async def test_every_message_carries_the_session_and_the_time(house):
    async with house() as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_data", session_id=session, audio_chunk=b64(wav_file(tone(300))), is_final=True)
        await client.until("streaming_complete")
        await client.event("interrupt", session_id=session, reason="stop")
        await client.until("streaming_interrupted")
        await client.event("nothing", session_id=session)
        await client.until("error")
        for frame in client.frames:
            assert frame["data"]["session_id"] == session
            datetime.fromisoformat(frame["data"]["timestamp"])


async def test_speech_is_heard_told_and_answered(house):
    async with house() as home, home.connect(PATH) as client:
        session = await connected(client)
        for part in (tone(200), tone(200)):
            await client.event(
                "voice_data",
                session_id=session,
                audio_chunk=b64(part),
                is_final=False,
                format="pcm",
                sample_rate=16_000,
            )
            assert (await client.until("audio_received"))[-1]
        await client.event("voice_data", session_id=session, audio_chunk="", is_final=True, format="pcm")
        frames = await client.until("streaming_complete")
        partials = of(client.frames, "partial_transcription")
        assert partials
        assert {partial["data"]["is_final"] for partial in partials} == {False}
        (heard,) = of(frames, "transcription")
        assert (heard["data"]["text"], heard["data"]["confidence"]) == ("what do lions eat", 0.9)
        assert heard["data"]["processing_time_ms"] >= 0


async def test_audio_chunk_is_final_unless_it_says_otherwise(house):
    stt = ScriptedSpeechToText()
    async with house(stt=stt) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("audio_chunk", session_id=session, audio_chunk=b64(wav_file(tone(300, 8_000), 8_000)))
        await client.until("streaming_complete")
        assert len(stt.heard) / 32 == pytest.approx(300, abs=10)


async def test_samples_are_of_the_rate_that_is_told(house):
    stt = ScriptedSpeechToText()
    async with house(stt=stt) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event(
            "voice_data", session_id=session, audio_chunk=b64(tone(300, 48_000)), is_final=True, format="pcm",
            sample_rate=48_000,
        )  # fmt: skip
        await client.until("streaming_complete")
        assert len(stt.heard) / 32 == pytest.approx(300, abs=10)


async def test_pieces_are_of_4096_bytes_but_for_the_first_and_the_last(house):
    tts = ScriptedTextToSpeech(ms_per_word=2_000)
    async with house(tts=tts) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat")
        pieces = sound(await client.until("streaming_complete"))
        assert len(pieces) > 4
        assert {len(piece) for piece in pieces[1:-1]} == {4096}
        assert max(len(pieces[0]), len(pieces[-1])) <= 4096


async def test_the_engines_mp3_passes_through(house):
    tts = ScriptedTextToSpeech(format=AudioFormat("mp3", 24_000, 1))
    async with house(tts=tts) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat")
        sent = b"".join(sound(await client.until("streaming_complete")))
        made = b"".join(
            tts._piece(number, tts.ms_per_word * len(text.split()) / tts.pieces).data
            for text, _ in tts.said
            for number in range(tts.pieces)
        )
        assert sent == made


async def test_sound_comes_before_the_text_is_complete(house):
    llm = ScriptedLanguageModel(["Yes. ", "Lions eat meat."], each_s=0.4)
    async with house(llm=llm) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat")
        told = names(await client.until("streaming_complete"))
        assert told.index("tts_chunk") < told.index("voice_response") < told.index("streaming_complete")


async def test_the_text_comes_before_the_sound_is_complete(house):
    tts = ScriptedTextToSpeech(first_s=0.1, total_s=0.5)
    async with house(tts=tts) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat")
        told = names(await client.until("streaming_complete"))
        assert told.index("voice_response") < told.index("tts_chunk")


async def test_a_player_that_runs_dry_gets_what_there_is(house):
    tts = ScriptedTextToSpeech(ms_per_word=200, pieces=6, total_s=3.0)
    async with house(llm=ScriptedLanguageModel(["Lions."]), tts=tts) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat")
        pieces = sound(await client.until("streaming_complete"))
        assert len(pieces) > 2
        assert sum(map(len, pieces)) < 4096


async def test_an_interrupted_reply_sends_not_one_piece_more(house):
    tts = ScriptedTextToSpeech(first_s=0.02, total_s=0.2, ms_per_word=400)
    async with house(llm=ScriptedLanguageModel(SENTENCES), tts=tts) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="tell me everything")
        for _ in range(3):
            await client.until("tts_chunk")
        await client.event("interrupt", session_id=session, reason="stop it")
        frames = await client.until("streaming_interrupted")
        (stopped,) = of(frames, "voice_interrupted")
        assert stopped["data"]["reason"] == "stop it"
        assert stopped["data"]["interruption_time_ms"] >= 0
        sent = len(of(client.frames, "tts_chunk"))
        assert frames[-1]["data"]["total_chunks_sent"] == sent
        await client.silence(0.5)


async def test_new_input_interrupts_as_well(house):
    llm = ScriptedLanguageModel(rounds=[SENTENCES, ["Brief."]])
    tts = ScriptedTextToSpeech(first_s=0.02, total_s=0.2, ms_per_word=400)
    async with house(llm=llm, tts=tts) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="tell me everything")
        await client.until("tts_chunk")
        await client.event("voice_command", session_id=session, command="be brief")
        await client.until("streaming_interrupted")
        frames = await client.until("streaming_complete")
        assert [frame["data"]["text"] for frame in of(frames, "voice_response")] == ["Brief."]


async def test_an_interrupt_of_nothing_is_answered(house):
    async with house() as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("interrupt", session_id=session, reason="stop")
        frames = await client.until("streaming_interrupted")
        assert names(frames) == ["voice_interrupted", "streaming_interrupted"]
        assert frames[-1]["data"]["total_chunks_sent"] == 0


async def test_listening_starts_and_stops(house):
    async with house() as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("start_listening", session_id=session)
        assert (await client.next())["event"] == "listening_started"
        await client.event("voice_data", session_id=session, audio_chunk=b64(tone(300)), format="pcm")
        await client.until("audio_received")
        await client.event("stop_listening", session_id=session)
        frames = await client.until("streaming_complete")
        assert of(frames, "listening_stopped")
        assert of(frames, "transcription")


async def test_what_cannot_be_answered_is_an_error(house):
    llm = ScriptedLanguageModel(fault="raise")
    async with house(llm=llm) as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.event("voice_command", session_id=session, command="what do lions eat")
        data = (await client.until("error"))[-1]["data"]
        assert data["error_type"]
        assert data["message"]


@pytest.mark.parametrize(
    "frame",
    [
        "not json", "[]", "{}", '{"event":"voice_command"}', '{"event":"voice_command","data":[]}',
        '{"event":"voice_command","data":{}}', '{"event":"voice_command","data":{"command":7}}',
        '{"event":"voice_command","data":{"command":"x","confidence":"high"}}', '{"event":"sing","data":{}}',
        '{"event":"voice_data","data":{"audio_chunk":"%%"}}', '{"event":"voice_data","data":{"is_final":true}}',
        '{"event":"voice_data","data":{"audio_chunk":"","is_final":"yes"}}',
        '{"event":"voice_data","data":{"audio_chunk":"AAAA","sample_rate":"x"}}',
        '{"event":"voice_data","data":{"audio_chunk":"' + b64(b"no webm at all" * 9) + '","format":"webm"}}',
    ],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_the_next_good_one_works(house, frame):
    async with house() as home, home.connect(PATH) as client:
        session = await connected(client)
        await client.ws.send_str(frame)
        error = await client.next()
        assert error["event"] == "error"
        assert error["data"]["error_type"]
        assert error["data"]["message"]
        await client.event("start_listening", session_id=session)
        assert (await client.next())["event"] == "listening_started"
        await asyncio.sleep(0)
