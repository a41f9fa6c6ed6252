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


@pytest.mark.long
@pytest.mark.parametrize(("name", "right"), [("companion", 16), ("study_partner", 19), ("news_host", 14)])
def test_other_personas_can_be_asked_by_voice(name, right):
    command = [
        sys.executable,
        str(HERE / "measure_spoken.py"),
        str(HERE / f"{name}.yaml"),
        "--persona",
        name,
        "--misses",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_200)
    assert done.returncode == 0, done.stderr
    counts = {name: int(count) for name, count in re.findall(r"^(\w+): (\d+) of", done.stdout, re.MULTILINE)}
    assert min(counts[voice] for voice in ("slt", "rms", "awb")) >= right, done.stdout
    assert counts["other"] <= 1, done.stdout
    assert counts["recording"] <= 1, done.stdout
