"""`mynah bench wires`: a row for each figure that was promised."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mynah_dialects.bench import SPEC

PROMISED = (
    "A first audio byte after the text", "A reply of three phrases",
    "A single phrase: last byte after the engine's last",
    "A 60 kB handed to a speaker that takes it", "A conversion where the speaker takes the engine's format",
    "A feedback after the first chunk", "B transcript after speech", "B memory per active session",
    "B sessions at once", "C feedback", "C whole request", "C progress updates", "D first audio", "E first token",
    "E first word", "E first audio",
)  # fmt: skip


@pytest.mark.long
async def test_every_figure_is_measured(tmp_path):
    rows = {row["measure"]: row for row in await SPEC.run(SimpleNamespace(runs=2, sessions=(1,), folder=tmp_path))}
    assert set(PROMISED) <= set(rows)
    assert {row["met"] for row in rows.values()} <= {"yes", "no"}
    # What is no matter of time does not depend on the machine's other work.
    assert rows["A conversion where the speaker takes the engine's format"]["untouched"]
    assert (rows["B sessions at once"]["usual"], rows["B sessions at once"]["configured"]) == (10, 200)
    assert rows["C progress updates"]["updates"] == 6
    assert rows["B memory per active session"]["mb_each"] < 15
