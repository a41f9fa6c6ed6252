"""A WebSocket that passes everything on to a hub and back, and keeps what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, WSMsgType, web

PATH = "/ws/v1"


class RecordingProxy:
    """`from_hub` and `to_hub` have the frames, bytes or text, in order."""

    def __init__(self, hub_url: str) -> None:
        self._hub = hub_url.replace("http", "ws", 1) + PATH
        self.from_hub: list[bytes | str] = []
        self.to_hub: list[bytes | str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; gives the address that stands for the hub's."""
        app = web.Application()
        app.router.add_get(PATH, self._serve)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    @property
    def sound(self) -> bytes:
        """The audio that the hub sent: its frames without the number of their stream."""
        return b"".join(frame[1:] for frame in self.from_hub if isinstance(frame, bytes))

    @property
    def recorded(self) -> bytes:
        """The audio that the hub was sent."""
        return b"".join(frame for frame in self.to_hub if isinstance(frame, bytes))

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        here = web.WebSocketResponse(max_msg_size=0)
        await here.prepare(request)
        async with ClientSession() as client, client.ws_connect(self._hub, max_msg_size=0) as hub:
            ways = (self._pass(here, hub, self.to_hub), self._pass(hub, here, self.from_hub))
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return here

    async def _pass(self, source, target, kept: list[bytes | str]) -> None:
        async for frame in source:
            kept.append(frame.data)
            if frame.type == WSMsgType.BINARY:
                await target.send_bytes(frame.data)
            else:
                await target.send_str(frame.data)
