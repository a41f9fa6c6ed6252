"""What goes over HTTP, in pieces, too large, too slow, or from somewhere else."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from mynah.testing import run_hub
from mynah_automation.triggers.webhook import is_local


@asynccontextmanager
async def server(handle):
    """Serve `handle` on loopback; yield its address."""
    app = web.Application()
    app.router.add_route("*", "/", handle)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def asked(folder, handle, **options):
    """Have an automation make one request to `handle`; return its trace."""
    async with server(handle) as url:
        action = {"http": {"url": url, **options}, "response_variable": "found"}
        last = {"stop": "status {{ found.status }}: {{ found.content }}"}
        config = {"automations": [{"alias": "Ask", "triggers": [], "actions": [action, last]}]}
        async with run_hub(folder, config=config, installed=["automation"]) as hub:
            live = hub.parts["automation"].find("ask")
            await live.run({})
            return live.traces[-1].describe(str)


async def test_an_answer_in_pieces_is_read_to_its_end(tmp_path):
    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"fed"', b": 3", b"}"):
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    assert (await asked(tmp_path, handle))["message"] == "status 200: {'fed': 3}"


async def test_a_host_that_hangs_is_given_up(tmp_path):
    async def handle(request):
        await asyncio.sleep(60)

    trace = await asked(tmp_path, handle, timeout=0.1)
    assert (trace["outcome"], trace["message"]) == ("failed", "127.0.0.1 gave no answer within 0.1 s")


async def test_an_answer_that_is_too_large_is_no_answer(tmp_path):
    async def handle(request):
        return web.Response(body=b"x" * 100_000)

    assert (await asked(tmp_path, handle))["message"] == "127.0.0.1 answered with more than 64 KiB"


async def test_a_host_that_is_not_there_is_named_without_the_rest_of_the_address(tmp_path):
    config = {"automations": [{"alias": "Ask", "actions": [{"http": "http://127.0.0.1:9/?key=secret"}]}]}
    async with run_hub(tmp_path, config=config, installed=["automation"]) as hub:
        live = hub.parts["automation"].find("ask")
        await live.run({})
        message = live.traces[-1].message
    assert message.startswith("127.0.0.1 cannot be reached")
    assert "secret" not in message


@asynccontextmanager
async def called(folder, body, **options):
    """Call a webhook; yield the status and the automation that waits for it."""
    trigger = {"trigger": "webhook", "webhook_id": "secret_4711", **options}
    config = {"automations": [{"alias": "Call", "triggers": trigger, "actions": [{"event": "done"}]}]}
    async with (
        run_hub(folder, config=config, installed=["automation", "http"]) as hub,
        aiohttp.ClientSession(f"{hub.addresses['http']}/api/v1/") as client,
        client.post("webhook/secret_4711", data=body) as answer,
    ):
        yield answer.status, hub.parts["automation"].find("call")


async def pieces(size: int, count: int):
    for _ in range(count):
        yield b"x" * size
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("options", [{}, {"local_only": False, "allowed_methods": ["POST"]}])
async def test_a_call_in_pieces_is_read_to_its_end_and_its_id_is_not_shown(tmp_path, options):
    async with called(tmp_path, pieces(10, 4), **options) as (status, live):
        assert status == 204
        trigger = live.traces[-1].describe(str)["trigger"]
        assert (trigger["data"], trigger["webhook_id"]) == ("x" * 40, "…")


async def test_a_call_that_does_not_say_how_large_it_is_has_the_same_limit(tmp_path):
    async with called(tmp_path, pieces(30_000, 3)) as (status, live):
        assert (status, len(live.traces)) == (413, 0)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.5", True),
        ("::ffff:10.0.0.1", True),
        ("fe80::1%eth0", True),
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2a00:1450::1", False),
        (None, False),
    ],
)
def test_what_counts_as_ones_own_network(address, local):
    assert is_local(address) is local


async def test_a_call_from_elsewhere_counts_only_where_it_may(tmp_path):
    base = {"trigger": "webhook", "webhook_id": "secret_4711"}
    entries = [
        {"alias": "Near", "triggers": base, "actions": []},
        {"alias": "Far", "triggers": {**base, "local_only": False}, "actions": []},
    ]
    async with run_hub(tmp_path, config={"automations": entries}, installed=["automation"]) as hub:
        part = hub.parts["automation"]
        part.webhooks.tell("secret_4711", {"method": "POST", "data": "", "json": None, "query": {}, "local": False})
        assert [len(part.find(name).traces) for name in ("near", "far")] == [0, 1]
