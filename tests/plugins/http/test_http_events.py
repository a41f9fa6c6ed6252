"""The hub's events as server-sent events."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from mynah import (
    EngineFailed,
    EngineStateChanged,
    Event,
    Happened,
    Heard,
    HubStopping,
    Replied,
    ReplyFailed,
    SessionOpened,
    TurnStarted,
)
from mynah_http import event_routes, recent
from mynah_http.recent import PART

EVENTS = "/api/v1/events"
WAIT_S = 10
HEARD = Heard(session_id="s", turn_id="t", text="a secret", language="en")


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceOpened(Event):
    """A plugin's own event."""

    said_by: str


def replied(number: int) -> Replied:
    return Replied(
        session_id="s", turn_id=f"t{number}", text="a secret", outcome="answered", timeline={"first_audio": 300.0}
    )


class Stream:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def next(self) -> Any:
        """Return the next event; comments are passed over."""
        async with asyncio.timeout(WAIT_S):
            while True:
                line = await self.answer.content.readline()
                if line.startswith(b"data: "):
                    return json.loads(line[6:])
                if not line:
                    return None

    async def line(self) -> bytes:
        async with asyncio.timeout(WAIT_S):
            return await self.answer.content.readline()


@asynccontextmanager
async def following(server, query="", **options):
    async with server.client.get(EVENTS + query, **options) as answer:
        assert answer.status == 200, await answer.text()
        stream = Stream(answer)
        assert (await stream.line()).startswith(b":")
        yield stream


async def kept(server, count):
    """Wait until the server has kept so many events."""
    async with asyncio.timeout(WAIT_S):
        while True:
            with server.hub.parts[PART].follow(recent=10_000, types=()) as (last, _):
                if len(last) >= count:
                    return
            await asyncio.sleep(0.01)


async def test_event_is_told_as_it_happens_with_its_type_time_and_fields(server):
    async with following(server) as stream:
        assert stream.answer.content_type == "text/event-stream"
        server.hub.bus.publish(SessionOpened(session_id="s", persona="sparrow", language="en", time=12.5))
        assert await stream.next() == {
            "type": "session_opened", "time": 12.5, "session_id": "s", "persona": "sparrow", "language": "en"
        }  # fmt: skip


async def test_last_events_come_first_and_then_what_happens(server):
    await kept(server, 0)
    for number in range(5):
        server.hub.bus.publish(TurnStarted(session_id="s", turn_id=str(number)))
    await kept(server, 5)
    async with following(server, "?recent=2") as stream:
        server.hub.bus.publish(TurnStarted(session_id="s", turn_id="later"))
        assert [(await stream.next())["turn_id"] for _ in range(3)] == ["3", "4", "later"]


async def test_types_are_those_asked_for_and_what_comes_from_them(server):
    async with following(server, "?types=turn_over,session_opened") as stream:
        server.hub.bus.publish(HEARD)
        server.hub.bus.publish(replied(1))
        server.hub.bus.publish(SessionOpened(session_id="s", persona="sparrow", language="en"))
        assert [(await stream.next())["type"] for _ in range(2)] == ["replied", "session_opened"]


async def test_many_other_events_do_not_push_out_how_turns_ended(server):
    server.hub.bus.publish(replied(1))
    await kept(server, 1)
    for number in range(2 * recent.KEPT):
        server.hub.bus.publish(TurnStarted(session_id="s", turn_id=str(number)))
        if not number % 1000:
            await asyncio.sleep(0)
    await kept(server, recent.KEPT + 1)
    async with following(server, "?recent=10&types=turn_over") as stream:
        assert (await stream.next())["turn_id"] == "t1"


async def test_words_are_told_as_they_come_and_are_not_kept(server):
    async with following(server) as stream:
        server.hub.bus.publish(HEARD)
        assert (await stream.next())["text"] == "a secret"
    async with following(server, "?recent=1") as stream:
        assert "text" not in await stream.next()


async def test_viewer_is_told_what_happens_but_not_what_was_said(start):
    server = await start(host="0.0.0.0")
    headers = {"Authorization": "Bearer v-token"}
    failed = ReplyFailed(session_id="s", turn_id="t", error="cannot say 'a secret'", troubles={"tts": ("a secret",)})
    own = Happened(name="bell", data={"words": "a secret"})
    async with following(server, headers=headers) as stream:
        for event in (HEARD, replied(1), failed, own, FenceOpened(said_by="a secret", time=1.0)):
            server.hub.bus.publish(event)
        told = [await stream.next() for _ in range(5)]
    assert [event["type"] for event in told] == ["heard", "replied", "reply_failed", "happened", "fence_opened"]
    assert "a secret" not in json.dumps(told)
    assert told[1]["timeline"] == {"first_audio": 300.0}
    assert told[3]["name"] == "bell"
    assert told[4] == {"type": "fence_opened", "time": 1.0}


@pytest.mark.parametrize(("token", "told"), [("v-token", None), ("a-token", "no words for 'a secret'")])
async def test_why_an_engine_failed_is_told_to_admins_alone(start, token, told):
    server = await start(host="0.0.0.0")
    async with following(server, headers={"Authorization": f"Bearer {token}"}) as stream:
        server.hub.bus.publish(EngineFailed(engine="espeak", kind="tts", error="no words for 'a secret'"))
        server.hub.bus.publish(
            EngineStateChanged(engine="espeak", kind="tts", state="resting", reason="it is 'a secret'")
        )
        assert (await stream.next()).get("error") == told
        assert ("reason" in await stream.next()) == bool(told)


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer s-token"}, 403)])
async def test_nobody_else_may_follow(start, headers, status):
    server = await start(host="0.0.0.0")
    assert (await server.call("GET", EVENTS, headers=headers))[0] == status


async def test_whoever_reads_slowly_is_told_how_many_were_dropped(server, monkeypatch):
    monkeypatch.setattr(recent, "WAITING", 3)
    async with following(server) as stream:
        for number in range(10):
            server.hub.bus.publish(TurnStarted(session_id="s", turn_id=str(number)))
        assert await stream.next() == {"type": "events_dropped", "count": 7}
        assert [(await stream.next())["turn_id"] for _ in range(3)] == ["7", "8", "9"]


async def test_silence_is_told_from_a_hub_that_is_gone(server, monkeypatch):
    monkeypatch.setattr(event_routes, "HEARTBEAT_S", 0.05)
    async with following(server) as stream:
        assert await stream.line() == b"\n"
        assert await stream.line() == b": still here\n"


async def test_stream_ends_as_the_hub_stops(server):
    async with following(server) as stream:
        server.hub.bus.publish(HubStopping())
        assert (await stream.next())["type"] == "hub_stopping"
        assert await stream.next() is None


async def test_event_that_json_has_no_place_for_does_not_end_the_stream(server):
    async with following(server) as stream:
        server.hub.bus.publish(Happened(name="odd", data={"x": float("nan")}))
        server.hub.bus.publish(Happened(name="long", data={"x": "y" * 100_000}))
        server.hub.bus.publish(Happened(name="fine"))
        assert [(await stream.next()).get("left_out") for _ in range(3)] == [
            "it holds what JSON has not", "it is too long", None
        ]  # fmt: skip


async def test_no_more_follow_than_the_hub_can_serve(server, monkeypatch):
    monkeypatch.setattr(recent, "FOLLOWERS", 1)
    async with following(server):
        status, answer = await server.call("GET", EVENTS)
    assert (status, "follow the events already" in answer["error"]["message"]) == (503, True)


async def test_follower_that_leaves_is_forgotten(server, monkeypatch):
    monkeypatch.setattr(recent, "FOLLOWERS", 1)
    monkeypatch.setattr(event_routes, "HEARTBEAT_S", 0.05)
    async with following(server):
        pass

    async def is_free() -> bool:
        async with server.client.get(EVENTS) as answer:
            return answer.status == 200

    async with asyncio.timeout(WAIT_S):
        while not await is_free():  # noqa: ASYNC110  # it is seen with the next heartbeat
            await asyncio.sleep(0.05)
