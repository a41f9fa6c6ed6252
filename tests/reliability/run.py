"""Runs cells: one hub for each engine and stand-by, its cells one after the other, hubs side by side."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import groupby
from pathlib import Path
from typing import Final

from reliability.cells import Cell
from reliability.quiet import Quiet
from reliability.rig import Rig
from reliability.seen import Seen, listening_to_log
from reliability.voices import EdgeRig, OpenAIVoiceRig, WorkerVoiceRig
from reliability.whisper import WhisperRig
from reliability.words import OpenAIHearingRig, OpenAIModelRig

RIGS: Final[Mapping[str, type[Rig]]] = {
    rig.stage: rig for rig in (EdgeRig, OpenAIVoiceRig, WorkerVoiceRig, OpenAIModelRig, OpenAIHearingRig, WhisperRig)
}
CELL_S: Final = 60.0
AT_ONCE: Final = 3
"""Hubs side by side: more would make each other late."""


async def run(cells: Iterable[Cell], at_once: int = AT_ONCE) -> list[Seen]:
    """Return what was seen in each cell, in their order."""
    wanted = [cell for cell in cells if cell.stage in RIGS]
    stages = [list(group) for _, group in groupby(wanted, key=lambda cell: cell.stage)]
    room, quiet = asyncio.Semaphore(at_once), Quiet()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run_stage(stage, room, quiet)) for stage in stages]
    return [seen for task in tasks for seen in task.result()]


async def _run_stage(cells: list[Cell], room: asyncio.Semaphore, quiet: Quiet) -> list[Seen]:
    """Run the cells of one engine; never two hubs with it at once, as they may share a counterpart."""
    found: list[Seen] = []
    async with room:
        for standby, group in groupby(cells, key=lambda cell: cell.standby):
            with tempfile.TemporaryDirectory() as folder, listening_to_log() as lines:
                rig = RIGS[cells[0].stage](standby=standby)
                async with AsyncExitStack() as stack:
                    async with quiet.starting():
                        await stack.enter_async_context(rig.running(Path(folder)))
                    for cell in group:
                        async with quiet.running(), asyncio.timeout(CELL_S):
                            found.append(await rig.see(cell, lines))
    return found
