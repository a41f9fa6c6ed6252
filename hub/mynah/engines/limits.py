"""How long an engine may take over one call, and what becomes of a call that is given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from mynah.errors import EngineError, StageTimeout
from mynah.timeline import now

log = logging.getLogger(__name__)
T = TypeVar("T")

LET_GO_S: Final = 2.0
"""How long an engine may take to let go of a call that was given up; after that it is left behind."""

HAND_OVER_S: Final = 0.05
"""How long whoever goes on without an engine waits for it to let go: a listener is waiting, and most take no time."""

SLICE_S: Final = 0.1
"""How often a clock that is not armed yet is looked at."""

GRAIN_S: Final = 0.001
"""How exactly limits are kept."""


@dataclass(slots=True)
class Meter:
    """What a call spent inside an engine: `total_ms` in all; the last wait from `began` to `ended` (monotonic s).

    `troubles` says of each engine that was tried or passed over before `engine` why it did not answer, as
    "name: reason".
    """

    engine: str = ""
    total_ms: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    troubles: list[str] = field(default_factory=list)

    def add(self, began: float, ended: float) -> None:
        """Count one wait."""
        self.began, self.ended = began, ended
        self.total_ms += (ended - began) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long an engine may take: for its first output, for each further one, and in all, in seconds.

    `armed`, where given, says whether the clock runs yet: a recogniser owes nothing before the utterance has ended.
    Once armed it stays so.
    """

    first: float
    following: float
    total: float
    armed: Callable[[], bool] | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any], total: float, armed: Callable[[], bool] | None) -> Limits:
        """Return the limits that an engine's entry in the configuration sets."""
        return cls(first=entry["first_timeout"], following=entry["next_timeout"], total=total, armed=armed)


@asynccontextmanager
async def closing(outputs: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an engine's generator at the end; an iterator of another kind is left as it is."""
    try:
        yield outputs
    finally:
        close = getattr(outputs, "aclose", None)
        if close is not None:
            await close()


class Slots:
    """How many calls of an engine may be under way at once; None: any number."""

    def __init__(self, most: int | None) -> None:
        self._free = asyncio.Semaphore(most) if most else None

    async def acquire(self) -> None:
        """Wait for a slot."""
        if self._free is not None:
            await self._free.acquire()

    def release(self, leaving: Collection[asyncio.Task[Any]] = ()) -> None:
        """Give a slot back once the tasks in `leaving` have ended, or have been waited for long enough."""
        free, going = self._free, {task for task in leaving if not task.done()}
        if free is None:
            return
        if not going:
            free.release()
            return

        def gone(task: asyncio.Task[Any]) -> None:
            going.discard(task)
            if not going and not timer.cancelled():
                timer.cancel()
                free.release()

        def enough() -> None:
            going.clear()
            timer.cancel()
            free.release()

        timer = asyncio.get_running_loop().call_later(LET_GO_S, enough)
        for task in list(going):
            task.add_done_callback(gone)


class LimitedCall(Generic[T]):
    """One call of an engine: its outputs, each within its limit; time spent by the consumer is not the engine's.

    An engine that fails to let go of a call that was given up is left behind; its task is kept in `strays` until it
    ends. `leaving` has what may still be under way when `items` has ended.
    """

    def __init__(self, outputs: AsyncIterator[T], limits: Limits, meter: Meter, strays: set[asyncio.Task[Any]]) -> None:
        self._outputs = outputs
        self._limits = limits
        self._meter = meter
        self._engine = meter.engine  # the meter's may be another one by the time this one has let go
        self._strays = strays
        self._patience = LET_GO_S
        self.leaving: list[asyncio.Task[Any]] = []

    async def items(self) -> AsyncIterator[T]:
        """Yield the outputs. Raises `StageTimeout` past a limit, and whatever the engine raises."""
        limits, spent, limit = self._limits, 0.0, self._limits.first
        try:
            while True:
                left = limits.total - spent
                if left < limit:
                    message = f"took more than {limits.total:g} s in all"
                else:
                    message = f"gave nothing for {limit:g} s" + (" after the end of speech" if limits.armed else "")
                output, counted = await self._next(min(limit, left), message)
                spent, limit = spent + counted, limits.following
                yield output
        except StopAsyncIteration:
            return
        except (Exception, GeneratorExit):
            self._patience = HAND_OVER_S  # somebody goes on from here; who was cancelled has time
            raise
        finally:
            await self._close()

    async def _next(self, limit: float, message: str) -> tuple[T, float]:
        """Return the next output and how long the clock ran for it."""
        began = now()
        wait = asyncio.ensure_future(anext(self._outputs))
        try:
            counted = await self._await(wait, limit)
            if not wait.done():
                self._patience = HAND_OVER_S
                raise StageTimeout(message)
            if wait.cancelled():
                raise EngineError("something that it waited for was cancelled")
            return wait.result(), counted
        finally:
            self._meter.add(began, now())
            if not wait.done():
                wait.cancel()
                await self._let_go(wait)

    async def _await(self, wait: asyncio.Task[T], limit: float) -> float:
        """Wait until `wait` is done or its clock has run for `limit`; return how long it ran."""
        armed, counted = self._limits.armed or _at_once, 0.0
        while not wait.done() and counted < limit:
            running, began = armed(), now()
            # A pause that is too short for the clock to notice would never end this loop.
            await asyncio.wait((wait,), timeout=max(limit - counted, GRAIN_S) if running else SLICE_S)
            counted += now() - began if running else 0.0
        return counted

    async def _close(self) -> None:
        close = getattr(self._outputs, "aclose", None)
        # A generator that is still running cannot be closed; it ends with the task that it was left behind in.
        if close is not None and not getattr(self._outputs, "ag_running", False):
            await self._let_go(asyncio.ensure_future(close()))

    async def _let_go(self, task: asyncio.Task[Any]) -> None:
        """Wait for the end of `task`, but not for long; what takes longer goes on by itself."""
        self._strays.add(task)
        self.leaving.append(task)
        warning = asyncio.get_running_loop().call_later(LET_GO_S, self._warn)
        task.add_done_callback(lambda _: warning.cancel())
        task.add_done_callback(self._forget)
        await asyncio.wait((task,), timeout=self._patience)

    def _warn(self) -> None:
        log.warning("%s does not let go of a call that was stopped; it is left behind", self._engine)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._strays.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The call is over, so that this is nobody's failure any more.
            log.debug("%s failed while it let go of a call", self._engine, exc_info=error)


def _at_once() -> bool:
    return True
