"""Speakers and announcements by the REST API of a real hub."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
import segno

from mynah.audio import LISTENING
from mynah.provisioning import BOARDS, read_code
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


async def test_code_of_an_added_speaker_holds_what_it_is_told_and_its_qr_code_the_code(tmp_path):
    async with house(tmp_path) as (_, client):
        _, told = await call(client, "POST", SPEAKERS, json={"id": "new_one", "board": "esp32c3"})
    assert read_code(told["code"]) == {
        "id": "new_one", "hub": told["hub"], "token": told["token"], "board": "esp32c3",
        "key": bytes.fromhex(told["key"]),
    }  # fmt: skip
    assert told["qr"] == ["".join(map(str, row)) for row in segno.make(told["code"], error="l", micro=False).matrix]


async def test_boards_are_those_of_the_command_line(tmp_path):
    async with house(tmp_path) as (_, client):
        boards = (await call(client, "GET", "/api/v1/boards"))[1]
    assert {board["name"]: (board["image"], board["offset"], board["arch"]) for board in boards} == {
        name: (board.image, board.offset, board.arch) for name, board in BOARDS.items()
    }


async def test_announcement_is_followed_while_it_sounds(tmp_path):
    tts = ScriptedTextToSpeech(ms_per_word=200)
    async with (
        house(tmp_path, tts=tts) as (hub, client),
        FakeSpeaker(
            hub.addresses["http"], speaker="lion_house", plays=[LISTENING], playback="real_time", buffer_ms=200
        ),
    ):
        body = {"where": "savanna", "text": "feeding time", "chime": False}
        async with client.post(ANNOUNCEMENTS, json=body, headers={"Accept": "application/jsonl"}) as answer:
            assert answer.content_type == "application/jsonl"
            lines = [json.loads(line) async for line in answer.content]
    missed = {"giraffe_deck": "it is not connected"}
    assert lines[0] == {"taken": ["lion_house"], "heard": [], "missed": missed, "over": False}
    assert lines[-1] == {"taken": ["lion_house"], "heard": ["lion_house"], "missed": missed, "over": True}


async def test_announcement_goes_on_when_nobody_follows_it_any_more(tmp_path):
    tts = ScriptedTextToSpeech(ms_per_word=200)
    async with (
        house(tmp_path, tts=tts) as (hub, client),
        FakeSpeaker(hub.addresses["http"], speaker="lion_house", plays=[LISTENING]) as speaker,
    ):
        body = {"where": "savanna", "text": "feeding time", "chime": False}
        async with client.post(ANNOUNCEMENTS, json=body, headers={"Accept": "application/jsonl"}) as answer:
            await answer.content.readline()
        turn = await speaker.until(lambda: next(iter(speaker.turns.values()), None))
        assert (await speaker.finished(turn)).reply == "feeding time"


async def test_speakers_of_an_area_are_told_what_to_do(tmp_path):
    async with (
        house(tmp_path) as (hub, client),
        FakeSpeaker(hub.addresses["http"], speaker="lion_house") as speaker,
    ):
        status, report = await call(
            client, "POST", f"{SPEAKERS}/savanna/commands", json={"command": "volume", "volume": 35}
        )
        assert (status, report) == (200, {"done": ["lion_house"], "missed": {"giraffe_deck": "it is not connected"}})
        assert (await speaker.expect("volume")).data["percent"] == 35
        await call(client, "POST", f"{SPEAKERS}/lion_house/commands", json={"command": "mute", "mute": True})
        assert (await speaker.expect("volume")).data["percent"] == 0
        row = next(row for row in (await call(client, "GET", SPEAKERS))[1] if row["id"] == "lion_house")
        assert (row["volume"], row["mute"], row["phase"]) == (35, True, "idle")


@pytest.mark.parametrize(
    ("name", "body", "status", "told"),
    [
        ("nowhere", {"command": "stop"}, 404, "no speaker, area or group named 'nowhere'"),
        ("all", {"command": "dance"}, 400, "command"),
        ("all", {"command": "volume", "volume": 101}, 400, "volume"),
        ("all", {"command": "listen", "seconds": 0}, 400, "seconds"),
        ("all", {}, 400, "command"),
    ],
)
async def test_what_cannot_be_commanded_is_refused(tmp_path, name, body, status, told):
    async with house(tmp_path) as (_, client):
        answered, answer = await call(client, "POST", f"{SPEAKERS}/{name}/commands", json=body)
    assert answered == status
    assert told in answer["error"]["message"]


async def test_what_was_said_in_a_session_is_for_admins(tmp_path):
    config = {"speakers": HOUSE, "http": {"host": "0.0.0.0", "mdns": False}}
    async with run_hub(tmp_path, specs=scripted_engines(), config=config, installed=("http", "websocket")) as hub:
        tokens = {role: hub.storage.issue_token(role, role) for role in ("admin", "viewer")}
        port = hub.addresses["http"].rsplit(":", 1)[1]
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
            FakeSpeaker(f"http://127.0.0.1:{port}", token=tokens["admin"]) as speaker,
        ):
            await speaker.ask_text("What do lions eat?")
            shown = {}
            for role, token in tokens.items():
                headers = {"Authorization": f"Bearer {token}"}
                (session,) = (await call(client, "GET", "/api/v1/sessions", headers=headers))[1]
                one = (await call(client, "GET", f"/api/v1/sessions/{session['id']}", headers=headers))[1]
                shown[role] = [session["history"], one["history"]]
    assert shown["viewer"] == [[], []]
    assert all(history[0]["user"] == "What do lions eat?" for history in shown["admin"])
