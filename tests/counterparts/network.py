"""A network that stalls, and breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class StallingProxy:
    """Passes TCP on to a port, and now and then, for `stall_s`, nothing in either direction.

    While `there` is False it is not there: `cut` ends its connections, and new ones end at once.
    """

    def __init__(self, port: int, every_s: float = 1.0, stall_s: float = 0.3) -> None:
        self._target = port
        self._every_s = every_s
        self._stall_s = stall_s
        self._flows = asyncio.Event()
        self.stalls = 0
        self.there = True
        self._writers: set[asyncio.StreamWriter] = set()

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
            self._flows.set()
            server.close()
            self.cut()

    def cut(self) -> None:
        """End all connections, without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def _stall(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            self._flows.clear()
            await asyncio.sleep(self._stall_s)
            self._flows.set()
            self.stalls += 1

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.there:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        ours = {writer, back}
        self._writers |= ours
        with suppress(OSError):
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._writers -= ours

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
