"""A speaker that runs the firmware on MicroPython's unix port, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

FIRMWARE = Path(__file__).parents[2] / "firmware"
MICROPYTHON = Path(sys.executable).with_name("micropython")
# 100 KiB of a chip whose words have 32 bits: `w` makes up for this computer's words, which have 64.
HEAP = "100wk"
SETTINGS = {"ssid": "test", "password": "test", "board": "esp32", "volume": 100}


def nvs(space: dict[str, Any]) -> dict[str, Any]:
    """Return settings as the simulated NVS holds them: numbers, and blobs in hexadecimal digits."""
    return {
        name: value if isinstance(value, int) else (value.encode() if isinstance(value, str) else value).hex()
        for name, value in space.items()
    }


def websocket_url(url: str) -> str:
    """Return the address of the native protocol at a hub."""
    return url.replace("http://", "ws://") + "/ws/v1"


class SimulatedSpeaker:
    """Push its buttons with `tell`, wait for what it answers with `answer`."""

    def __init__(self, folder: Path, build: Path, heap: str = HEAP, **settings: Any) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.status: int | None = None
        self._build = build
        self._heap = heap
        self._answers: list[dict[str, Any]] = []
        self._came = asyncio.Event()
        if settings:
            kept = {"mynah": nvs({**SETTINGS, **settings})}
            (folder / "nvs.json").write_text(json.dumps(kept))

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            str(MICROPYTHON), "-X", f"heapsize={self._heap}", "-m", "simulate",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "MYNAH_SIM": str(self.folder), "MICROPYPATH": f"{self._build}:.frozen"},
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *exception: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode().strip():
            if line.startswith("{"):
                self._answers.append(json.loads(line))
            else:
                self.lines.append(line)
            self._came.set()
        self.status = await self._process.wait()
        self._came.set()

    async def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        with suppress(ConnectionError):  # `answer` says what it ended with
            await self._process.stdin.drain()

    async def answer(self, name: str, timeout_s: float = 10) -> dict[str, Any]:
        """Return the next answer that has the field `name`; those before it are dropped."""
        async with asyncio.timeout(timeout_s):
            while True:
                while self._answers:
                    if name in (found := self._answers.pop(0)):
                        return found
                if self.status is not None:
                    raise AssertionError(f"it ended with {self.status}: {self.lines[-12:]}")
                self._came.clear()
                await self._came.wait()

    async def heap(self) -> dict[str, Any]:
        """Ask what it holds and plays; collects its garbage."""
        await self.tell("heap")
        return await self.answer("live")

    async def connected(self) -> None:
        """Wait until its session with the hub stands."""
        async with asyncio.timeout(10):
            while not (await self.heap())["hub"]:  # noqa: ASYNC110  # over a pipe
                await asyncio.sleep(0.05)

    async def played(self, timeout_s: float = 20) -> dict[str, Any]:
        """Wait until it plays and has stopped playing; return its last answer about the heap."""
        async with asyncio.timeout(timeout_s):
            while not (await self.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
                await asyncio.sleep(0.05)
            while (last := await self.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
                await asyncio.sleep(0.1)
        return last

    async def ended(self) -> int:
        """Wait until it ends by itself; return its status."""
        async with asyncio.timeout(15):
            return await self._process.wait()

    async def quit(self) -> None:
        """Switch it off; its loudspeaker's file is complete then."""
        await self.tell("quit")
        await self.ended()

    def sound(self) -> bytes:
        """Return what its loudspeaker has played: 16 kHz mono, 16 bits."""
        with wave.open(str(self.folder / "loudspeaker.wav"), "rb") as file:
            return file.readframes(file.getnframes())


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
