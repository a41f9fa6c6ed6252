"""The component that writes down what was said, and the route that reads it.

They share nothing but a file in the data folder: so it is still there after a restart.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mynah import Heard, Hub

FILE = "parrot.txt"


async def remember(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Write the last sentences that anybody said to a file, until cancelled."""
    file = hub.folder / FILE
    said = deque(await asyncio.to_thread(read, file), maxlen=config["remember"])
    with hub.bus.subscribe(Heard, name="parrot") as events:
        ready()
        async for event in events:
            said.append(" ".join(event.text.split()))
            await asyncio.to_thread(write, file, tuple(said))


async def show(hub: Hub, request: Any) -> Mapping[str, Any]:
    """Tell what was said, the last one last."""
    return {"said": await asyncio.to_thread(read, hub.folder / FILE)}


def read(file: Path) -> list[str]:
    """Return the lines of a file, or none where there is no such file."""
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def write(file: Path, lines: tuple[str, ...]) -> None:
    """Replace a file at once, so that nobody reads half of it."""
    fresh = file.with_suffix(".new")
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    fresh.replace(file)
