from __future__ import annotations

import asyncio
import socket
import time

import pytest
from aiohttp import web

from mynah import EngineUnavailable
from mynah_whisper import fetching, models
from mynah_whisper.engine import open_whisper


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Keep this computer's own cache and network out of it."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture
async def serve(monkeypatch):
    """Serve files as Hugging Face does, on the loopback interface."""
    runners = []

    async def serve(handle):
        app = web.Application()
        app.router.add_get("/{owner}/{name}/resolve/main/{file}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        monkeypatch.setenv("HF_ENDPOINT", f"http://{host}:{port}")

    yield serve
    for runner in runners:
        await runner.cleanup()


async def unavailable(model, folder):
    with pytest.raises(EngineUnavailable) as caught:
        async with open_whisper({"model": model}, folder):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_missing_model_without_a_network_says_what_to_fetch_and_where_to_put_it(tmp_path):
    began = time.monotonic()
    message = await unavailable("base.en", tmp_path)
    assert time.monotonic() - began < 10
    assert "https://huggingface.co/Systran/faster-whisper-base.en" in message
    assert f"put them into {tmp_path / 'base.en'}" in message
    assert "no connection to http://127.0.0.1:9" in message


async def test_a_network_that_swallows_everything_is_given_up_soon(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "ANSWER_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "no answer from" in await unavailable("base.en", tmp_path)


async def test_offline_by_wish_nothing_is_tried(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in await unavailable("small", tmp_path)


async def test_a_refusal_is_told(tmp_path, serve):
    async def refuse(request):
        raise web.HTTPUnauthorized

    await serve(refuse)
    assert "answers 401" in await unavailable("someone/secret-model", tmp_path)


async def test_a_model_is_fetched_by_name_and_loaded_and_found_the_next_time(tmp_path, serve, said_model, monkeypatch):
    asked = []

    async def handle(request):
        asked.append(f"{request.match_info['owner']}/{request.match_info['name']}/{request.match_info['file']}")
        file = said_model / request.match_info["file"]
        return web.FileResponse(file) if file.is_file() else web.Response(status=404)

    await serve(handle)
    async with open_whisper({"model": "tiny.en", "device": "cpu"}, tmp_path):
        pass
    assert "Systran/faster-whisper-tiny.en/model.bin" in asked
    assert not list((tmp_path / "tiny.en").glob("*.part"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    async with open_whisper({"model": "tiny.en", "device": "cpu"}, tmp_path):
        pass


async def test_a_broken_download_is_gone_on_with(tmp_path, serve, said_model):
    ranges = []

    async def handle(request):
        file = said_model / request.match_info["file"]
        if not file.is_file():
            return web.Response(status=404)
        if file.name == "model.bin" and not ranges:
            ranges.append(None)
            response = web.StreamResponse(headers={"Content-Length": str(file.stat().st_size)})
            await response.prepare(request)
            await response.write(file.read_bytes()[:5000])
            await asyncio.sleep(0.05)
            request.transport.close()
            return response
        if file.name == "model.bin":
            ranges.append(request.headers.get("Range"))
        return web.FileResponse(file)

    await serve(handle)
    await unavailable("tiny.en", tmp_path)
    place = await fetching.fetch("tiny.en", tmp_path)
    assert ranges == [None, "bytes=5000-"]
    assert (place / "model.bin").read_bytes() == (said_model / "model.bin").read_bytes()


@pytest.mark.parametrize("left", [b"x" * 10, b"x" * 5_000_000])
async def test_a_part_that_does_not_fit_the_file_never_passes_for_the_model(tmp_path, serve, said_model, left):
    async def handle(request):
        file = said_model / request.match_info["file"]
        if not file.is_file():
            return web.Response(status=404)
        if len(left) == 10 and file.name == "model.bin" and "Range" in request.headers:
            # Somebody else writes to the same part meanwhile.
            with part.open("ab") as other:
                other.write(b"y")
        return web.FileResponse(file)

    part = tmp_path / "tiny.en" / "model.bin.part"
    part.parent.mkdir()
    part.write_bytes(left)
    await serve(handle)
    assert "was damaged and is deleted" in await unavailable("tiny.en", tmp_path)
    place = await fetching.fetch("tiny.en", tmp_path)
    assert (place / "model.bin").read_bytes() == (said_model / "model.bin").read_bytes()


async def test_a_model_in_hugging_face_s_cache_is_used(tmp_path, said_model):
    snapshot = tmp_path / "cache" / "hub" / "models--Systran--faster-whisper-base" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for file in said_model.iterdir():
        (snapshot / file.name).symlink_to(file)
    assert models.find("base", tmp_path) == snapshot


def test_a_folder_is_used_wherever_it_is(tmp_path, said_model):
    (tmp_path / "mine").symlink_to(said_model)
    assert models.find("mine", tmp_path) == tmp_path / "mine"
    assert models.find(str(said_model), tmp_path / "other") == said_model


async def test_a_mistyped_name_is_guessed(tmp_path):
    assert "did you mean 'large-v3'" in await unavailable("larg-v3", tmp_path)


async def test_a_folder_without_a_model_says_what_it_lacks(tmp_path):
    assert "has no model.bin and no config.json" in await unavailable(str(tmp_path), tmp_path / "other")
    assert f"there is no folder {tmp_path / 'nowhere'}" in await unavailable(str(tmp_path / "nowhere"), tmp_path)
