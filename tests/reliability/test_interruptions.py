"""Interrupted at random moments, with each engine: silence at once, engines let go, and history has what was heard."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from reliability.calm import Control
from reliability.quiet import Quiet
from reliability.stopped_engines import STAGES
from reliability.stopping import Stage, Stop, interruptions

TESTS = Path(__file__).parents[1]
SILENT_MS = 50.0
FREE_S = 0.2
FEW, MANY = 6, 40
AT_ONCE = 8
SLACK_MS = 500.0


pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.long,
]  # limits of time, which a busy machine does not keep


@pytest.fixture(scope="module", autouse=True)
def workers_find_their_voice() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
        yield


async def stopped(kind: type[Stage], folder: Path, count: int, quiet: Quiet, slack_ms: float = 0.0) -> list[Stop]:
    """Interrupt at so many moments: all over what a turn takes, a little random each."""
    chance = random.Random(kind.name)
    moments = [kind.longest_s * (number + chance.random()) / count for number in range(count)]
    stage = kind()
    stage.slack_ms = slack_ms
    return await interruptions(stage, folder, moments, quiet)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def few(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Stop]]:
    """A few interruptions with every engine, in hubs side by side."""
    room, quiet = asyncio.Semaphore(AT_ONCE), Quiet()

    async def one(kind: type[Stage]) -> list[Stop]:
        async with room:
            return await stopped(kind, tmp_path_factory.mktemp(kind.name), FEW, quiet, SLACK_MS)

    found = await asyncio.gather(*(one(kind) for kind in STAGES))
    return {kind.name: stops for kind, stops in zip(STAGES, found, strict=True)}


@pytest.mark.parametrize("kind", STAGES, ids=lambda kind: kind.name)
async def test_an_interruption_ends_the_sound_and_history_has_what_was_heard(
    few: Mapping[str, list[Stop]], kind: type[Stage]
):
    found = few[kind.name]
    assert [stop.wrong for stop in found if stop.wrong] == []
    assert len(found) == FEW


@pytest.mark.parametrize("kind", STAGES, ids=lambda kind: kind.name)
async def test_at_forty_moments_there_is_silence_in_50_ms_and_free_workers_in_200(kind: type[Stage], tmp_path: Path):
    async with Control().watching() as control:
        found = await stopped(kind, tmp_path, MANY, Quiet())

    late_ms, free_s = max(stop.late_ms for stop in found), sorted(stop.free_s for stop in found)
    next_s = sorted(stop.next_s for stop in found)
    nine, slow = int(0.9 * MANY) - 1, control.slowness
    print(f"{kind.name}: silent after {late_ms:.1f} ms; free after {free_s[nine] * 1000:.0f} ms (9 of 10), "
          f"{free_s[-1] * 1000:.0f} ms (all); the next turn heard after {next_s[nine] * 1000:.0f} ms, "
          f"{next_s[-1] * 1000:.0f} ms; a machine {slow:.1f} times slower than a calm one")  # fmt: skip
    assert [stop.wrong for stop in found if stop.wrong] == []
    assert len({stop.heard for stop in found}) > 1, "the moments are all alike"
    assert late_ms <= SILENT_MS * slow
    assert free_s[-1] <= FREE_S * slow
