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


def settle() -> None:
    """Leave what a start has made out of the garbage collector's rounds, and have it make them more rarely.

    By default it comes round every 700 new objects, several times on the way to a first audio; and what a hub makes is
    freed without it, but for the odd circle. For a process that runs one hub and nothing else.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
