"""Tasks that take their first step at once, in the step of whoever makes them."""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task  # which asyncio documents for tasks of other makes
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


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
        if self._ended is not None:
            raise self._ended
        return self._waits_for

    def throw(self, *error: Any) -> Any:
        """Go on with an error. Before the task's first step that is a cancellation, of what is waited for if it can be.

        What has ended cannot be stopped any more.
        """
        waited = self._waits_for
        if not self._told and self._ended is None and not (asyncio.isfuture(waited) and waited.cancel()):
            self.step(self._coroutine.throw, *error)
        if not self._told:
            return self.send(None)
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """Close the coroutine."""
        self._coroutine.close()

    def __getattr__(self, name: str) -> Any:
        """Be shown as the coroutine is."""
        return getattr(self._coroutine, name)

    def __await__(self) -> Any:
        """Be no more than what a task runs."""
        raise TypeError("a coroutine that has begun belongs to its task")
