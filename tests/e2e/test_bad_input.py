"""What clients get wrong, against a whole hub: a clear message each, and the hub lives on."""

from __future__ import annotations

import contextlib
import json
import random

import aiohttp
import pytest

from mynah.audio import LISTENING, AudioFormat, converter
from mynah.testing.hubs import run_hub, scripted_engines
from mynah.testing.speaker import FakeSpeaker

FRAMES = 10_000


@pytest.fixture
async def hub(tmp_path):
    async with run_hub(tmp_path, specs=scripted_engines(), installed=("http", "websocket")) as running:
        yield running


@pytest.fixture
async def url(hub):
    return hub.addresses["http"]


async def _lives_on(hub):
    async with FakeSpeaker(hub.addresses["http"]) as speaker:
        turn = await speaker.ask_text("what do lions eat")
        assert turn.reply == "Lions eat meat."
    assert hub.health()["status"] == "healthy"


def _mp3(ms=2000):
    encoder = converter(LISTENING, AudioFormat("mp3", 16_000, 1))
    chunks = encoder.feed(bytes(LISTENING.pcm_bytes(ms))) + encoder.flush()
    return b"".join(chunk.data for chunk in chunks)


async def test_an_mp3_cut_in_half_is_heard_as_far_as_it_goes(hub):
    data = _mp3()
    async with FakeSpeaker(hub.addresses["http"], records=AudioFormat("mp3", 16_000, 1)) as speaker:
        turn = await speaker.ask_audio([data[: len(data) // 2 - 7]])
        assert turn.transcript == "what do lions eat"
    await _lives_on(hub)


async def test_audio_that_is_none_is_named_and_the_connection_stays(hub):
    async with FakeSpeaker(hub.addresses["http"], records=AudioFormat("ogg_opus", 48_000, 1)) as speaker:
        await speaker.listen()
        for _ in range(20):
            await speaker.feed(b"this is no audio at all " * 400)
        await speaker.end_listening()
        error = await speaker.expect("error")
        assert error.data["code"] == "audio"
        assert not error.data["closes"]
        assert (await speaker.ask_text("what do lions eat")).reply == "Lions eat meat."
    await _lives_on(hub)


async def test_text_where_audio_belongs_is_named(hub):
    async with FakeSpeaker(hub.addresses["http"]) as speaker:
        await speaker.send_frame(json.dumps({"type": "audio", "data": "what do lions eat"}))
        assert "audio" in (await speaker.expect("error")).data["message"]
        await speaker.send_frame(json.dumps({"type": "listen", "mode": "open", "format": "loud"}))
        assert "format" in (await speaker.expect("error")).data["message"]
    await _lives_on(hub)


async def test_half_a_sample_is_named(hub):
    async with FakeSpeaker(hub.addresses["http"]) as speaker:
        await speaker.listen()
        await speaker.feed(b"\x01\x02\x03")
        assert "2 bytes" in (await speaker.expect("error")).data["message"]
        await speaker.feed(b"\x01\x02")
        await speaker.end_listening()
        assert (await speaker.expect("turn_finished")).data["outcome"] == "answered"


async def test_random_frames_do_not_disturb_anyone(hub):
    chance = random.Random(7)
    names = ["hello", "listen", "text", "say", "interrupt", "played", "update", "clock", "ping", "end_listening", "x"]
    values = [None, 1, -1, 1e308, "", "x" * 100, [], {}, True, {"codec": "mp3"}, [{"codec": 1}]]
    fields = ["text", "mode", "format", "turn", "ms", "persona", "context", "language", "client_ms", "id", "start_at"]
    async with FakeSpeaker(hub.addresses["http"]) as speaker, FakeSpeaker(hub.addresses["http"]) as neighbour:
        for number in range(FRAMES):
            kind = chance.randrange(4)
            if kind == 0:
                await speaker.send_frame(chance.randbytes(chance.randrange(64)))
            elif kind == 1:
                await speaker.send_frame("".join(chr(chance.randrange(32, 0x2FF)) for _ in range(20)))
            else:
                message = {chance.choice(fields): chance.choice(values) for _ in range(chance.randrange(4))}
                await speaker.send_frame(json.dumps({"type": chance.choice(names), **message}))
            if number % 2_500 == 0:
                assert (await neighbour.ask_text("what do lions eat")).reply == "Lions eat meat."
        await speaker.send("ping", id="after")
        await speaker.until(
            lambda: next((m for m in speaker.messages if m.name == "pong" and m.data.get("id") == "after"), None),
            "the pong",
            timeout_s=30,
        )
    await _lives_on(hub)


async def test_an_upload_of_300_mb_is_refused_early(hub, url):
    sent = 0

    async def pieces():
        nonlocal sent
        for _ in range(300):
            sent += 1
            yield bytes(1 << 20)

    status = None
    async with aiohttp.ClientSession() as client:
        with contextlib.suppress(aiohttp.ClientError):  # it may hang up before all of its answer was read
            async with client.post(f"{url}/api/v1/sessions", data=pieces()) as response:
                status = response.status
    assert status in (413, None)
    assert sent < 100
    await _lives_on(hub)


async def test_a_client_that_vanishes_in_mid_reply_disturbs_nobody(hub):
    for _ in range(20):
        speaker = FakeSpeaker(hub.addresses["http"])
        await speaker.connect()
        await speaker.send("text", text="what do lions eat")
        await speaker.drop()
    await _lives_on(hub)
