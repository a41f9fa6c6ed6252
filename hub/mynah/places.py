"""So many at once, and who is next: for whatever sessions share, such as a model or a server's voices."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class _Rank:
    """Where somebody stands among those that wait; the lowest is next."""

    due: float
    round: int
    number: int


class Places:
    """`count` places, each taken by one at a time; who finds none waits in turn.

    Who is next: those whose work is due first, and of these one of each in every round, so that whoever wants ten
    places has their second after everybody else has had one. Belongs to one event loop. Who waits in vain and is
    cancelled leaves no gap.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: dict[asyncio.Future[None], tuple[_Rank, Hashable]] = {}
        self._numbers = itertools.count()
        self._round = 0

    @property
    def free(self) -> int:
        """How many can be taken without waiting."""
        return self._free

    @asynccontextmanager
    async def place(self, whose: Hashable = None, *, due: float = 0.0) -> AsyncIterator[None]:
        """Have a place for as long as the context lasts; see `take`."""
        await self.take(whose, due=due)
        try:
            yield
        finally:
            self.give_back()

    async def take(self, whose: Hashable = None, *, due: float = 0.0) -> None:
        """Wait for a place, which `give_back` must return.

        `whose` it is, a session's id say, counts for the rounds: without it all wait as one, in the order in which
        they came. `due` is a time of any clock, the same for all who share these places.
        """
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ahead = sum(other == whose for _, other in self._waiting.values())
        self._waiting[turn] = _Rank(due, self._round + ahead + 1, next(self._numbers)), whose
        try:
            await turn
        except asyncio.CancelledError:
            self._waiting.pop(turn, None)
            if not turn.cancelled():  # it was given the place in the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        """Return a place that was taken: to who is next, if anybody waits."""
        while self._waiting:
            turn = min(self._waiting, key=lambda turn: self._waiting[turn][0])
            rank, _ = self._waiting.pop(turn)
            if not turn.done():
                self._round = max(self._round, rank.round)
                turn.set_result(None)
                return
        self._free += 1
