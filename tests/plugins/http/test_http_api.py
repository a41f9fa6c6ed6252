"""The hub's own REST API over a real connection."""

from __future__ import annotations

import pytest

from mynah import PersonaSpec

SESSIONS = "/api/v1/sessions"


async def test_health_answers_200_when_healthy(server):
    assert await server.call("GET", "/health") == (200, server.hub.health())


async def test_health_answers_503_when_not(server):
    server.hub.status = "starting"
    status, body = await server.call("GET", "/health")
    assert (status, body["status"]) == (503, "starting")


async def test_health_can_be_asked_by_head(server):
    async with server.client.head("/health") as response:
        assert response.status == 200


async def test_a_session_is_opened_shown_listed_and_closed(server):
    _, opened = await server.call("POST", SESSIONS, json={"persona": "zoo_guide", "context": {"exhibit": "lion"}})
    assert opened == {"id": "session-1", "context": {"exhibit": "lion"}}
    assert await server.call("GET", f"{SESSIONS}/session-1") == (200, opened)
    assert await server.call("GET", SESSIONS) == (200, [opened])
    assert await server.call("POST", f"{SESSIONS}/session-1/close") == (204, None)
    assert await server.call("GET", SESSIONS) == (200, [])


async def test_a_session_needs_no_body_at_all(server):
    assert (await server.call("POST", SESSIONS))[0] == 200


async def test_opening_past_the_limit_is_503_with_retry_after(server):
    server.hub.max_sessions = 0
    async with server.client.post(SESSIONS) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "sessions are taken" in (await response.json())["error"]["message"]


async def test_opening_with_an_unknown_persona_is_400(server):
    status, body = await server.call("POST", SESSIONS, json={"persona": "nobody"})
    assert (status, body["error"]) == (400, {"message": "there is no persona 'nobody'", "status": 400})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/statistics"),
        ("POST", "/close"),
        ("POST", "/text"),
        ("POST", "/say"),
        ("POST", "/interrupt"),
    ],
)
async def test_an_unknown_session_is_404(server, method, path):
    body = {"text": "hello"} if path in ("/text", "/say") else None
    status, answer = await server.call(method, f"{SESSIONS}/missing{path}", json=body)
    assert (status, answer["error"]["message"]) == (404, "there is no session 'missing'")


async def test_text_begins_a_turn(server):
    await server.call("POST", SESSIONS)
    question = {"text": "What do lions eat?", "language": "en"}
    assert await server.call("POST", f"{SESSIONS}/session-1/text", json=question) == (200, {"turn_id": "turn-1"})
    assert server.hub.open["session-1"].said == [("submit", "What do lions eat?", "en")]


async def test_say_speaks_as_it_is(server):
    await server.call("POST", SESSIONS)
    assert await server.call("POST", f"{SESSIONS}/session-1/say", json={"text": "Hi"}) == (200, {"turn_id": "turn-1"})
    assert server.hub.open["session-1"].said == [("say", "Hi", None)]


async def test_a_text_that_a_known_session_refuses_is_400(server):
    await server.call("POST", SESSIONS)
    status, body = await server.call("POST", f"{SESSIONS}/session-1/text", json={"text": "unsayable"})
    assert (status, body["error"]["message"]) == (400, "this text cannot be taken")


async def test_interrupt_says_whether_there_was_a_reply(server):
    await server.call("POST", SESSIONS)
    assert await server.call("POST", f"{SESSIONS}/session-1/interrupt") == (200, {"interrupted": False})
    assert server.hub.open["session-1"].interrupts == 1


async def test_speakers_and_engines_are_listed(server):
    assert (await server.call("GET", "/api/v1/speakers"))[1] == server.hub.speakers()
    assert (await server.call("GET", "/api/v1/engines"))[1] == server.hub.engines()


async def test_a_greeting_in_several_languages_is_told_in_the_personas_own(server, monkeypatch):
    tutor = PersonaSpec(name="tutor", title="A tutor", language="zh", greeting={"en": "Hello", "zh": "你好"})
    monkeypatch.setattr(server.hub, "personas", lambda: [tutor])
    assert (await server.call("GET", "/api/v1/personas"))[1][0]["greeting"] == "你好"


async def test_personas_are_listed_without_prompt_and_files(server):
    status, (persona,) = await server.call("GET", "/api/v1/personas")
    assert (status, persona["name"], persona["voice"]["rate"]) == (200, "zoo_guide", 1.0)
    assert not {"prompt", "knowledge"} & persona.keys()


async def test_the_front_page_says_what_this_is(server):
    async with server.client.get("/") as response:
        assert response.content_type == "text/plain"
        assert "/api/v1/openapi.json" in await response.text()
