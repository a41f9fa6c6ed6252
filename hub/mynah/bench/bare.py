"""A peer of the hub: a server that only waits as long as the engines do, and sends. What it costs, no hub can save.

Run as `python -m mynah.bench.bare FIRST EACH TOKENS VOICE` (milliseconds, and how many tokens make the first phrase).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

from mynah.bench.crowd import PAUSE_S
from mynah.errors import MynahError
from mynah.loop import run_loop

AUDIO: Final = bytes(800)
START_S: Final = 15.0


class Server:
    """Answers a text message as a hub would: tokens as JSON, then the first of the audio, each in its time."""

    def __init__(self, first_ms: float, each_ms: float, tokens: int, voice_ms: float) -> None:
        self._pauses_s = [ms / 1000 for ms in (first_ms, *[each_ms] * (tokens - 1))]
        self._voice_s = voice_ms / 1000

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        """Answer what comes over one WebSocket."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for _ in socket:
            slept = 0.0
            for pause in self._pauses_s:
                slept += await _sleep(pause)
                await socket.send_str('{"type":"token","turn":"t1","text":" word"}')
            slept += await _sleep(self._voice_s)
            await socket.send_bytes(AUDIO)
            await socket.send_str(json.dumps({"slept_ms": slept * 1000}))
        return socket


async def _sleep(seconds: float) -> float:
    """Sleep and return how long that really took."""
    began = time.monotonic()
    await asyncio.sleep(seconds)
    return time.monotonic() - began


async def own_ms(sessions: int, rounds: int, *, first_ms: float, each_ms: float, tokens: int, voice_ms: float) -> float:
    """Return what such a server adds to the first audio, p50, where so many sessions ask that often.

    Raises `MynahError` where it does not answer.
    """
    found: list[float] = []

    async def ask(client: aiohttp.ClientSession, url: str, number: int) -> None:
        async with client.ws_connect(url) as socket:
            for count in range(rounds + 1):  # the first is not counted
                await asyncio.sleep(PAUSE_S[0] + (number * 37 + count * 61) % 100 / 100 * (PAUSE_S[1] - PAUSE_S[0]))
                began = time.monotonic()
                await socket.send_str('{"type":"text","text":"what do lions eat"}')
                while (message := await socket.receive(timeout=START_S)).type is aiohttp.WSMsgType.TEXT:
                    pass
                taken = time.monotonic() - began
                if message.type is not aiohttp.WSMsgType.BINARY:
                    raise MynahError("the bare server went away")
                told = json.loads((await socket.receive(timeout=START_S)).data)
                if count:
                    found.append(taken * 1000 - told["slept_ms"])

    server = _running(first_ms, each_ms, tokens, voice_ms)
    async with server as url, aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
        for number in range(sessions):
            group.create_task(ask(client, url, number))
    return statistics.median(found)


@asynccontextmanager
async def _running(*script: float) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mynah.bench.bare", *map(str, script), stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise MynahError("the bare server has no output")
        async with asyncio.timeout(START_S):
            url = (await process.stdout.readline()).decode().strip()
        yield url
    finally:
        process.terminate()
        await process.communicate()


async def _serve(server: Server) -> None:
    app = web.Application()
    app.router.add_get("/", server.talk)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)  # noqa: T201  # to the process that started this
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    first, each, tokens, voice = sys.argv[1:]
    run_loop(_serve(Server(float(first), float(each), int(tokens), float(voice))))
