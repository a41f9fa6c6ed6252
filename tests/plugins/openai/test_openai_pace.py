from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah import EngineError
from mynah_openai.pace import LONGEST_S, Pace, retry_after


def limited(seconds, status=429):
    return Script(status=status, headers={"Retry-After": str(seconds)}, body={"error": {"message": "slow down"}})


@pytest.mark.parametrize("status", [429, 503])
async def test_a_short_pause_is_waited_for(server: OpenAIServer, opened, reply, status):
    server.chat = [Script(status=status, headers={"retry-after-ms": "20"}), Script()]
    async with opened("llm") as engine:
        assert len(await reply(engine)) == 3
    assert len(server.asked("completions")) == 2


async def test_the_server_is_asked_again_only_once(server: OpenAIServer, opened, reply):
    server.chat = Script(status=429, headers={"retry-after-ms": "20"})
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match="too many requests"):
            await reply(engine)
    assert len(server.asked("completions")) == 2


async def test_a_long_pause_fails_at_once_and_nothing_is_sent_before_its_end(server: OpenAIServer, opened, reply):
    server.chat = [limited(30), Script()]
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match="too many requests: slow down; it may be asked again in 30 s"):
            await reply(engine)
        for _ in range(3):
            with pytest.raises(EngineError, match="too many requests; it may be asked again in 30 s"):
                await reply(engine)
    assert len(server.asked("completions")) == 1


async def test_other_calls_wait_for_a_short_pause_too(server: OpenAIServer, opened, reply):
    server.chat = [Script(status=429, headers={"retry-after-ms": "200"}), Script()]
    async with opened("llm") as engine:
        first = asyncio.create_task(reply(engine))
        await asyncio.sleep(0.1)
        assert len(server.asked("completions")) == 1
        assert [len(items) for items in await asyncio.gather(first, reply(engine))] == [3, 3]


async def test_a_refusal_without_a_pause_does_not_stop_the_next_request(server: OpenAIServer, opened, reply):
    server.chat = [Script(status=429), Script()]
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match=r"too many requests: scripted 429$"):
            await reply(engine)
        assert len(await reply(engine)) == 3


def test_after_the_pause_the_server_may_be_asked_again():
    clock = [100.0]
    pace = Pace("http://x", lambda: clock[0])
    assert pace.wait() == 0
    pace.pause(5)
    clock[0] = 103.9
    with pytest.raises(EngineError, match=r"again in 1\.1 s"):
        pace.wait()
    clock[0] = 104.5
    assert pace.wait() == 0.5
    clock[0] = 105.0
    assert pace.wait() == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7), ({"retry-after": "0.5"}, 0.5), ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
     ({}, None), ({"retry-after": "soon"}, None), ({"retry-after": "-3"}, None), ({"retry-after": "nan"}, None),
     ({"retry-after": "1e99"}, LONGEST_S)],
)  # fmt: skip
def test_pauses_are_read(headers, seconds):
    assert retry_after(429, headers) == seconds


def test_a_pause_may_be_a_date():
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after(503, {"retry-after": when}) == pytest.approx(60, abs=2)


def test_other_statuses_ask_for_no_pause():
    assert retry_after(500, {"retry-after": "7"}) is None
