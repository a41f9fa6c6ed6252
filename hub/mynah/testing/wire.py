"""The connection of a fake speaker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import aiohttp
from yarl import URL

PATH: Final = "/ws/v1"
CONNECT_S: Final = 10.0
SEND_S: Final = 30.0


class Wire:
    """One WebSocket, with its own HTTP client, so that it can be cut like a wire."""

    def __init__(self, http: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.close_code: int | None = None
        self.close_reason = ""
        self._http = http
        self._ws = ws

    @classmethod
    async def open(cls, url: str) -> Wire:
        """Connect to a hub, given by its address (`http://localhost:8000`) or that of its WebSocket."""
        address = URL(url)
        if address.path in ("", "/"):
            address = address.with_path(PATH)
        http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(CONNECT_S):
                return cls(http, await http.ws_connect(address, max_msg_size=0))
        except BaseException:
            await http.close()
            raise

    async def send(self, frame: str | bytes) -> None:
        """Send a frame. Raises `ConnectionError` where the wire is cut."""
        async with asyncio.timeout(SEND_S):
            await (self._ws.send_bytes(frame) if isinstance(frame, bytes) else self._ws.send_str(frame))

    async def frames(self) -> AsyncGenerator[str | bytes, None]:
        """Yield the frames that come, until the connection ends; `close_code` and `close_reason` tell why it did."""
        while True:
            message = await self._ws.receive()
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break
            yield message.data
        self.close_code = self._ws.close_code or int(aiohttp.WSCloseCode.ABNORMAL_CLOSURE)
        self.close_reason = str(message.extra or "")

    async def cut(self) -> None:
        """Close the wire itself; the hub is told nothing."""
        await self._http.close()
