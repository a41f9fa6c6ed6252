"""What is kept of sessions, by the REST API of a real hub."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from mynah.testing import run_hub, scripted_engines

SESSIONS = "/api/v1/sessions"


@asynccontextmanager
async def client_of(folder, **config):
    async with (
        run_hub(folder, specs=scripted_engines(), config=config, installed=["http"]) as hub,
        aiohttp.ClientSession(hub.addresses["http"]) as client,
    ):
        yield client


async def call(client, method, path, **more):
    async with client.request(method, path, **more) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def turns_of(client, id):
    _, told = await call(client, "GET", f"{SESSIONS}/{id}/statistics")
    return sum(told["turns"].values())


async def conversed(client, *questions):
    """Open a session, ask, and wait for the answers; return its id."""
    _, session = await call(client, "POST", SESSIONS, json={})
    for number, question in enumerate(questions, 1):
        await call(client, "POST", f"{SESSIONS}/{session['id']}/text", json={"text": question})
        while await turns_of(client, session["id"]) < number:  # noqa: ASYNC110  # over REST there is nothing to wait for
            await asyncio.sleep(0.01)
    return session["id"]


async def test_a_session_tells_what_it_is_and_how_its_turns_went(tmp_path):
    async with client_of(tmp_path) as client:
        id = await conversed(client, "What do lions eat?")
        _, told = await call(client, "GET", f"{SESSIONS}/{id}")
        assert (told["origin"], told["entries"], told["turns"]) == ("rest", 1, 1)
        _, statistics = await call(client, "GET", f"{SESSIONS}/{id}/statistics")
        assert statistics["turns"] == {"answered": 1}
        _, whole = await call(client, "GET", "/api/v1/statistics")
        assert (whole["turns"], whole["sessions"]) == ({"answered": 1}, {"rest": 1})


async def test_a_closed_session_is_kept_exported_and_deleted(tmp_path):
    async with client_of(tmp_path) as client:
        id = await conversed(client, "What do lions eat?", "And tigers?")
        assert await call(client, "POST", f"{SESSIONS}/{id}/close") == (204, None)
        assert await call(client, "GET", SESSIONS) == (200, [])
        _, kept = await call(client, "GET", SESSIONS, params={"kept": "true"})
        assert [(row["id"], row["entries"], row["reason"], row["open"]) for row in kept] == [(id, 2, "closed", False)]
        _, told = await call(client, "GET", f"{SESSIONS}/{id}/export")
        assert [each["user"] for each in told["exchanges"]] == ["What do lions eat?", "And tigers?"]
        assert await call(client, "DELETE", f"{SESSIONS}/{id}") == (200, {"deleted": 1})
        for method, path in (("GET", "/export"), ("DELETE", "")):
            assert (await call(client, method, f"{SESSIONS}/{id}{path}"))[0] == 404


async def test_all_sessions_are_exported_one_a_line_and_deleted(tmp_path):
    async with client_of(tmp_path) as client:
        ids = [await conversed(client, "What do lions eat?") for _ in range(3)]
        async with client.get(f"{SESSIONS}/export") as answer:
            assert answer.content_type == "application/jsonl"
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert [line["id"] for line in lines] == ids
        assert await call(client, "DELETE", SESSIONS) == (200, {"deleted": 3})
        assert await call(client, "GET", SESSIONS, params={"kept": "true"}) == (200, [])


async def test_kept_sessions_come_in_pages(tmp_path):
    async with client_of(tmp_path) as client:
        ids = [await conversed(client, "What do lions eat?") for _ in range(3)]
        _, first = await call(client, "GET", SESSIONS, params={"kept": "true", "most": "2"})
        before = str(first[-1]["last_active"])
        _, rest = await call(client, "GET", SESSIONS, params={"kept": "true", "before": before})
        assert [row["id"] for row in first + rest] == ids[::-1]


@pytest.mark.parametrize("query", [{"most": "many"}, {"before": "yesterday"}, {"before": "nan"}])
async def test_a_query_that_is_no_number_is_400(tmp_path, query):
    async with client_of(tmp_path) as client:
        status, answer = await call(client, "GET", SESSIONS, params={"kept": "true", **query})
        assert status == 400
        assert "must be a number" in answer["error"]["message"]


async def test_kept_is_true_or_false_and_nothing_else(tmp_path):
    async with client_of(tmp_path) as client:
        assert await call(client, "GET", SESSIONS, params={"kept": "false"}) == (200, [])
        status, answer = await call(client, "GET", SESSIONS, params={"kept": "1"})
        assert (status, answer["error"]["message"]) == (400, "'kept' must be true or false, not '1'")


async def test_a_recording_is_sent_by_its_name_in_the_export(tmp_path):
    async with client_of(tmp_path, sessions={"audio_days": 7}) as client:
        id = await conversed(client, "What do lions eat?")
        while not (names := (await call(client, "GET", f"{SESSIONS}/{id}/export"))[1]["audio"]):  # noqa: ASYNC110  # over REST there is nothing to wait for
            await asyncio.sleep(0.01)
        assert names == ["t1-reply.wav"]
        async with client.get(f"{SESSIONS}/{id}/audio/t1-reply.wav") as answer:
            assert (answer.status, answer.content_type) == (200, "audio/wav")
            assert (await answer.read())[:4] == b"RIFF"
        for wrong in ("t9-reply.wav", "..%2Fmynah.sqlite3"):
            assert (await call(client, "GET", f"{SESSIONS}/{id}/audio/{wrong}"))[0] == 404
