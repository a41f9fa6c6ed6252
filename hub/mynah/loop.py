"""The event loop that everything runs on, and what makes its tasks fast."""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio.tasks import _enter_task, _leave_task  # which asyncio documents for tasks of other makes
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on uvloop, which doubles the sessions a core carries, or where it is missing on asyncio's own loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def begin(
    coroutine: Coroutine[Any, Any, T], create_task: Callable[..., asyncio.Task[T]] | None = None
) -> asyncio.Task[T]:
    """Return a task that has come to the first place where `coroutine` waits; `create_task` makes it.

    A task made otherwise begins when the loop comes round, after all that is ready before it. For what a listener waits
    for that is a delay at every stage, and the longer the more people talk. (Python 3.12 has such tasks, but begins
    them before their maker has them, and makes none in a group.)
    """
    loop, maker, context = asyncio.get_running_loop(), asyncio.current_task(), copy_context()
    begun = _Begun(coroutine)
    task = (create_task or loop.create_task)(begun, context=context)
    if maker is not None:
        _leave_task(loop, maker)
    _enter_task(loop, task)
    try:
        context.run(begun.step, coroutine.send, None)
    finally:
        _leave_task(loop, task)
        if maker is not None:
            _enter_task(loop, maker)
    return task


class _Begun(Coroutine[Any, Any, T]):
    """A coroutine whose first step is taken before that of its task, which then gets what came of it."""

    __slots__ = ("_coroutine", "_ended", "_told", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._waits_for: Any = None
        self._ended: BaseException | None = None
        self._told = False

    def step(self, go: Callable[[Any], Any], what: Any) -> None:
        """Take a step; what it waits for then, or how it ended, is told later."""
        try:
            self._waits_for = go(what)
        except BaseException as ended:  # noqa: BLE001  # a result too; both are the task's
            self._ended = ended

    def send(self, value: Any) -> Any:
        """Go on, as the task says; its first step is what was done already."""
        if self._told:
            return self._coroutine.send(value)
        self._told = True
        waits_for, self._waits_for = self._waits_for, None
        if self._ended is None:
            return waits_for
        try:
            raise self._ended
        finally:
            self._ended = None  # or it would hold on to itself, by its traceback

    def throw(self, *error: Any) -> Any:
        """Go on with an error. Before the task's first step that is a cancellation, of what is waited for if it can be.

        What has ended cannot be stopped any more.
        """
        try:
            if self._told:
                return self._coroutine.throw(*error)
            waited = self._waits_for
            if self._ended is None and not (asyncio.isfuture(waited) and waited.cancel(*error[0].args[:1])):
                self.step(self._coroutine.throw, *error)
            del waited
            return self.send(None)
        finally:
            del error  # or it would hold on to itself, by its traceback

    def close(self) -> None:
        """Close the coroutine."""
        self._coroutine.close()

    def __getattr__(self, name: str) -> Any:
        """Be shown as the coroutine is."""
        return getattr(self._coroutine, name)

    def __await__(self) -> Any:
        """Be no more than what a task runs."""
        raise TypeError("a coroutine that has begun belongs to its task")


def wake(waiter: asyncio.Future[None] | None) -> None:
    """Let go on who awaits `waiter`, if anybody does: a fifth of the steps of an `asyncio.Event`, for one to wait."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def stand_back() -> None:
    """Go on two turns of the loop later: first go those who take what was just given, and then who takes it of them."""
    for _ in range(2):
        await asyncio.sleep(0)


def settle() -> None:
    """Leave what a start has made out of the garbage collector's rounds, and have it make them more rarely.

    By default it comes round every 700 new objects, several times on the way to a first audio; and what a hub makes is
    freed without it, but for the odd circle. For a process that runs one hub and nothing else.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
