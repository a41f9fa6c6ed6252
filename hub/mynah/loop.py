"""The event loop that everything runs on."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
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
