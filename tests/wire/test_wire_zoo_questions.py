"""A: questions at an exhibit, with the zoo's real guide and its answerer; and what a camera sees, for two minutes."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from mynah.testing import ScriptedTextToSpeech, run_hub, scripted
from mynah_dialects import zoo_speaker
from wire.wire_clients import Client

SPEAKERS = {"panda_house": {"name": "Panda house", "context": {"exhibit": "red panda"}}}


@pytest.fixture
async def ask(tmp_path):
    """Ask a zoo speaker, and return what it answers."""
    config = {"persona": "zoo_guide", "speakers": SPEAKERS}
    tts = scripted("tts", ScriptedTextToSpeech())
    async with (
        run_hub(tmp_path, specs=[tts], config=config, installed=("dialects", "facts", "http", "zoo_guide")) as hub,
        aiohttp.ClientSession() as http,
        http.ws_connect(hub.addresses["http"] + "/ws/esp32/panda_house") as ws,
    ):
        client = Client(ws)

        async def asked(text="", **message):
            if message:
                await ws.send_str(json.dumps(message))
                return ""
            await client.send(type="text_query", text=text)
            return (await client.until("response_complete"))[-1]["text"].lower()

        yield asked


async def test_it_is_about_the_animal_of_the_exhibit(ask):
    assert "bamboo" in await ask("what does it eat?")


async def test_a_follow_up_is_about_the_animal_of_the_question_before(ask):
    assert "bamboo" in await ask("what do red pandas eat?")
    assert "red panda" in await ask("where does it live?")


async def test_what_a_camera_sees_is_what_a_question_is_about(ask):
    await ask(type="context", animal="lion")
    assert "lion" in await ask("what does it eat?")


async def test_after_two_minutes_it_is_the_exhibit_again(ask, monkeypatch):
    monkeypatch.setattr(zoo_speaker, "CONTEXT_S", 0.0)
    await ask(type="context", animal="lion")
    await asyncio.sleep(0.05)
    assert "bamboo" in await ask("what does it eat?")
