"""Who may have a phrase made now, where sessions of one origin are given so many voices and no more."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Share:
    """So many calls at once, for all sessions of an origin together; those that wait are served session by session.

    A session that asks for ten phrases has its second one made after the first of every other session that waits.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, session_id: str) -> AsyncIterator[None]:
        """Wait for the session's turn, and have it until the end."""
        await self._acquire(session_id)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, session_id: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(session_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            session_id, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[session_id] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Shares:
    """The shares of all origins that have one."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, int], Share] = {}

    def of(self, origin: str, most: int | None) -> Share | None:
        """Return the share of an origin; None where `most` says that it has none and takes what it needs."""
        return None if most is None else self._shares.setdefault((origin, most), Share(most))
