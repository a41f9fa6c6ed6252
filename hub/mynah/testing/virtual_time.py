"""Virtual time: an event loop whose sleeps take no time, so that a day of conversation runs in a moment."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple
from unittest import mock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


OUTSIDE_S = 0.5
"""How long in real time the clock stands still for work in a thread; what takes longer is overtaken by it."""


class _JumpingSelector(selectors.BaseSelector):
    """Asks the real selector what is there now; where nothing is, the clock jumps instead of waiting."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.outside = 0
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            return self._real.select(None)
        if self.outside and (ready := self._real.select(OUTSIDE_S)):
            return ready
        self.now += timeout
        return []

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock that only its own timers move.

    `wall` is the time of day in seconds since the epoch at which it begins; None: that of the machine. `set_clock`
    has the time of day jump, as it does where somebody sets a clock.
    """

    def __init__(self, wall: float | None = None) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)
        self._ahead_s = (time.time() if wall is None else wall) - self._clock.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Do work in a thread; the clock stands still meanwhile, where the work has an executor of its own."""
        future = super().run_in_executor(executor, func, *args)
        if executor is not None:
            self._clock.outside += 1
            future.add_done_callback(self._back)
        return future

    def _back(self, future: asyncio.Future[Any]) -> None:
        self._clock.outside -= 1

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._clock.now

    def wall_time(self) -> float:
        """Return the time of day in seconds since the epoch."""
        return self._clock.now + self._ahead_s

    def set_clock(self, wall: float) -> None:
        """Have the time of day be `wall` from now on."""
        self._ahead_s = wall - self._clock.now


def run_in_virtual_time(main: Coroutine[Any, Any, T], *, wall: float | None = None) -> T:
    """Run `main` with every sleep, timeout and clock of Mynah in virtual time; with `wall` the time of day as well.

    For code that waits for timers only: threads, processes and sockets take real time, which this clock overtakes.
    """
    loop = VirtualLoop(wall)
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner(loop_factory=lambda: loop))
        stack.enter_context(mock.patch.object(time, "monotonic", loop.time))
        if wall is not None:
            stack.enter_context(mock.patch.object(time, "time", loop.wall_time))
        return runner.run(main)
