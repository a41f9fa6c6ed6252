"""Speakers and announcements by the REST API of a real hub."""

from __future__ import annotations

from contextlib import asynccontextmanager

import aiohttp
import pytest

from mynah.audio import LISTENING
from mynah.testing import FakeSpeaker, ScriptedTextToSpeech, run_hub, scripted_engines

SPEAKERS = "/api/v1/speakers"
ANNOUNCEMENTS = "/api/v1/announcements"
HOUSE = {"lion_house": {"area": "savanna"}, "giraffe_deck": {"area": "savanna"}}


@asynccontextmanager
async def house(folder, *, tts=None, http=None):
    """A hub with two speakers, and a client of its API."""
    config = {"speakers": HOUSE, "http": http or {}}
    async with (
        run_hub(folder, specs=scripted_engines(tts=tts), config=config, installed=("http", "websocket")) as hub,
        aiohttp.ClientSession(hub.addresses["http"]) as client,
    ):
        yield hub, client


async def call(client, method, path, **options):
    async with client.request(method, path, **options) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None


async def test_who_heard_an_announcement_is_answered_at_its_end_however_long_it_takes(tmp_path):
    tts = ScriptedTextToSpeech(ms_per_word=500)
    async with (
        house(tmp_path, tts=tts, http={"request_timeout": 0.5}) as (hub, client),
        FakeSpeaker(
            hub.addresses["http"], speaker="lion_house", plays=[LISTENING], playback="real_time", buffer_ms=200
        ),
    ):
        body = {"where": "savanna", "text": "feeding time", "chime": False}
        status, report = await call(client, "POST", ANNOUNCEMENTS, json=body)
    assert status == 200
    assert report == {"heard": ["lion_house"], "missed": {"giraffe_deck": "it is not connected"}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"where": "nowhere", "text": "hi"}, "no speaker, area or group named 'nowhere'"),
        ({"where": "all"}, ""),
        ({"where": "all", "text": "hi", "volume": 101}, "volume"),
        ({"where": "all", "text": "hi", "urgency": "shouting"}, "urgency"),
        ({"where": "all", "text": "hi", "play": "gong.wav"}, "a text or a sound to play, not both"),
        ({"text": "hi"}, "where"),
    ],
)
async def test_what_cannot_be_announced_is_refused_before_anything_sounds(tmp_path, body, told):
    async with house(tmp_path) as (_, client):
        status, answer = await call(client, "POST", ANNOUNCEMENTS, json=body)
    assert status == 400
    assert told in answer["error"]["message"]


async def test_a_speaker_that_is_added_is_told_all_that_it_needs(tmp_path):
    async with house(tmp_path) as (hub, client):
        status, code = await call(client, "POST", SPEAKERS, json={"id": "new_one", "name": "New", "area": "savanna"})
        assert status == 200
        assert code["hub"] == hub.addresses["http"].replace("http", "ws") + "/ws/v1"
        assert "broker" not in code
        assert hub.access(code["token"]) == ("speaker", "new_one")
        assert bytes.fromhex(code["key"]) == hub.storage.key("new_one")
        async with FakeSpeaker(code["hub"], token=code["token"], speaker="new_one"):
            assert [row["online"] for row in (await call(client, "GET", SPEAKERS))[1] if row["id"] == "new_one"] == [
                True
            ]


async def test_adding_it_again_needs_to_be_said(tmp_path):
    async with house(tmp_path) as (_, client):
        await call(client, "POST", SPEAKERS, json={"id": "lion_house"})
        status, answer = await call(client, "POST", SPEAKERS, json={"id": "lion_house"})
        assert (status, "has a token already" in answer["error"]["message"]) == (400, True)
        assert (await call(client, "POST", SPEAKERS, json={"id": "lion_house", "renew": True}))[0] == 200


async def test_a_removed_speaker_is_gone_and_its_token_is_void(tmp_path):
    async with house(tmp_path) as (hub, client):
        _, code = await call(client, "POST", SPEAKERS, json={"id": "new_one"})
        assert await call(client, "DELETE", f"{SPEAKERS}/new_one") == (204, None)
        assert hub.access(code["token"]) is None
        assert (await call(client, "DELETE", f"{SPEAKERS}/new_one"))[0] == 404
