"""Speakers that run the firmware, and a network that stalls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from mynah.firmware import firmware_folder
from mynah.testing.simulated import HEAP, SimulatedSpeaker, websocket_url

__all__ = ["FIRMWARE", "HEAP", "MICROPYTHON", "SimulatedSpeaker", "StallingProxy", "websocket_url"]

FIRMWARE = firmware_folder()
MICROPYTHON = Path(sys.executable).with_name("micropython")


class StallingProxy:
    """Passes TCP on to a port, and now and then, for `stall_s`, nothing in either direction."""

    def __init__(self, port: int, every_s: float = 1.0, stall_s: float = 0.3) -> None:
        self._target = port
        self._every_s = every_s
        self._stall_s = stall_s
        self._flows = asyncio.Event()
        self.stalls = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve; gives the port."""
        self._flows.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        stalling = asyncio.create_task(self._stall())
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            stalling.cancel()
            server.close()

    async def _stall(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            self._flows.clear()
            await asyncio.sleep(self._stall_s)
            self._flows.set()
            self.stalls += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        with suppress(OSError):
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
