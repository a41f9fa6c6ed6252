"""The event loop that everything runs on."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")

TURNS: Final = 2
"""Turns of the loop from a question to the call of its language model, and from a phrase to the call of its voice."""


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on uvloop, which doubles the sessions a core carries, or where it is missing on asyncio's own loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def give_way(callback: Callable[[], object], turns: int = TURNS) -> None:
    """Call back some turns of the loop later: what nobody is in a hurry for gives way to what a listener waits for.

    It costs one small call a turn, where a task that sleeps costs ten.
    """
    loop = asyncio.get_running_loop()
    if turns:
        loop.call_soon(give_way, callback, turns - 1)
    else:
        loop.call_soon(callback)


def wake(waiter: asyncio.Future[None] | None) -> None:
    """Let go on who awaits `waiter`, if anybody does: a fifth of the steps of an `asyncio.Event`, for one to wait."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def stand_back() -> None:
    """Go on some turns of the loop later: whom others wait for goes first with what was just given."""
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    give_way(partial(wake, waiter))
    await waiter


def settle() -> None:
    """Leave what a start has made out of the garbage collector's rounds, and have it make them more rarely.

    By default it comes round every 700 new objects, several times on the way to a first audio; and what a hub makes is
    freed without it, but for the odd circle. For a process that runs one hub and nothing else.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
