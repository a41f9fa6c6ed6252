"""How calm the machine is while something is measured: limits of time are those of one with nothing else to do."""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

WORK_S: Final = 0.002
BUSY: Final = 1.5
"""From here on a machine is busy; below, what was measured has kept its processors from the control now and then."""

CONTROL: Final = f"""
import time
while True:
    asleep = time.monotonic()
    time.sleep(0.02)
    used = time.process_time()
    while time.process_time() - used < {WORK_S}:
        pass
    print(time.monotonic() - asleep - 0.02, flush=True)
"""
"""Wakes up, does a little work, and tells how long both took: {WORK_S} s on a machine that has a processor for it."""


class Control:
    """A process beside what is measured, which wants little and tells when it got it."""

    def __init__(self) -> None:
        self._took: list[float] = []

    @property
    def slowness(self) -> float:
        """How many times longer than on a calm machine a little work took, at 9 of 10 times; 1 where it was calm."""
        nine = statistics.quantiles(self._took, n=10)[-1] / WORK_S
        return nine if nine >= BUSY else 1.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Control]:
        """Run the control for as long as the context lasts."""
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", CONTROL, stdout=asyncio.subprocess.PIPE)
        reading = asyncio.create_task(self._read(process))
        try:
            yield self
        finally:
            process.kill()
            await process.wait()
            await reading

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._took.append(float(line))
