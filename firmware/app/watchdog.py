"""The hardware's watchdog, fed only while every task that must live does."""

import asyncio
import time

from machine import WDT
from micropython import const

_LIMIT_MS = const(30000)  # looking up a name blocks everything for some seconds


class Watchdog:
    """Each of the tasks must have lived within its time, else the chip restarts.

    `tasks` maps names to a function, which returns the tick at which the task was last seen, and milliseconds.
    """

    def __init__(self, tasks):
        self._tasks = tasks
        self._wdt = WDT(timeout=_LIMIT_MS)

    def late(self):
        """Return the names of those that were not seen for too long."""
        now = time.ticks_ms()
        return [name for name, (seen, within) in self._tasks.items() if time.ticks_diff(now, seen()) > within]

    async def run(self):
        """Feed until cancelled, or for good once one is late."""
        while not self.late():
            self._wdt.feed()
            await asyncio.sleep(1)
