"""What the hub adds to its engines, measured: only in `make test-long`, and best on a machine that is idle."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = Path(__file__).with_name("measure.py")


@pytest.fixture(scope="module")
def measured():
    done = subprocess.run([sys.executable, str(MEASURE), "--json"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return {row["scenario"]: row for row in json.loads(done.stdout)}


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "figure", "limit"),
    [
        ("first audio, scripted", "own_p50_ms", 10),
        ("first token, scripted", "own_p50_ms", 10),
        ("feedback on the first chunk", "own_p50_ms", 10),
        ("three phrases of 3 s, unpaced", "ratio", 1.05),
        ("first audio, embedded engines", "own_p50_ms", 15),
        ("memory of a session, 10 to 110", "idle_mb", 1),
        ("memory of a session, 10 to 110", "talking_mb", 15),
        ("hub on embedded engines", "healthy_s", 2),
        ("start", "idle_mb", 150),
    ],
)
def test_a_figure_is_within_its_limit(measured, scenario, figure, limit):
    assert measured[scenario][figure] <= limit, measured[scenario]
