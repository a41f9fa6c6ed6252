"""`mynah bench automations`: that it measures what it says. Its figures are for a machine that does nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mynah_automation import benchmark


@dataclass(frozen=True)
class Plan:
    folder: Path
    runs: int = 1
    sessions: tuple[int, ...] = (1,)


async def test_no_trigger_is_lost_and_the_first_action_is_timed(tmp_path, monkeypatch):
    for name, value in {"SECONDS": 0.2, "WARM_S": 0.1, "AUTOMATIONS": 50}.items():
        monkeypatch.setattr(benchmark, name, value)
    (row,) = await benchmark.measure(Plan(tmp_path))
    assert (row["automations"], row["events_a_second"], row["sent"], row["lost"]) == (50, 5_000, 1_000, 0)
    assert 0 < row["p50_ms"] <= row["p99_ms"]


@pytest.mark.long
async def test_five_thousand_events_a_second_begin_their_first_action_within_five_milliseconds(tmp_path):
    (row,) = await benchmark.measure(Plan(tmp_path))
    assert row["lost"] == 0
    assert row["p99_ms"] <= row["p99_limit_ms"]
