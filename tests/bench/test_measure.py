"""What the hub adds to its engines, measured: only in `make test-long`, and best on a machine that is idle."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WITHIN_S = 1800


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, "-m", "mynah.cli.main", "bench", "--json"],
        cwd=tmp_path_factory.mktemp("bench"), capture_output=True, text=True, timeout=WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {(row["measure"], row["sessions"]): row for row in json.loads(done.stdout)}


@pytest.mark.long
@pytest.mark.parametrize("sessions", [1, 50])
@pytest.mark.parametrize(
    ("scenario", "figure", "limit"),
    [
        ("first audio, in the hub", "own_p50_ms", 1),
        ("first audio", "over_ms", 10),
        ("first token", "over_ms", 10),
        ("first word", "over_ms", 10),
        ("three phrases", "ratio", 1.05),
        ("first feedback", "own_p50_ms", 10),
        ("first word heard", "own_p50_ms", 10),
        ("interrupt: silence", "max_ms", 50),
        ("interrupt: engines free", "max_ms", 200),
    ],
)
def test_a_figure_of_a_conversation_is_within_its_limit(measured, sessions, scenario, figure, limit):
    row = measured[scenario, sessions]
    assert row[figure] <= limit, row


@pytest.mark.long
@pytest.mark.parametrize(
    ("switch", "least"),
    [("drafts", 500), ("early_phrase", 100), ("acknowledge_after", 50), ("warm_up", 500), ("speech_cache", 100)],
)
def test_what_is_done_to_be_heard_sooner_is_heard(measured, switch, least):
    row = measured[f"latency: without {switch}", 1]
    assert row["gave_ms"] >= least, row


@pytest.mark.long
def test_longer_phrases_are_fewer(measured):
    row = measured["latency: without long_phrases", 1]
    assert row["with_phrases"] < row["phrases"], row


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "sessions", "figure", "limit"),
    [
        ("first audio, embedded engines", 1, "own_p50_ms", 15),
        ("memory of a session", 0, "idle_mb", 1),
        ("memory of a session", 0, "talking_mb", 15),
        ("hub on embedded engines", 0, "healthy_s", 2),
        ("start", 0, "idle_mb", 150),
    ],
)
def test_a_figure_of_the_hub_is_within_its_limit(measured, scenario, sessions, figure, limit):
    row = measured[scenario, sessions]
    assert row[figure] <= limit, row
