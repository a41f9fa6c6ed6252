"""B: the study partner's wire."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
import voluptuous as vol

from mynah import AudioChunk, AudioFormat, SessionOptions
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, scripted
from wire.wire_clients import names, of, read_wav, tone, wav_file


class Voices:
    """A voice that takes a moment, and counts how many of its calls are under way."""

    def __init__(self):
        self.said, self.now, self.most = [], 0, 0

    async def synthesize(self, text, *, voice, language):
        self.said.append(text)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.02)
            yield AudioChunk(bytes(3_200), AudioFormat("pcm_s16le", 16_000, 1), 100.0)
        finally:
            self.now -= 1


BASE = "/api/v1/audio-streaming"
REPLY = "Yes. Lions eat meat. They sleep a lot."


async def call(home, method, path, **more):
    async with home.http.request(method, home.url + BASE + path, **more) as answer:
        return answer.status, await answer.json()


async def begin(home, **query):
    status, body = await call(home, "POST", "/sessions", params={"language": "en", **query})
    assert (status, body["success"]) == (200, True)
    return body


@asynccontextmanager
async def studying(home, **query):
    body = await begin(home, **query)
    async with home.connect(body["websocket_url"]) as client:
        hello = await client.next()
        assert (hello["type"], hello["session_id"]) == ("connection_established", body["session_id"])
        assert hello["message"]
        assert isinstance(hello["timestamp"], float)
        yield client


async def record(client, *chunks, final=True):
    for number, chunk in enumerate(chunks):
        last = final and number == len(chunks) - 1
        await client.send(
            type="audio_chunk",
            data={"audio_data": chunk.hex(), "is_final": last, "chunk_index": number},
            timestamp=time.time(),
        )


def said(frames):
    return of(frames, "transcription")


async def until_final(client):
    frames = await client.until("transcription")
    while not frames[-1]["data"]["is_final"]:
        frames += await client.until("transcription")
    return frames


async def spoken(client):
    frames = await client.until("audio_response")
    while not frames[-1]["data"]["is_final"]:
        frames += await client.until("audio_response")
    return of(frames, "audio_response")


@pytest.mark.parametrize("how", ["params", "json"])
@pytest.mark.parametrize("language", ["zh", "en", "auto"])
async def test_a_session_is_created(house, how, language):
    async with house() as home:
        status, body = await call(home, "POST", "/sessions", **{how: {"language": language}})
        assert (status, body["success"], body["language"]) == (200, True, language)
        assert body["websocket_url"] == f"{BASE}/ws/{body['session_id']}"
        assert body["message"]
        _, stats = await call(home, "GET", f"/sessions/{body['session_id']}/stats")
        assert stats["stats"]["language"] == language


async def test_past_the_limit_it_is_refused(house):
    async with house() as home:
        for _ in range(10):
            await begin(home)
        status, body = await call(home, "POST", "/sessions")
        assert status == 503
        assert body["message"]


async def test_hundreds_are_possible_where_configured(house):
    async with house(dialects={"study_partner": {"max_sessions": 300}}, config={"sessions": {"max": 400}}) as home:
        for _ in range(200):
            await begin(home)


async def test_the_statistics_of_a_session(house):
    async with house() as home, studying(home) as client:
        session = client.frames[0]["session_id"]
        await record(client, tone(300), final=False)
        await client.until("chunk_received")
        status, body = await call(home, "GET", f"/sessions/{session}/stats")
        assert (status, body["success"]) == (200, True)
        stats = body["stats"]
        assert set(stats) >= {
            "sessionId", "createdAt", "lastActivity", "isActive", "language", "conversationEntries", "bufferChunks",
            "bufferSize", "pendingTranscriptions", "pendingResponses",
        }  # fmt: skip
        assert (stats["sessionId"], stats["isActive"], stats["language"]) == (session, True, "en")
        assert (stats["bufferChunks"] >= 1, stats["bufferSize"] >= 9_000) == (True, True)
        await client.send(type="control", data={"command": "stats"})
        told = (await client.until("stats_response"))[-1]
        assert told["stats"] == told["data"]["stats"]
        assert told["stats"]["sessionId"] == session
        assert (await call(home, "GET", "/sessions/nobody/stats"))[0] == 404


async def test_the_statistics_of_the_service(house):
    async with house() as home:
        session = (await begin(home))["session_id"]
        home.hub.open_session(SessionOptions())  # another's does not count
        status, body = await call(home, "GET", "/sessions")
        assert (status, body["success"]) == (200, True)
        assert body["stats"]["activeSessions"] == [session]
        assert body["stats"]["totalSessions"] == 1
        service = body["stats"]["serviceStatus"]
        assert (service["isInitialized"], service["ttsInitialized"]) == (True, True)
        # The scripted recogniser has no workers that anybody could wait for.
        assert (service["transcriptionWorkers"], service["ttsWorkers"]) == (10, 2)
        assert {"modelSize", "device"} <= service.keys()


def with_voice(tts):
    """Return what makes a hub speak with that."""
    return {"specs": [scripted("tts", tts, name="a_voice")], "config": {"engines": {"tts": [{"engine": "a_voice"}]}}}


async def test_two_phrases_are_made_at_once_and_nobody_waits_for_all_of_another_ones_texts(house):
    tts = Voices()
    async with house(**with_voice(tts)) as home, AsyncExitStack() as stack:
        greedy, *modest = [await stack.enter_async_context(studying(home)) for _ in range(6)]
        for number in range(10):
            await greedy.send(type="text_request", data={"text": f"Long text {number}. " * 3, "language": "en"})
        await greedy.until("tts_queued")
        for client in modest:
            await client.send(type="text_request", data={"text": "A short text.", "language": "en"})
        for client in modest:
            await spoken(client)
        assert tts.most == 2
        assert sum("Long" in text for text in tts.said) < 15  # of the thirty phrases that were asked for before


async def test_as_many_are_made_at_once_as_is_configured(house):
    tts = Voices()
    configured = {"study_partner": {"synthesis_workers": 4}}
    async with house(dialects=configured, **with_voice(tts)) as home, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(studying(home)) for _ in range(8)]
        for client in clients:
            await client.send(type="text_request", data={"text": "A short text.", "language": "en"})
        for client in clients:
            await spoken(client)
        _, body = await call(home, "GET", "/sessions")
        assert body["stats"]["serviceStatus"]["ttsWorkers"] == tts.most == 4


async def test_why_a_text_could_not_be_spoken_is_told(house):
    async with house(tts=ScriptedTextToSpeech(fault="raise")) as home, studying(home) as client:
        await client.send(type="text_request", data={"text": "Well done.", "language": "en"})
        await client.until("tts_queued")
        error = (await client.until("error"))[-1]
        assert "scripted_tts: the script says so" in error["message"]


async def test_the_statistics_tell_the_recognisers_model_device_and_workers(house):
    schema = {vol.Optional("model", default="tiny"): str, vol.Optional("device", default="auto"): str,
              vol.Optional("workers", default=3): int}  # fmt: skip
    ears = replace(scripted("stt", ScriptedSpeechToText(), name="ears"), schema=schema)
    async with house(specs=[ears], config={"engines": {"stt": [{"engine": "ears", "model": "base"}]}}) as home:
        service = (await call(home, "GET", "/sessions"))[1]["stats"]["serviceStatus"]
        assert (service["modelSize"], service["device"], service["transcriptionWorkers"]) == ("base", "auto", 3)


async def test_a_session_is_closed(house):
    async with house() as home, studying(home) as client:
        session = client.frames[0]["session_id"]
        status, body = await call(home, "DELETE", f"/sessions/{session}")
        assert (status, body["success"]) == (200, True)
        assert body["message"]
        assert (await call(home, "GET", f"/sessions/{session}/stats"))[0] == 404


async def test_another_ones_session_is_none_of_its_own(house):
    async with house() as home:
        other = home.hub.open_session(SessionOptions()).id
        assert (await call(home, "GET", f"/sessions/{other}/stats"))[0] == 404
        assert (await call(home, "DELETE", f"/sessions/{other}"))[0] == 404
        async with home.connect(f"{BASE}/ws/{other}") as client:
            assert (await client.next())["type"] == "error"


async def test_each_chunk_is_acknowledged(house):
    async with house() as home, studying(home) as client:
        await record(client, tone(200), tone(200))
        frames = await until_final(client)
        received = of(frames, "chunk_received")
        assert [each["chunk_index"] for each in received] == [0, 1]
        assert [each["is_final"] for each in received] == [False, True]
        assert {each["size"] for each in received} == {6_400}
        assert len({each["chunk_id"] for each in received}) == 2
        for each in received:
            for name in ("chunk_id", "chunk_index", "size", "is_final"):
                assert each["data"][name] == each[name]


async def test_what_was_said_is_told_and_starts_no_reply(house):
    llm = ScriptedLanguageModel()
    async with house(llm=llm) as home, studying(home) as client:
        await record(client, tone(200), tone(200), tone(200))
        frames = said(await until_final(client))
        assert [each["data"]["is_final"] for each in frames][-1] is True
        done = frames[-1]["data"]
        assert (done["text"], done["confidence"], done["language"]) == ("what do lions eat", 0.9, "en")
        await client.silence(0.3)
        assert not llm.calls.begun


async def test_it_is_told_while_it_is_being_said(house):
    async with house() as home, studying(home) as client:
        await record(client, tone(500), final=False)
        frame = (await client.until("transcription", within=2))[-1]
        assert frame["data"]["is_final"] is False
        assert "what do lions eat".startswith(frame["data"]["text"])


async def test_with_reply_the_hub_answers_by_itself(house):
    async with house() as home, studying(home, reply="true") as client:
        await record(client, tone(300))
        frames = await client.until("response")
        assert frames[-1]["text"] == frames[-1]["data"]["text"] == REPLY
        while not (client.frames[-1]["type"] == "audio_response" and client.frames[-1]["data"]["is_final"]):
            await client.next()
        pieces = of(client.frames, "audio_response")
        assert [each["data"]["chunk_index"] for each in pieces] == list(range(len(pieces)))


async def test_a_text_is_spoken(house):
    tts = ScriptedTextToSpeech(pieces=2)
    async with house(tts=tts) as home, studying(home) as client:
        await client.send(type="text_request", data={"text": REPLY, "language": "en", "voice_settings": {}})
        queued = await client.next()
        assert (queued["type"], queued["text"], queued["language"]) == ("tts_queued", REPLY, "en")
        pieces = await spoken(client)
        assert [each["data"]["is_final"] for each in pieces] == [False] * (len(pieces) - 1) + [True]
        assert {each["data"]["format"] for each in pieces} == {"wav"}
        samples = b"".join(read_wav(bytes.fromhex(each["data"]["audio_data"]))[2] for each in pieces)
        assert len(samples) / 32 == pytest.approx(800, abs=1)
        assert not of(client.frames, "response")


async def test_texts_wait_for_their_turn(house):
    tts = ScriptedTextToSpeech(first_s=0.05, total_s=0.1)
    async with house(tts=tts) as home, studying(home) as client:
        for number in range(10):
            await client.send(type="text_request", data={"text": f"Text number {number}.", "language": "en"})
        heard = []
        for _ in range(10):
            heard.append({each["data"]["text"] for each in await spoken(client)})
        assert heard == [{f"Text number {number}."} for number in range(10)]


async def test_a_text_is_spoken_while_somebody_is_recorded(house):
    async with house() as home, studying(home) as client:
        await record(client, tone(200), final=False)
        await client.send(type="text_request", data={"text": "Well done.", "language": "en"})
        assert await spoken(client)
        await record(client, tone(200))
        assert (await until_final(client))[-1]["data"]["text"] == "what do lions eat"


async def test_control(house):
    async with house() as home, studying(home) as client:
        await client.send(type="control", data={"command": "ping"})
        assert (await client.next())["type"] == "pong"
        await record(client, tone(200), final=False)
        await client.until("chunk_received")
        await client.send(type="control", data={"command": "reset"})
        assert (await client.until("reset_complete"))[-1]["message"]
        await record(client, tone(100))
        assert len(said(await until_final(client))) >= 1


@pytest.mark.parametrize("kind", ["webm", "ogg"])
async def test_a_browsers_recording_is_cut_anywhere(house, recording, kind):
    stt = ScriptedSpeechToText()
    data = recording(kind)
    async with house(stt=stt) as home, studying(home) as client:
        await record(client, *(data[at : at + 313] for at in range(0, len(data), 313)))
        await until_final(client)
        assert len(stt.heard) / 32 == pytest.approx(1_000, abs=60)


async def test_only_the_first_chunk_of_a_browsers_recording_has_the_header(house, recording):
    stt = ScriptedSpeechToText()
    data = recording("webm", 2_000)
    half = len(data) // 2
    async with house(stt=stt) as home, studying(home) as client:
        await record(client, data[:half])
        await until_final(client)
        first = len(stt.heard)
        await record(client, data[half:])
        await until_final(client)
        assert (first + len(stt.heard)) / 32 == pytest.approx(2_000, abs=80)
        await record(client, recording("webm"))  # a new recording has a header of its own
        await until_final(client)
        assert len(stt.heard) / 32 == pytest.approx(1_000, abs=60)


@pytest.mark.parametrize("make", [lambda pcm: pcm, wav_file])
async def test_samples_and_wav_are_told_by_their_first_bytes(house, make):
    stt = ScriptedSpeechToText()
    data = make(tone(500))
    async with house(stt=stt) as home, studying(home) as client:
        for _ in range(2):
            await record(client, *(data[at : at + 1001] for at in range(0, len(data), 1001)))
            await until_final(client)
            assert bytes(stt.heard) == tone(500)


async def test_a_dropped_client_goes_on_with_its_history(house):
    async with house() as home:
        body = await begin(home)
        async with home.connect(body["websocket_url"]) as client:
            await client.next()
            await record(client, tone(200))
            await until_final(client)
        async with home.connect(body["websocket_url"]) as client:
            await client.next()
            await record(client, tone(200))
            await until_final(client)
            await client.send(type="control", data={"command": "stats"})
            assert (await client.until("stats_response"))[-1]["stats"]["conversationEntries"] == 2


async def test_what_was_being_said_when_the_client_dropped_is_not_lost(house):
    async with house() as home:
        body = await begin(home)
        async with home.connect(body["websocket_url"]) as client:
            await client.next()
            await record(client, tone(200), final=False)
            await client.until("chunk_received")
        for _ in range(100):
            _, stats = await call(home, "GET", f"/sessions/{body['session_id']}/stats")
            if stats["stats"]["conversationEntries"]:
                break
            await asyncio.sleep(0.02)
        assert stats["stats"]["conversationEntries"] == 1


async def test_more_than_1_mib_is_refused(house):
    async with house() as home, studying(home) as client:
        await record(client, bytes(1024 * 1024 + 1))
        error = await client.next()
        assert error["type"] == "error"
        assert "1 MiB" in error["message"]
        await record(client, bytes(1024 * 1024), final=False)
        assert (await client.next())["type"] == "chunk_received"


@pytest.mark.parametrize(
    "frame",
    [
        "not json", "[]", "{}", '{"type":"sing","data":{}}', '{"type":"audio_chunk"}',
        '{"type":"audio_chunk","data":{"audio_data":7}}', '{"type":"audio_chunk","data":{"audio_data":"xyz"}}',
        '{"type":"audio_chunk","data":{"audio_data":"abc"}}',
        '{"type":"audio_chunk","data":{"audio_data":"00","is_final":1}}',
        '{"type":"audio_chunk","data":{"audio_data":"00","chunk_index":"a"}}',
        '{"type":"text_request","data":{}}', '{"type":"text_request","data":{"text":""}}',
        '{"type":"text_request","data":{"text":"x","language":7}}',
        '{"type":"text_request","data":{"text":"x","language":"en","voice_settings":7}}',
        '{"type":"control","data":{"command":"dance"}}', '{"type":"control","data":"ping"}',
    ],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_the_next_good_one_works(house, frame):
    async with house() as home, studying(home) as client:
        await client.ws.send_str(frame)
        error = await client.next()
        assert error["type"] == "error"
        assert error["message"] == error["data"]["message"]
        assert isinstance(error["timestamp"], float)
        await client.send(type="control", data={"command": "ping"})
        assert names([await client.next()]) == ["pong"]


@pytest.mark.parametrize("body", ["not json", "[]", '{"language":"tlh"}', '{"language":7}', '{"reply":"maybe"}'])
async def test_a_malformed_body_is_refused(house, body):
    async with house() as home:
        status, answer = await call(home, "POST", "/sessions", data=body)
        assert status == 400
        assert answer["message"]
