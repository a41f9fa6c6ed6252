"""How long an engine may take over one call, and what becomes of a call that is given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from mynah.errors import EngineError, StageTimeout
from mynah.loop import begin, wake
from mynah.timeline import now

log = logging.getLogger(__name__)
T = TypeVar("T")

LET_GO_S: Final = 2.0
"""How long an engine may take to let go of a call that was given up; after that it is left behind."""

HAND_OVER_S: Final = 0.05
"""How long whoever goes on without an engine waits for it to let go: a listener is waiting, and most take no time."""

SLICE_S: Final = 0.1
"""How often a clock is looked at that is not armed yet, or when nobody waits."""

GRAIN_S: Final = 0.001
"""How exactly limits are kept."""


@dataclass(slots=True)
class Meter:
    """What a call spent inside an engine: `total_ms` in all; the last wait from `began` to `ended` (monotonic s).

    `troubles` says of each engine that was tried or passed over before `engine` why it did not answer, as
    "name: reason". With `since`, `total_ms` has only what came after the moment that it returns, once it returns one.
    `kept` says that what `engine` gave was not made now, but kept from before; `calls` counts the engines called.
    """

    engine: str = ""
    calls: int = 0
    total_ms: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    troubles: list[str] = field(default_factory=list)
    since: Callable[[], float | None] | None = None
    kept: bool = False

    def add(self, began: float, ended: float) -> None:
        """Count one wait."""
        self.began, self.ended = began, ended
        if self.since is not None:
            since = self.since()
            began = ended if since is None else min(max(began, since), ended)
        self.total_ms += (ended - began) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long an engine may take for its first output and for each further one, in seconds."""

    first: float
    following: float

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Limits:
        """Return the limits that an engine's entry in the configuration sets."""
        return cls(first=entry["first_timeout"], following=entry["next_timeout"])


async def close(outputs: AsyncIterator[Any]) -> None:
    """Close an engine's generator; an iterator of another kind is left as it is."""
    aclose = getattr(outputs, "aclose", None)
    if aclose is not None:
        await aclose()


class closing(Generic[T]):
    """Close an engine's generator at the end; an iterator of another kind is left as it is.

    A class, as every output of a turn passes several of them: a generator of its own for each would cost more than it.
    """

    __slots__ = ("_outputs",)

    def __init__(self, outputs: AsyncIterator[T]) -> None:
        self._outputs = outputs

    async def __aenter__(self) -> AsyncIterator[T]:
        return self._outputs

    async def __aexit__(self, *exc: object) -> None:
        await close(self._outputs)


class Slots:
    """How many calls of an engine may be under way at once; None: any number."""

    def __init__(self, most: int | None) -> None:
        self.limited = bool(most)
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

    All of them may take `total` seconds. `armed`, where given, says whether the clock runs yet: a recogniser owes
    nothing before the utterance has ended. Once armed it stays so.
    The engine runs in a task of its own, which begins at once, one output ahead of the consumer: it need not wait while
    what it gave is being dealt with. One that fails to let go of a call that was given up is left behind; its task is
    kept in `strays` until it ends. The call has one of the `slots`, and gives it back when it is closed, which it must
    be.
    """

    def __init__(
        self, outputs: AsyncIterator[T], limits: Limits, total: float, armed: Callable[[], bool] | None, meter: Meter,
        strays: set[asyncio.Task[Any]], slots: Slots,
    ) -> None:  # fmt: skip
        self._outputs = outputs
        self._limits = limits
        self._limit = limits.first
        self._total = self._left = total
        self._armed = armed
        self._runs = armed is None  # the clock
        self._since: float | None = None  # when it began to be waited; None: nobody waits
        self._late = ""
        self._meter = meter
        self._engine = meter.engine  # the meter's may be another one by the time this one has let go
        self._strays = strays
        self._slots = slots
        self._patience = HAND_OVER_S  # whoever closes it goes on from here
        self._asked_at = 0.0
        self._given_up = False
        self._given: list[tuple[T, float, float]] = []  # with when it was asked for, and when it came
        self._nothing = True
        self._taken: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._clock: asyncio.Handle = self._loop.call_soon(self._look)
        self._task = begin(self._ask())
        self._task.add_done_callback(lambda _: wake(self._waiter))

    def __aiter__(self) -> LimitedCall[T]:
        return self

    async def __anext__(self) -> T:
        """Return the next output. Raises `StageTimeout` past a limit, and whatever the engine raises."""
        while not self._given:
            if self._task.done():
                self._check()
                raise StopAsyncIteration
            if self._late:
                raise StageTimeout(self._late)
            self._since, self._waiter = now(), self._loop.create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self._patience = LET_GO_S  # nobody goes on: who was cancelled has time
                raise
            if self._runs and self._given:
                self._left -= max(0.0, self._given[0][2] - self._since)
            self._since = None
        if self._late:  # it came in the last moment
            self._late = ""
            self._look()
        self._limit, self._nothing = self._limits.following, False
        wake(self._taken)
        output, asked, came = self._given.pop()
        self._meter.add(asked, came)
        return output

    async def aclose(self) -> None:
        """Give the call up if it goes on, and its slot back."""
        task, leaving = self._task, []
        self._clock.cancel()
        try:
            if not task.done():
                self._count()
                self._given_up = True
                task.cancel()
                leaving.append(task)
                await self._let_go(task)
            elif not task.cancelled():
                task.exception()  # it may have failed in the moment in which the consumer went away: nobody asks then
        finally:
            self._slots.release(leaving)

    async def _ask(self) -> None:
        """Be the engine's task: hand on one output after the other, each when the one before was taken."""
        outputs = self._outputs
        try:
            while True:
                asked = self._asked_at = now()
                try:
                    output = await anext(outputs)
                except StopAsyncIteration:
                    return
                came, self._asked_at = now(), 0.0
                if self._given_up:
                    return  # an engine that did not let go at once, but goes on
                if self._given:
                    self._taken = self._loop.create_future()
                    await self._taken
                self._given.append((output, asked, came))
                wake(self._waiter)
        finally:
            self._count()
            await close(outputs)

    def _count(self) -> None:
        """Count what was waited for the engine since it was asked; of what it gives that is done when it is taken."""
        if self._asked_at:
            self._meter.add(self._asked_at, now())
            self._asked_at = 0.0

    def _look(self) -> None:
        """Look at the clock, and again when the next limit may be due: one timer, however many outputs there are."""
        if not self._runs and self._armed is not None and self._armed():
            self._runs = True
            self._since = now() if self._since is not None else None
        if not self._runs:
            pause = SLICE_S
        else:
            pause = max(min(self._limits.following, self._left), SLICE_S)  # of a wait that may begin meanwhile
            if self._since is not None:
                limit, waited = min(self._limit, self._left), now() - self._since
                if waited >= limit:
                    after = " after the end of speech" if self._armed else ""
                    in_all = f"took more than {self._total:g} s in all"
                    self._late = in_all if self._left < self._limit else f"gave nothing for {limit:g} s{after}"
                    wake(self._waiter)
                    return
                pause = min(pause, limit - waited)
        # A pause that is too short for the clock to notice would never end.
        self._clock = self._loop.call_later(max(pause, GRAIN_S), self._look)

    def _check(self) -> None:
        """Raise what ended the engine's task, if anything did."""
        if self._task.cancelled():
            raise EngineError("something that it waited for was cancelled")
        if (error := self._task.exception()) is not None:
            raise error
        if self._nothing:
            raise EngineError("ended without an answer")

    async def _let_go(self, task: asyncio.Task[None]) -> None:
        """Wait for the end of `task`, but not for long; what takes longer goes on by itself."""
        self._strays.add(task)
        warning = asyncio.get_running_loop().call_later(LET_GO_S, self._warn)
        task.add_done_callback(lambda _: warning.cancel())
        task.add_done_callback(self._forget)
        await asyncio.wait((task,), timeout=self._patience)

    def _warn(self) -> None:
        log.warning("%s does not let go of a call that was stopped; it is left behind", self._engine)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._strays.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The call is over, so that this is nobody's failure any more.
            log.debug("%s failed while it let go of a call", self._engine, exc_info=error)
