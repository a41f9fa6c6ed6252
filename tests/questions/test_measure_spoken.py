"""The spoken sets, whole: only in `make test-long`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.long
@pytest.mark.parametrize("name", ["first", "second"])
def test_spoken_questions_reach_their_targets(name):
    command = [sys.executable, str(HERE / "measure_spoken.py"), str(HERE / f"{name}.yaml"), "--misses"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_200)
    assert done.returncode == 0, done.stderr
    counts = {name: int(count) for name, count in re.findall(r"^(\w+): (\d+) of", done.stdout, re.MULTILINE)}
    for voice in ("slt", "rms", "awb"):
        assert counts[voice] >= 45, done.stdout
    assert counts["other"] <= 5, done.stdout
    assert counts["recording"] <= 1, done.stdout
