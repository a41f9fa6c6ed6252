"""Who may decode: a few at once, the others wait in the order in which their decodes are due.

A decode in C cannot be stopped. So when its consumer is gone its slot is free again at once, and the decode ends by
itself on a spare thread: the threads share one copy of the model, which makes a spare cheap, where a worker process
would have to be killed and to load the model anew, and that takes longer than 200 ms. Decodes are short, as the length
of their text is bounded, and the number of such strays is bounded too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Final, TypeVar

from mynah import EngineUnavailable, Places

T = TypeVar("T")
Work = Callable[[Event], T]
"""Runs in a thread; returns early once the event is set, if it can."""

MIN_SPARES: Final = 4


def spares(workers: int) -> int:
    """Return how many strays there may be beside `workers`."""
    return max(MIN_SPARES, workers)


class Slots:
    """Runs blocking work in threads: `workers` at once, and up to `spares(workers)` that nobody waits for any more."""

    def __init__(self, workers: int) -> None:
        self._places = Places(workers)
        self._spares = spares(workers)
        self._strays: set[asyncio.Future[Any]] = set()
        self._closed = False
        self._executor = ThreadPoolExecutor(workers + self._spares, thread_name_prefix="whisper")

    @property
    def free(self) -> int:
        """How many may begin now."""
        return self._places.free

    async def run(self, prepare: Callable[[], Work[T]], due: float) -> T:
        """Wait for a slot, call `prepare` on the event loop, and return what the work that it gives returns.

        Those that are `due` earlier, a time of any clock, come first. A cancelled call gives its slot back at once.
        """
        await self._places.take(due=due)
        stop = Event()
        try:
            work = self._begin(prepare(), stop)
        except BaseException:
            self._places.give_back()
            raise
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            stop.set()
            self._leave(work)
            raise
        self._places.give_back()
        return work.result()

    def close(self) -> None:
        """Begin nothing more; strays end by themselves."""
        self._closed = True
        for stray in tuple(self._strays):
            stray.cancel()  # so that its thread does not report to a loop that may be closed by then
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin(self, work: Work[T], stop: Event) -> asyncio.Future[T]:
        if self._closed:
            raise EngineUnavailable("Whisper is closed")
        return asyncio.get_running_loop().run_in_executor(self._executor, work, stop)

    def _leave(self, work: asyncio.Future[T]) -> None:
        if work.done() or len(self._strays) >= self._spares:
            work.add_done_callback(self._ended)
            return
        self._strays.add(work)
        work.add_done_callback(self._stray_ended)
        self._places.give_back()

    def _ended(self, work: asyncio.Future[T]) -> None:
        self._places.give_back()
        if not work.cancelled():
            work.exception()  # is nobody's any more

    def _stray_ended(self, work: asyncio.Future[T]) -> None:
        self._strays.discard(work)
        if not work.cancelled():
            work.exception()
