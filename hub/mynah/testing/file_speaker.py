"""A speaker whose microphone and loudspeaker are files."""

from __future__ import annotations

import asyncio
import time
import wave
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

QUIET_S: Final = 0.5
Told = Callable[[str | Mapping[str, Any]], None]
"""Takes what a speaker says while it runs: lines of its log, and, once it was told to `watch`, its state."""


class FileSpeaker(ABC):
    """Push its buttons with `tell`: press, release, ask FILE (a WAV of 16 kHz mono, 16 bits), watch, quit.

    `folder` is its own; its loudspeaker fills the file `loudspeaker.wav` there, in real time. Its state has `phase`
    (idle, listening, thinking, speaking), `hub` (whether it is connected), `broker` (the same, or None where it knows
    none) and `underruns`.
    """

    def __init__(self, folder: Path, told: Told | None) -> None:
        self.folder = folder
        self._told = told

    @property
    def wav(self) -> Path:
        """The file that its loudspeaker fills."""
        return self.folder / "loudspeaker.wav"

    @abstractmethod
    async def tell(self, line: str) -> None:
        """Have it do what a line says."""

    @abstractmethod
    async def heap(self) -> dict[str, Any]:
        """Ask whether it is `playing`, is connected to the `hub`, and how often it ran dry (`underruns`, `dry`)."""

    @abstractmethod
    async def ended(self, timeout_s: float = 30) -> int:
        """Wait until it ends; return its status, 3 where it wants to be started again."""

    async def connected(self, timeout_s: float = 30) -> None:
        """Wait until its session with the hub stands."""
        async with asyncio.timeout(timeout_s):
            while not (await self.heap())["hub"]:  # noqa: ASYNC110  # it is asked, over a pipe
                await asyncio.sleep(0.05)

    async def plays(self, timeout_s: float = 30) -> None:
        """Wait until it plays something."""
        async with asyncio.timeout(timeout_s):
            while not (await self.heap())["playing"]:  # noqa: ASYNC110  # it is asked, over a pipe
                await asyncio.sleep(0.02)

    async def played(self, timeout_s: float = 60) -> dict[str, Any]:
        """Wait until it plays and has stopped, for longer than between phrases; return what `heap` says then."""
        async with asyncio.timeout(timeout_s):
            await self.plays(timeout_s)
            quiet_at = None
            while quiet_at is None or time.monotonic() - quiet_at < QUIET_S:
                await asyncio.sleep(0.1)
                playing = (last := await self.heap())["playing"]
                quiet_at = None if playing else quiet_at or time.monotonic()
        return last

    @abstractmethod
    async def quit(self) -> None:
        """Switch it off; its loudspeaker's file is complete then."""

    def sound(self) -> bytes:
        """Return what its loudspeaker has played: 16 kHz mono, 16 bits."""
        with wave.open(str(self.wav), "rb") as file:
            return file.readframes(file.getnframes())
