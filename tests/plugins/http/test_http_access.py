"""Who may call what: names, origins, tokens, roles."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import WSServerHandshakeError, web

from mynah import RouteSpec


async def who(hub, request):
    return {"access": request["access"]}


async def socket(hub, request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    await ws.send_json(request["access"])
    await ws.close()
    return ws


ROUTES = (
    *(
        RouteSpec(name=f"as_{access}", method="GET", path=f"/as/{access}", handle=who, access=access)
        for access in ("open", "viewer", "speaker", "admin")
    ),
    RouteSpec(name="socket", method="GET", path="/ws/v1", handle=socket, access="open"),
)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def local(start):
    return await start(*ROUTES)


@pytest.fixture
async def lan(start):
    return await start(*ROUTES, host="0.0.0.0")


# ---------------------------------------------------------------- open to the network


@pytest.mark.parametrize(("token", "role"), [("a-token", "admin"), ("v-token", "viewer")])
async def test_caller_is_told_its_role(lan, token, role):
    assert await lan.call("GET", "/api/v1/me", headers=bearer(token)) == (200, {"role": role})


@pytest.mark.parametrize(
    ("token", "allowed"),
    [
        ("a-token", {"open", "viewer", "speaker", "admin"}),
        ("v-token", {"open", "viewer"}),
        ("s-token", {"open", "speaker"}),
    ],
)
async def test_each_role_may_call_its_routes_only(lan, token, allowed):
    for access in ("open", "viewer", "speaker", "admin"):
        status, body = await lan.call("GET", f"/as/{access}", headers=bearer(token))
        assert status == (200 if access in allowed else 403)
        if status == 403:
            assert f"needs the role '{access}'" in body["error"]["message"]


async def test_the_handler_learns_who_calls(lan):
    assert (await lan.call("GET", "/as/speaker", headers=bearer("s-token")))[1] == {"access": ["speaker", "lion_house"]}
    assert (await lan.call("GET", "/as/open"))[1] == {"access": None}


@pytest.mark.parametrize("access", ["viewer", "speaker", "admin"])
async def test_no_token_is_401_and_says_how(lan, access):
    async with lan.client.get(f"/as/{access}") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert "Authorization: Bearer TOKEN" in (await response.json())["error"]["message"]


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer ", "Bearer", "Basic YTpi", "a-token", ""])
async def test_a_wrong_token_is_401(lan, value):
    async with lan.client.get("/as/viewer", headers={"Authorization": value}) as response:
        assert response.status == 401
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("name", ["token", "access_token"])
@pytest.mark.parametrize("path", ["/as/admin", "/ws/v1", "/nowhere"])
async def test_a_token_in_a_url_is_refused(lan, name, path, caplog):
    status, body = await lan.call("GET", path, params={name: "a-token"})
    assert status == 400
    assert "a token in a URL" in body["error"]["message"]
    assert "a-token" not in caplog.text
    assert lan.hub.tried == []


async def test_tokens_and_queries_are_never_logged(start, caplog):
    caplog.set_level(logging.DEBUG)
    server = await start(*ROUTES, host="0.0.0.0", access_log=True)
    await server.call("GET", "/as/admin?token=a-token")
    await server.call("GET", "/as/admin?who=me", headers=bearer("a-token"))
    await server.call("GET", "/as/admin", headers=bearer("wrong-token"))
    assert "GET /as/admin: 200" in caplog.text
    assert "-token" not in caplog.text
    assert "who=me" not in caplog.text


async def test_requests_are_not_logged_unless_asked_for(lan, caplog):
    caplog.set_level(logging.DEBUG)
    await lan.call("GET", "/as/open")
    assert "/as/open" not in caplog.text


async def test_after_many_wrong_tokens_an_address_must_wait(lan):
    statuses = [(await lan.call("GET", "/as/viewer", headers=bearer(f"guess-{n}")))[0] for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert len(lan.hub.tried) == 10
    async with lan.client.get("/as/viewer", headers=bearer("v-token")) as response:
        assert response.status == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60


async def test_guesses_at_an_open_route_count_too(lan):
    for n in range(10):
        assert (await lan.call("GET", "/as/open", headers=bearer(f"guess-{n}"))) == (200, {"access": None})
    assert (await lan.call("GET", "/as/open", headers=bearer("a-token")))[0] == 429
    assert (await lan.call("GET", "/as/open"))[0] == 200


async def test_calls_without_a_token_do_not_count(lan):
    for _ in range(12):
        assert (await lan.call("GET", "/as/viewer"))[0] == 401
    assert (await lan.call("GET", "/as/viewer", headers=bearer("v-token")))[0] == 200


async def test_a_socket_learns_the_caller_or_none(lan):
    async with lan.client.ws_connect("/ws/v1", headers=bearer("s-token")) as ws:
        assert await ws.receive_json() == ["speaker", "lion_house"]
    async with lan.client.ws_connect("/ws/v1") as ws:
        assert await ws.receive_json() is None


async def test_an_upload_without_a_token_is_told_so_before_it_is_sent(start):
    async def take(hub, request):
        return len(await request.read())

    server = await start(RouteSpec(name="put", method="PUT", path="/clip", handle=take), host="0.0.0.0")
    assert (await server.call("PUT", "/clip", data=b"x" * 999, expect100=True))[0] == 401
    assert (await server.call("PUT", "/clip", data=b"abc", expect100=True, headers=bearer("a-token")))[1] == 3


# ---------------------------------------------------------------- on a loopback address


async def test_on_loopback_everybody_is_an_admin(local):
    assert await local.call("GET", "/as/admin") == (200, {"access": ["admin", ""]})


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9", "127.0.0.1", "127.8.8.8:1", "[::1]:8000", "hub.localhost."]
)
async def test_a_loopback_hub_answers_to_loopback_names(local, host):
    assert (await local.call("GET", "/as/admin", headers={"Host": host}))[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "192.168.1.7:8000", "127.0.0.1.evil.example", "localhost.evil.example"]
)
async def test_a_loopback_hub_does_not_answer_to_foreign_names(local, host):
    for path in ("/as/admin", "/as/open", "/nowhere"):
        status, body = await local.call("GET", path, headers={"Host": host})
        assert status == 403
        assert "for this machine alone" in body["error"]["message"]


async def test_a_host_that_is_none_is_400(local):
    assert (await local.call("GET", "/as/open", headers={"Host": "localhost:port"}))[0] == 400


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
async def test_what_a_local_proxy_passes_on_needs_a_token(local, header):
    passed_on = {header: "203.0.113.5", "Host": "hub.example"}
    assert (await local.call("GET", "/as/admin", headers=passed_on))[0] == 401
    assert (await local.call("GET", "/as/admin", headers={**passed_on, **bearer("a-token")}))[0] == 200


# ---------------------------------------------------------------- web pages


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:1", "null", "http://", "file://", "junk:["]
)
async def test_a_foreign_page_is_refused(start, host, origin):
    server = await start(*ROUTES, host=host)
    status, body = await server.call("GET", "/as/open", headers={"Origin": origin})
    assert status == 403
    assert "allowed_origins" in body["error"]["message"]


async def test_the_hubs_own_page_is_let_in(local):
    assert (await local.call("GET", "/as/admin", headers={"Origin": f"http://127.0.0.1:{local.port}"}))[0] == 200


async def test_a_page_on_the_default_port_is_the_hubs_own_behind_that_port(local):
    headers = {"Host": "localhost", "Origin": "http://localhost"}
    assert (await local.call("GET", "/as/admin", headers=headers))[0] == 200


async def test_a_foreign_page_opens_no_socket(local):
    with pytest.raises(WSServerHandshakeError, match="403"):
        await local.client.ws_connect("/ws/v1", origin="https://evil.example")


async def test_an_allowed_origin_is_let_in_and_may_read_the_answer(start):
    server = await start(*ROUTES, allowed_origins=["https://Page.example/"])
    async with server.client.get("/as/admin", headers={"Origin": "https://page.example"}) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "https://page.example"
    async with server.client.get("/as/admin") as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_an_allowed_page_may_ask_beforehand(start):
    server = await start(*ROUTES, allowed_origins=["https://page.example"])
    asks = {"Origin": "https://page.example", "Access-Control-Request-Method": "GET"}
    async with server.client.options("/as/admin", headers=asks) as response:
        assert response.status == 204
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    async with server.client.options("/as/admin") as response:
        assert response.status == 405


async def test_many_callers_at_once_are_told_apart(lan):
    tokens = ["a-token", "v-token", "s-token"] * 20
    answers = await asyncio.gather(*(lan.call("GET", "/as/open", headers=bearer(token)) for token in tokens))
    roles = {"a-token": "admin", "v-token": "viewer", "s-token": "speaker"}
    assert [body["access"][0] for _, body in answers] == [roles[token] for token in tokens]


async def test_machines_own_user_is_told_to_be_an_admin(local):
    assert await local.call("GET", "/api/v1/me") == (200, {"role": "admin"})


async def test_why_an_engine_failed_is_told_to_admins_alone(start, monkeypatch):
    server = await start(host="0.0.0.0")
    told = {"kind": "tts", "name": "espeak", "state": "resting", "error": "no words for 'my secret'", "last_error": ""}
    monkeypatch.setattr(server.hub, "engines", lambda: [told])
    monkeypatch.setattr(server.hub, "health", lambda: {"status": "degraded", "engines": {"tts": [told]}})
    less = {**told, "error": "told to admins alone"}
    assert (await server.call("GET", "/health"))[1]["engines"]["tts"] == [less]
    assert (await server.call("GET", "/health", headers=bearer("a-token")))[1]["engines"]["tts"] == [told]
    assert (await server.call("GET", "/api/v1/engines", headers=bearer("v-token")))[1] == [less]
    assert (await server.call("GET", "/api/v1/engines", headers=bearer("a-token")))[1] == [told]
