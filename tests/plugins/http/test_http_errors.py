"""Bodies and failures: each answers as JSON, and says what is wrong."""

from __future__ import annotations

import asyncio
import gzip
import logging
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import voluptuous as vol
from aiohttp import ClientError, web

from mynah import EngineError, InputError, LimitError, RouteSpec, SizeError

MIB = 2**20


def route(handle, path="/try", method="POST", **more):
    return RouteSpec(name="try", method=method, path=path, handle=handle, **more)


async def echo(hub, request):
    return {"body": request["body"], "access": request["access"]}


async def length(hub, request):
    return {"bytes": len(await request.read())}


def failing(error):
    async def fail(hub, request):
        raise error

    return fail


@pytest.fixture
async def echoing(start):
    return await start(route(echo, body={vol.Required("n"): int, vol.Optional("s", default="x"): str}))


async def test_a_checked_body_reaches_the_handler(echoing):
    assert await echoing.call("POST", "/try", json={"n": 1}) == (
        200,
        {"body": {"n": 1, "s": "x"}, "access": ["admin", ""]},
    )


async def test_every_mistake_in_a_body_is_named_with_its_place(echoing):
    status, body = await echoing.call("POST", "/try", json={"n": "one", "z": 1})
    assert status == 400
    assert "n: expected int" in body["error"]["message"]
    assert "z: " in body["error"]["message"]


async def test_a_missing_body_lacks_its_required_keys(echoing):
    status, body = await echoing.call("POST", "/try")
    assert (status, body["error"]["message"]) == (400, "n: required key not provided")


async def test_a_body_that_is_no_object_is_400(echoing):
    status, body = await echoing.call("POST", "/try", data=b"[1]")
    assert (status, body["error"]["message"]) == (400, "expected a dictionary")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"n":\n  oops}', "line 2, column 3"),
        (b'{"n": 1', "column 8"),
        (b'{"n": "\xff"}', "not UTF-8: wrong byte at position 7"),
        (b'{"n": NaN}', "NaN is not a JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
async def test_wrong_json_is_400_naming_the_place(echoing, data, message):
    status, body = await echoing.call("POST", "/try", data=data)
    assert status == 400
    assert message in body["error"]["message"]


@pytest.mark.parametrize(
    ("error", "path", "status"),
    [
        (InputError("no such cage"), "/try", 400),
        (InputError("no such cage"), "/try/{id}", 404),
        (LimitError("no such cage"), "/try/{id}", 503),
        (SizeError("no such cage"), "/try/{id}", 413),
        (EngineError("no such cage"), "/try", 500),
        (web.HTTPConflict(text="no such cage"), "/try", 409),
    ],
)
async def test_an_error_of_a_handler_keeps_its_message(start, error, path, status):
    server = await start(route(failing(error), path, "GET"))
    answer = await server.call("GET", path.replace("{id}", "7"))
    assert answer == (status, {"error": {"message": "no such cage", "status": status}})


async def test_an_unexpected_error_is_logged_once_and_told_nobody(start, caplog):
    server = await start(route(failing(RuntimeError("the inside")), "/try/{id}", "GET"))
    assert await server.call("GET", "/try/secret") == (500, {"error": {"message": "internal error", "status": 500}})
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "RuntimeError: the inside" in caplog.text
    assert "secret" not in errors[0].getMessage()


async def test_an_answer_that_json_cannot_hold_is_an_internal_error(start, caplog):
    async def odd(hub, request):
        return {"n": object()}

    server = await start(route(odd, method="GET"))
    assert (await server.call("GET", "/try"))[0] == 500
    assert "object cannot be sent as JSON" in caplog.text


async def test_an_unknown_path_is_404_as_json(server):
    status, body = await server.call("GET", "/nowhere")
    assert (status, body["error"]["status"]) == (404, 404)
    assert "nothing at /nowhere" in body["error"]["message"]


async def test_a_wrong_method_is_405_naming_the_right_ones(server):
    async with server.client.delete("/health") as response:
        assert response.status == 405
        assert "GET" in response.headers["Allow"]
        assert (await response.json())["error"]["message"] == "/health takes GET, HEAD, not DELETE"


async def test_a_redirect_of_a_handler_passes(start):
    server = await start(route(failing(web.HTTPFound("/health")), method="GET"))
    async with server.client.get("/try", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/health")


async def test_data_of_many_kinds_is_sent_as_json(start):
    @dataclass(frozen=True)
    class Bird:
        name: str
        home: Path
        colours: frozenset[str]

    async def birds(hub, request):
        return MappingProxyType({"birds": (Bird("Mynah ✓", Path("a/b"), frozenset({"black"})),)})

    server = await start(route(birds, method="GET"))
    assert (await server.call("GET", "/try"))[1] == {
        "birds": [{"name": "Mynah ✓", "home": "a/b", "colours": ["black"]}]
    }


async def test_none_is_an_empty_answer(start):
    async def nothing(hub, request):
        return None

    server = await start(route(nothing))
    assert await server.call("POST", "/try") == (204, None)


async def test_a_response_passes_with_its_own_headers(start):
    async def page(hub, request):
        headers = {"Content-Security-Policy": "default-src 'self'"}
        return web.Response(text="<p>", content_type="text/html", headers=headers)

    server = await start(route(page, "/", "GET", access="open"))
    async with server.client.get("/") as response:
        assert await response.text() == "<p>"
        assert response.headers.getall("Content-Security-Policy") == ["default-src 'self'"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/"])
async def test_every_answer_has_security_headers(server, path):
    async with server.client.get(path) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["Server"] == "mynah"


# ---------------------------------------------------------------- large and slow bodies


async def ask_raw(server, head, body=b""):
    """Send bytes and return the answer's status line and the rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
        async with asyncio.timeout(5):
            status = await reader.readline()
            rest = await reader.readuntil(b"\r\n\r\n")
            return status.decode().strip(), rest.decode()
    finally:
        writer.close()


async def test_a_body_within_the_limit_is_taken(start):
    server = await start(route(length), max_body_mb=1)
    assert await server.call("POST", "/try", data=b"x" * MIB) == (200, {"bytes": MIB})


async def test_300_mb_are_refused_by_their_announced_length_before_any_arrives(start):
    server = await start(route(length))
    status, _ = await ask_raw(server, f"POST /try HTTP/1.1\nHost: localhost\nContent-Length: {300 * MIB}\n")
    assert status.startswith("HTTP/1.1 413")


async def test_a_client_that_asks_first_is_told_not_to_send(start):
    server = await start(route(length))
    head = f"POST /try HTTP/1.1\nHost: localhost\nExpect: 100-continue\nContent-Length: {300 * MIB}\n"
    assert (await ask_raw(server, head))[0].startswith("HTTP/1.1 413")


async def test_a_client_that_asks_first_is_told_to_go_on(start):
    server = await start(route(length))
    assert await server.call("POST", "/try", data=b"abc", expect100=True) == (200, {"bytes": 3})


async def test_an_unknown_expectation_is_417(start):
    server = await start(route(length))
    head = "POST /try HTTP/1.1\nHost: localhost\nExpect: miracles\nContent-Length: 3\n"
    assert (await ask_raw(server, head, b"abc"))[0].startswith("HTTP/1.1 417")


async def test_300_mb_without_announced_length_are_refused_without_being_held(start):
    server = await start(route(length), max_body_mb=1)

    async def upload():
        for _ in range(300):
            yield bytes(MIB)

    tracemalloc.start()
    try:
        status, body = await server.call("POST", "/try", data=upload())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (status, body["error"]["status"]) == (413, 413)
    assert "limit of 1 MiB" in body["error"]["message"]
    assert peak < 30 * MIB


async def test_a_small_body_that_unpacks_to_a_large_one_is_413(start):
    server = await start(route(length), max_body_mb=1)
    bomb = gzip.compress(bytes(50 * MIB))
    async with server.client.post("/try", data=bomb, headers={"Content-Encoding": "gzip"}) as response:
        assert response.status == 413


async def test_a_damaged_body_is_400(start):
    server = await start(route(length))
    async with server.client.post("/try", data=b"no gzip", headers={"Content-Encoding": "gzip"}) as response:
        assert response.status == 400


async def test_a_body_that_does_not_arrive_is_408(start):
    server = await start(route(length), request_timeout=0.05)
    status, _ = await ask_raw(server, "POST /try HTTP/1.1\nHost: localhost\nContent-Length: 9\n", b"abc")
    assert status.startswith("HTTP/1.1 408")


async def test_a_handler_that_finds_no_answer_in_time_is_504(start):
    async def stuck(hub, request):
        await asyncio.Event().wait()

    server = await start(route(stuck, method="GET"), request_timeout=0.05)
    status, body = await server.call("GET", "/try")
    assert (status, body["error"]["message"]) == (504, "the hub found no answer within 0.05 s")


async def test_a_stream_that_has_begun_may_take_longer_than_the_limit(start):
    async def stream(hub, request):
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(0.1)
        await response.write(b"late")
        return response

    server = await start(route(stream, method="GET"), request_timeout=0.05)
    async with server.client.get("/try") as response:
        assert await response.read() == b"late"


async def test_a_stream_that_fails_is_cut_and_not_ended(start, caplog):
    async def stream(hub, request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise RuntimeError("the other half is missing")

    server = await start(route(stream, method="GET"))
    with pytest.raises(ClientError):
        async with server.client.get("/try") as response:
            await response.read()
    assert "the other half is missing" in caplog.text


async def test_a_client_that_leaves_in_its_upload_leaves_no_error(start, caplog):
    reading, ended = asyncio.Event(), asyncio.Event()

    async def read(hub, request):
        reading.set()
        try:
            return len(await request.read())
        finally:
            ended.set()

    server = await start(route(read))
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /try HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
    async with asyncio.timeout(5):
        await reading.wait()
        writer.transport.abort()
        await ended.wait()
    assert (await server.call("GET", "/health"))[0] == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_what_is_no_http_is_refused_without_a_fuss_in_the_log(server, caplog):
    status, _ = await ask_raw(server, "\x16\x03\x01 what is this\n")
    assert status.split()[1] == "400"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
