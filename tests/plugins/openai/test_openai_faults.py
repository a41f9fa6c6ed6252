"""What each fault of a server is to an engine: one line for people, soon, and the engine works afterwards."""

from __future__ import annotations

import asyncio
import random
import socket
import time

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah import LISTENING, EngineError, EngineUnavailable, Grounding, Hints, Message, Voice


async def spoken():
    yield bytes(3200)


CALLS = {
    "llm": lambda engine: engine.reply([Message("user", "Hello?")], grounding=Grounding()),
    "stt": lambda engine: engine.transcribe(spoken(), LISTENING, language="en", hints=Hints()),
    "tts": lambda engine: engine.synthesize("Hello.", voice=Voice(), language="en"),
}
ENDPOINTS = {"llm": "chat", "stt": "transcriptions", "tts": "speech"}
PATHS = {"llm": "completions", "stt": "transcriptions", "tts": "speech"}
KINDS = pytest.mark.parametrize("kind", list(CALLS))


async def collect(stream):
    return [item async for item in stream]


async def fault(server, opened, kind, script, **config):
    """Return what the engine says of a fault, after having seen that it works again without it."""
    async with opened(kind, **config) as engine:
        before = getattr(server, ENDPOINTS[kind])
        setattr(server, ENDPOINTS[kind], script)
        with pytest.raises(EngineError) as caught:
            await collect(CALLS[kind](engine))
        setattr(server, ENDPOINTS[kind], before)
        assert await collect(CALLS[kind](engine))
    message = str(caught.value)
    assert message.startswith(server.base_url)
    assert "\n" not in message
    assert caught.value.__cause__ is None
    return message.removeprefix(f"{server.base_url}: ")


@KINDS
@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(status=401), "it asks for an api_key; check api_key"),
        (Script(status=403), "this key may not use the model 'tiny': scripted 403"),
        (Script(status=404), "unknown path or model 'tiny': scripted 404; check base_url"),
        (Script(status=400), "the server refuses the request (HTTP 400): scripted 400"),
        (Script(status=422, body={"detail": [{"msg": "field required"}]}), "(HTTP 422): field required"),
        (Script(status=500, body={"error": "model\ncrashed"}), "the server failed (HTTP 500): model crashed"),
        (Script(status=502, body="<html>Bad gateway</html>"), "the server failed (HTTP 502)"),
        (Script(status=302, headers={"Location": "/"}), "sends the request elsewhere (HTTP 302)"),
        (Script(status=429), "too many requests: scripted 429"),
        (Script(fault="html"), "the server answered with a web page"),
        (Script(fault="drop"), "the server closed the connection without an answer"),
        (Script(fault="cut", after=1), "the connection broke in the middle of the answer"),
    ],
)
async def test_every_fault_is_told_apart(server: OpenAIServer, opened, kind, script, message):
    assert message in await fault(server, opened, kind, script)


@pytest.mark.parametrize("kind", ["llm", "stt"])
@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(fault="garbage", after=1), "answered with something strange, not as an OpenAI-compatible one does"),
        (Script(fault="error_event", after=1), "gave up in the middle of its answer: out of memory"),
    ],
)
async def test_faults_within_a_stream_of_events(server: OpenAIServer, opened, kind, script, message):
    assert message in await fault(server, opened, kind, script)


async def test_a_reply_that_ends_without_being_complete_is_not_taken_for_complete(server: OpenAIServer, opened):
    script = Script(fault="end", after=2)
    assert "the answer ended in the middle" in await fault(server, opened, "llm", script)


async def test_a_reply_is_complete_by_its_reason_to_end_alone(server: OpenAIServer, opened):
    server.chat = Script(fault="end", after=4)  # three tokens and the reason, but no [DONE]
    async with opened("llm") as engine:
        assert len(await collect(CALLS["llm"](engine))) == 3


@pytest.mark.parametrize("kind", ["llm", "stt"])
async def test_an_answer_without_end_is_given_up(server: OpenAIServer, opened, kind, monkeypatch):
    script = Script(whole={"text": "x" * 2000})
    monkeypatch.setattr("mynah_openai.events.MAX_ANSWER", 1000)
    assert "answered with something strange" in await fault(server, opened, kind, script)


@KINDS
@pytest.mark.parametrize(
    ("script", "message"),
    [(Script(fault="hang"), "no answer for 0.2 s"), (Script(fault="drip", after=1), "no more of its answer for 0.2 s")],
)
async def test_silence_is_given_up_at_its_limit(server: OpenAIServer, opened, kind, script, message):
    assert message in await fault(server, opened, kind, script, timeout=0.2)


@KINDS
async def test_a_server_that_is_killed_and_comes_back(server: OpenAIServer, opened, kind):
    async with opened(kind) as engine:
        await server.refuse()
        with pytest.raises(EngineUnavailable, match="nothing listens there; is the server running"):
            await collect(CALLS[kind](engine))
        await server.listen()
        assert await collect(CALLS[kind](engine))


@KINDS
async def test_a_server_that_is_not_there_cannot_be_opened(server: OpenAIServer, opened, kind):
    await server.refuse()
    began = time.monotonic()
    with pytest.raises(EngineUnavailable, match="nothing listens there"):
        async with opened(kind):
            pass
    assert time.monotonic() - began < 5


async def test_a_host_that_does_not_exist_is_named(opened, monkeypatch):
    async def nowhere(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    with pytest.raises(EngineUnavailable, match=r"there is no host named 'nowhere\.invalid'"):
        async with opened("llm", base_url="http://nowhere.invalid/v1"):
            pass


async def test_a_server_that_hangs_cannot_be_opened_and_says_so_in_time(server: OpenAIServer, opened):
    server.models = Script(fault="hang")
    began = time.monotonic()
    with pytest.raises(EngineUnavailable, match=r"connected, but no answer for 1\.5 s"):
        async with opened("llm"):
            pass
    assert time.monotonic() - began < 10


async def test_a_server_without_tls_says_what_to_change(server: OpenAIServer, opened):
    with pytest.raises(EngineUnavailable, match="should it be http:// instead"):
        async with opened("llm", base_url=server.base_url.replace("http://", "https://")):
            pass


@pytest.mark.parametrize("status", [403, 404, 405, 429, 500, 503])
async def test_a_server_that_lists_no_models_is_there_all_the_same(server: OpenAIServer, opened, status):
    server.models = Script(status=status)
    async with opened("llm") as engine:
        assert await collect(CALLS["llm"](engine))


async def test_a_wrong_key_is_noticed_when_the_engine_opens(server: OpenAIServer, opened):
    server.key = "right"
    with pytest.raises(EngineUnavailable, match="the api_key is refused; check api_key"):
        async with opened("llm", api_key="wrong"):
            pass


@KINDS
async def test_leaving_in_mid_answer_is_seen_by_the_server(server: OpenAIServer, opened, kind):
    setattr(server, ENDPOINTS[kind], Script(fault="drip", after=1))
    async with opened(kind) as engine:
        stream = CALLS[kind](engine)
        await anext(stream)
        await stream.aclose()
        await server.asked(PATHS[kind])[-1].left(within_s=1)


@KINDS
async def test_cancelling_before_the_first_byte_is_seen_by_the_server(server: OpenAIServer, opened, kind):
    setattr(server, ENDPOINTS[kind], Script(fault="hang"))
    async with opened(kind) as engine:
        task = asyncio.create_task(collect(CALLS[kind](engine)))
        while not server.asked(PATHS[kind]):  # noqa: ASYNC110  # the request may come at any time
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await server.asked(PATHS[kind])[-1].left(within_s=1)


@KINDS
async def test_the_connection_that_was_opened_is_used_for_every_call(server: OpenAIServer, opened, kind):
    async with opened(kind) as engine:
        for _ in range(3):
            await collect(CALLS[kind](engine))
    assert len({id(seen.peer) for seen in server.seen}) == 1
    assert len(server.seen) == 4


async def test_a_connection_broken_off_is_replaced_before_it_is_needed(server: OpenAIServer, opened, monkeypatch):
    monkeypatch.setattr("mynah_openai.server.far", lambda options: True)
    server.chat = [Script(fault="drip", after=1), Script()]
    async with opened("llm") as engine, asyncio.timeout(2):
        stream = CALLS["llm"](engine)
        await anext(stream)
        await stream.aclose()
        while len(server.asked("models")) < 2:  # noqa: ASYNC110  # the request may come at any time
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        await collect(CALLS["llm"](engine))
    assert server.seen[-1].peer is server.asked("models")[-1].peer


async def test_a_near_server_is_not_asked_for_nothing(server: OpenAIServer, opened):
    server.chat = Script(fault="drip", after=1)
    async with opened("llm") as engine:
        stream = CALLS["llm"](engine)
        await anext(stream)
        await stream.aclose()
        await asyncio.sleep(0.05)
    assert len(server.asked("models")) == 1


async def test_a_connection_that_the_server_closed_while_idle_is_replaced(server: OpenAIServer, opened):
    async with opened("llm") as engine:
        server.chat = [Script(fault="drop"), Script()]
        assert len(await collect(CALLS["llm"](engine))) == 3


@KINDS
async def test_stopped_at_any_moment_the_server_is_let_go_at_once_and_the_engine_goes_on(server, opened, kind):
    setattr(
        server, ENDPOINTS[kind], Script(tokens=("word ",) * 40, audio=(bytes(960),) * 40, first_s=0.05, each_s=0.01)
    )
    rng = random.Random(kind)

    async def stopped(engine, after):
        task = asyncio.create_task(collect(CALLS[kind](engine)))
        await asyncio.sleep(after)
        task.cancel()
        began = time.monotonic()
        await asyncio.wait([task])
        assert task.cancelled()
        return time.monotonic() - began

    async with opened(kind) as engine:
        took = await asyncio.gather(*(stopped(engine, rng.uniform(0, 0.4)) for _ in range(40)))
        for seen in server.asked(PATHS[kind]):
            await seen.left(within_s=1)
        setattr(server, ENDPOINTS[kind], Script())
        assert await collect(CALLS[kind](engine))
    assert sorted(took)[len(took) // 2] < 0.3
