"""Each fault in each stage of a whole hub: what is heard, what is logged, how soon it goes on, and the next turn."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from reliability.cells import MATRIX, QUICK, SERVED, Cell, bound_s
from reliability.run import run
from reliability.seen import Seen
from reliability.table import rows, shown, title, written

TESTS = Path(__file__).parents[1]
SLACK_S = 3.0
"""How much later it may be in the ordinary run, on a machine that does other things as well."""

REPLACED_S = 0.3
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.long,
]  # limits of time, which a busy machine does not keep
CLOUD_VOICES = [cell for cell in MATRIX if cell.stage in SERVED and cell.kind == "tts" and cell.when == "before"]


async def seen_in(cells: tuple[Cell, ...], **how: int) -> Mapping[Cell, Seen]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
        return {seen.cell: seen for seen in await run(cells, **how)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick() -> Mapping[Cell, Seen]:
    """Some of the cells."""
    return await seen_in(QUICK, at_once=6)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole() -> Mapping[Cell, Seen]:
    """All of them."""
    return await seen_in(MATRIX)


@pytest.mark.parametrize("cell", QUICK, ids=str)
async def test_a_fault_is_heard_and_told_as_it_should_be(quick: Mapping[Cell, Seen], cell: Cell):
    assert quick[cell].wrong == []
    assert quick[cell].within_s <= bound_s(cell) + SLACK_S


async def test_the_page_says_what_was_just_seen(quick: Mapping[Cell, Seen]):
    on_page = written()
    for cell, seen in quick.items():
        heard_behind, heard_alone, _, log = on_page[title(cell)]
        assert seen.heard == (heard_behind if cell.standby else heard_alone)
        assert shown(seen.log) == log


async def test_the_page_has_the_whole_matrix():
    faults = {(cell.stage, cell.fault, cell.when) for cell in MATRIX}
    assert len(written()) == len(faults)


@pytest.mark.long
@pytest.mark.parametrize("cell", MATRIX, ids=str)
async def test_every_fault_is_heard_and_told_as_it_should_be_and_soon(whole: Mapping[Cell, Seen], cell: Cell):
    assert whole[cell].wrong == []
    assert whole[cell].within_s <= bound_s(cell)


@pytest.mark.long
@pytest.mark.parametrize("cell", CLOUD_VOICES, ids=str)
async def test_a_cloud_voice_is_replaced_within_300_ms_of_the_refusal_or_of_the_limit(
    whole: Mapping[Cell, Seen], cell: Cell
):
    assert whole[cell].silent_s <= REPLACED_S


@pytest.mark.long
async def test_the_whole_page_says_what_was_just_seen(whole: Mapping[Cell, Seen]):
    assert rows(whole.values()) == written()
