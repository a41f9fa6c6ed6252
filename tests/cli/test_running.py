"""How commands find the hub that runs, and what they say where there is none."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mynah.cli.running import RunningHub
from mynah.errors import MynahError
from mynah.testing import run_hub, scripted_engines


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@asynccontextmanager
async def house(folder, **http):
    config = {"speakers": {"hall": {}}, "http": {"mdns": False, **http}}
    async with run_hub(folder, specs=scripted_engines(), config=config, installed=("http", "websocket")) as hub:
        yield hub


async def test_the_hub_is_found_by_the_configuration(cli, folder, tmp_path):
    port = free_port()
    (folder / "config.yaml").write_text(json.dumps({"http": {"port": port}}))
    async with house(tmp_path, port=port):
        result = await asyncio.to_thread(cli, "speakers", "--json")
    assert (result.code, [row["id"] for row in result.json]) == (0, ["hall"])


async def test_open_to_the_network_it_asks_for_a_token_and_takes_that_of_the_environment(cli, tmp_path, monkeypatch):
    async with house(tmp_path, host="0.0.0.0") as hub:
        url = f"http://127.0.0.1:{hub.addresses['http'].rsplit(':', 1)[1]}"
        without = await asyncio.to_thread(cli, "speakers", "--url", url)
        monkeypatch.setenv("MYNAH_TOKEN", "wrong")
        wrong = await asyncio.to_thread(cli, "speakers", "--url", url)
        monkeypatch.setenv("MYNAH_TOKEN", hub.storage.issue_token("hall", "speaker"))
        speaker = await asyncio.to_thread(cli, "speakers", "--url", url)
        monkeypatch.setenv("MYNAH_TOKEN", hub.storage.issue_token("Anna", "admin"))
        right = await asyncio.to_thread(cli, "speakers", "--url", url)
    assert (without.code, wrong.code, speaker.code, right.code) == (1, 1, 1, 0)
    assert "wants a token; set MYNAH_TOKEN" in without.err
    assert "does not know the token" in wrong.err
    assert "the token given has the role 'speaker'" in speaker.err
    assert "hall" in right.out


def test_where_no_hub_runs_that_is_said_with_what_to_do(cli, folder):
    result = cli("speakers", "--url", f"http://127.0.0.1:{free_port()}")
    assert (result.code, result.out) == (1, "")
    assert "no hub answers at http://127.0.0.1:" in result.err
    assert "mynah run" in result.err


@pytest.mark.parametrize("url", ["ftp://hub", "hub:8000", "http://", "not an address"])
def test_an_address_that_is_none_is_refused(cli, folder, url):
    result = cli("speakers", "--url", url)
    assert (result.code, "is no address of a hub" in result.err) == (1, True)


def test_a_token_in_the_address_is_refused_and_not_repeated(cli, folder):
    result = cli("speakers", "--url", "http://secret@127.0.0.1:8000")
    assert result.code == 1
    assert "secret" not in result.err


async def test_another_server_in_the_hubs_place_is_told_apart(folder):
    app = web.Application()
    app.router.add_get("/api/v1/speakers", router_page)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        with pytest.raises(MynahError, match="is no Mynah hub"):
            await asyncio.to_thread(RunningHub(f"http://127.0.0.1:{port}").get, "speakers")
        with pytest.raises(MynahError, match="is no Mynah hub"):
            await asyncio.to_thread(RunningHub(f"http://127.0.0.1:{port}").get, "sessions")
    finally:
        await runner.cleanup()


async def router_page(request):
    return web.Response(text="<h1>A router</h1>")
