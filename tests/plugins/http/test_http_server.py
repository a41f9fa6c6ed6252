"""Starting, stopping, and what may stand in the way."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
import voluptuous as vol
from aiohttp import WSMsgType, web

import mynah_http
from mynah import MynahError, RouteSpec
from mynah.ports import name_in_network
from mynah_http.config import SCHEMA
from mynah_http.server import serve

CERTIFICATE = Path(__file__).with_name("localhost.crt.pem")
KEY = Path(__file__).with_name("localhost.key.pem")


def route(handle, path="/try", method="GET", **more):
    return RouteSpec(**{"name": "try", "access": "open", **more}, method=method, path=path, handle=handle)


async def nothing(hub, request):
    return None


def config(**changes):
    return vol.Schema(SCHEMA)({"port": 0, "mdns": False, **changes})


async def test_the_plugin_declares_its_server_and_its_api():
    (component,) = mynah_http.mynah_components()
    assert component.name == "http"
    assert "health" in {spec.name for spec in mynah_http.mynah_routes()}


async def test_the_address_is_noted_while_the_server_listens_and_logged(start, caplog):
    caplog.set_level(logging.INFO)
    server = await start()
    assert server.hub.addresses == {"http": f"http://127.0.0.1:{server.port}"}
    assert f"listening at http://127.0.0.1:{server.port}" in caplog.text
    await server.stop()
    assert server.hub.addresses == {}


async def test_an_open_server_notes_an_address_that_others_can_reach(start):
    server = await start(host="0.0.0.0")
    assert server.hub.addresses["http"] == f"http://{name_in_network('0.0.0.0')}:{server.port}"


async def test_a_taken_port_says_so_and_what_to_do(make_hub):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(MynahError) as caught:
            await serve(make_hub(), config(port=port), lambda: None)
    assert str(caught.value) == f"port {port} is taken by another program; set http: {{port: …}} or stop it"


async def test_an_address_of_another_machine_says_so(make_hub):
    with pytest.raises(MynahError, match=r"'192\.0\.2\.9' is no address of this machine"):
        await serve(make_hub(), config(host="192.0.2.9"), lambda: None)


async def test_a_failed_start_leaves_nothing_behind_and_the_next_one_works(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(MynahError):
            await start(port=port)
    assert (await (await start(port=port)).call("GET", "/health"))[0] == 200


async def test_a_server_can_be_started_again_on_its_port(start):
    first = await start()
    await first.call("GET", "/health")
    await first.stop()
    second = await start(port=first.port)
    assert (await second.call("GET", "/health"))[0] == 200


async def test_two_routes_of_one_path_are_refused_naming_both(make_hub):
    hub = make_hub(route(nothing, name="one"), route(nothing, name="two"))
    with pytest.raises(MynahError, match="'one' and 'two' are both GET /try"):
        await serve(hub, config(), lambda: None)


async def test_a_path_that_cannot_be_served_names_its_route(make_hub):
    with pytest.raises(MynahError, match=r"the route 'odd' \(GET no-slash\)"):
        await serve(make_hub(route(nothing, "no-slash", name="odd")), config(), lambda: None)


async def test_another_plugin_may_have_the_front_page(start):
    async def page(hub, request):
        return web.Response(text="mine")

    server = await start(route(page, "/"))
    async with server.client.get("/") as response:
        assert await response.text() == "mine"


async def test_stopping_closes_sockets_as_going_away(start):
    async def listen(hub, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    server = await start(route(listen))
    async with server.client.ws_connect("/try") as ws:
        stopping = asyncio.ensure_future(server.stop())
        message = await ws.receive(timeout=5)
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1001, "the hub is stopping")
        await asyncio.wait_for(stopping, 5)


async def test_a_failing_socket_closes_with_an_internal_error(start, caplog):
    async def fail(hub, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        raise RuntimeError("the inside")

    server = await start(route(fail))
    async with server.client.ws_connect("/try") as ws:
        message = await ws.receive(timeout=5)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1011)
    assert "the inside" in caplog.text


async def test_a_request_may_finish_while_the_server_stops(start):
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(hub, request):
        asked.set()
        await answer.wait()
        return {"done": True}

    server = await start(route(slow))
    call = asyncio.ensure_future(server.call("GET", "/try"))
    await asked.wait()
    stopping = asyncio.ensure_future(server.stop())
    await asyncio.sleep(0)
    answer.set()
    assert await asyncio.wait_for(call, 5) == (200, {"done": True})
    await asyncio.wait_for(stopping, 5)


async def test_a_request_that_does_not_finish_is_cancelled(start):
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def stuck(hub, request):
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    server = await start(route(stuck), shutdown_timeout=0.1)
    call = asyncio.ensure_future(server.call("GET", "/try"))
    await asked.wait()
    await asyncio.wait_for(server.stop(), 5)
    assert cancelled.is_set()
    with pytest.raises(aiohttp.ClientError):
        await call


async def test_stopping_ends_in_cancellation_and_refuses_new_connections(start):
    server = await start()
    await server.stop()
    assert server.task.cancelled()
    with pytest.raises(aiohttp.ClientConnectionError):
        await server.call("GET", "/health")


async def test_https_is_served_with_a_certificate(start, tmp_path):
    for source in (CERTIFICATE, KEY):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    server = await start(scheme="https", tls={"certificate": CERTIFICATE.name, "key": KEY.name})
    assert server.hub.addresses["http"].startswith("https://")
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    assert (await server.call("GET", "/health", ssl=trust))[0] == 200
    plain = {"Origin": f"http://127.0.0.1:{server.port}"}
    assert (await server.call("GET", "/health", ssl=trust, headers=plain))[0] == 403


async def test_a_missing_certificate_says_which(make_hub):
    with pytest.raises(MynahError, match=r"there is no file .*absent\.pem"):
        await serve(make_hub(), config(tls={"certificate": "absent.pem", "key": str(KEY)}), lambda: None)


async def test_a_key_that_is_none_says_so(make_hub):
    with pytest.raises(MynahError, match="cannot be used together"):
        await serve(make_hub(), config(tls={"certificate": str(CERTIFICATE), "key": __file__}), lambda: None)
