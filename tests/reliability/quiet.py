"""Hubs that start keep quiet for those that are being measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Quiet:
    """Lets hubs start while nothing is measured: that takes all that a small machine has, and limits are short."""

    def __init__(self) -> None:
        self._running = self._starting = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        async with self._changed:
            self._starting += 1
            await self._changed.wait_for(lambda: not self._running)
        try:
            yield
        finally:
            async with self._changed:
                self._starting -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._starting)
            self._running += 1
        try:
            yield
        finally:
            async with self._changed:
                self._running -= 1
                self._changed.notify_all()
