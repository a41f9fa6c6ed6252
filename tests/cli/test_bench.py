"""`mynah bench`: what it prints, for people and for programs, and what can go wrong with it; nothing timed tightly."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from mynah.bench.codecs import CONVERSIONS
from mynah.bench.crowd import words

KEYS = ("scenario", "measure", "sessions", "critical_ms", "p50_ms", "p95_ms", "own_p50_ms", "own_p95_ms", "ratio")
SHORT = ("--llm", "first=5,each=1", "--tts", "first=2,total=4", "--runs", "2")
PLUGIN = '''
"""A plugin with a scenario of its own."""

from mynah import BenchmarkSpec, MynahError, hookimpl
from mynah.testing import bench_row


async def ring(bench):
    assert bench.folder.is_dir()
    return [bench_row("ring", [1.5] * bench.runs, critical_ms=1.0, sessions=n, ratio_limit=2) for n in bench.sessions]


async def silent(bench):
    raise MynahError("the bell has no clapper")


async def broken(bench):
    return {}["bell"]


@hookimpl
def mynah_benchmarks():
    yield BenchmarkSpec(name="doorbell", run=ring, description="From the ring to the first sound")
    yield BenchmarkSpec(name="dumb-bell", run=silent)
    yield BenchmarkSpec(name="broken-bell", run=broken)
    yield BenchmarkSpec(name="codecs", run=silent)
'''


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program itself: it starts hubs, and its own loop."""
    command = [sys.executable, "-m", "mynah.cli.main", "bench", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def doorbell(folder):
    """Configure a folder of plugins with a scenario in it."""
    (folder / "my_plugins").mkdir()
    (folder / "my_plugins" / "doorbell.py").write_text(PLUGIN, encoding="utf-8")
    (folder / "config.yaml").write_text("plugins: {folder: my_plugins}\n", encoding="utf-8")
    return folder


SCENARIOS = ("first-audio", "feedback", "interrupt", "engines", "codecs")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return what a run of scenarios gave, and the folder that it ran in; they need a hub each."""
    folder = tmp_path_factory.mktemp("bench")
    return run(folder, *SCENARIOS, "--json", "--sessions", "1,3", *SHORT), folder


def measures(rows, scenario, sessions):
    return [row["measure"] for row in rows if (row["scenario"], row["sessions"]) == (scenario, sessions)]


def test_json_is_one_list_of_rows_and_nothing_else(measured):
    result, folder = measured
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    rows = json.loads(result.stdout)
    assert all(tuple(row)[: len(KEYS)] == KEYS for row in rows)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("sessions", [1, 3])
def test_each_number_of_sessions_has_rows_of_its_own(measured, sessions):
    rows = [row for row in json.loads(measured[0].stdout) if row["scenario"] == "first-audio"]
    mine = [row for row in rows if row["sessions"] == sessions]
    assert [row["measure"] for row in mine] == [
        f"first {what}" for what in ("token", "word", "audio", "audio, in the hub")
    ]
    assert [row["critical_ms"] for row in mine[:3]] == [5.0, 6.0, 10.0]
    assert all(0 <= row["own_p50_ms"] <= row["p50_ms"] for row in mine)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("feedback", ["first feedback", "first word heard"]),
        ("interrupt", ["interrupt: silence", "interrupt: told", "interrupt: engines free"]),
        ("engines", ["stt script_stt", "llm script_llm", "tts script_tts"]),
        ("codecs", [f"codec {name}" for name, *_ in CONVERSIONS]),
    ],
)
def test_a_scenario_gives_its_rows(measured, scenario, expected):
    assert measures(json.loads(measured[0].stdout), scenario, 1) == expected


def test_the_configured_engines_are_measured_where_they_are_asked_for(folder, config):
    file = config(llm={"tokens": ["Grass", " and", " leaves", "."]})
    result = run(
        folder, "first-audio", "engines", "--real", "--json", "--sessions", "1", "--runs", "1", "-c", str(file)
    )
    assert (result.returncode, result.stderr) == (0, "")
    rows = {row["measure"]: row for row in json.loads(result.stdout)}
    assert rows.keys() == {
        "first token", "first word", "first audio", "first audio, in the hub",
        "stt script_stt", "llm script_llm", "tts script_tts",
    }  # fmt: skip
    assert rows["first audio"]["own_p50_ms"] is not None
    assert rows["first audio"]["cached_phrases"] == 1  # the reply was the same as to the question that is not counted
    assert rows["llm script_llm"]["through_hub"] is True


def test_no_two_runs_use_the_same_words_so_that_no_cache_has_them():
    first, second = (list(islice(words(), 100)) for _ in range(2))
    assert len({*first, *second}) == 200


def test_people_read_a_table_with_limits(doorbell):
    result = run(doorbell, "doorbell")
    assert (result.returncode, result.stderr) == (0, "")
    heads, first, second, last = result.stdout.splitlines()
    assert heads.split()[:3] == ["measure", "sessions", "critical"]
    assert first.split() == ["ring", "1", "1.0", "1.5", "1.5", "–", "–", "1.500", "≤", "2"]
    assert second.split()[:2] == ["ring", "50"]
    assert "own is what the hub added" in last


def test_what_is_above_its_limit_is_red(cli, doorbell, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    (doorbell / "my_plugins" / "doorbell.py").write_text(PLUGIN.replace("ratio_limit=2", "ratio_limit=1"))
    assert "\x1b[31m" in cli("bench", "doorbell").out


def test_a_scenario_that_fails_is_one_line_and_the_others_are_measured(doorbell):
    result = run(doorbell, "dumb-bell", "broken-bell", "doorbell", "--json", "--sessions", "1")
    assert result.returncode == 1
    assert [row["measure"] for row in json.loads(result.stdout)] == ["ring"]
    assert result.stderr.splitlines() == [
        "mynah: dumb-bell: the bell has no clapper",
        "mynah: broken-bell: KeyError: 'bell'",
    ]


def test_a_plugin_does_not_replace_a_scenario_of_the_hub(cli, doorbell):
    result = cli("bench", "codecs", "--runs", "1", "--json")
    assert (result.code, result.err) == (0, "")
    assert {row["measure"].split()[0] for row in result.json} == {"codec"}


def test_an_unknown_scenario_is_refused_with_the_nearest(cli, doorbell):
    result = cli("bench", "first-adio", "--json")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("mynah: no scenario 'first-adio'; did you mean 'first-audio'? known are first-audio,")
    assert "doorbell" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--llm", "first"], "'first' should read like first=50, in milliseconds"),
        (["--llm", "frist=5"], "'frist=5': known are first, each, from 0 to 60000 ms"),
        (["--tts", "total=-1"], "'total=-1': known are first, total, from 0 to 60000 ms"),
        (["--stt", "final=nan"], "'final=nan': known are final, from 0 to 60000 ms"),
        (["--sessions", "1,x"], "'x' is no number from 1 to 1000"),
        (["--runs", "0"], "'0' is no number from 1 to 1000"),
    ],
)
def test_wrong_arguments_are_refused(cli, arguments, told):
    result = cli("bench", *arguments)
    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_a_hub_that_does_not_start_is_one_clear_line(folder):
    (folder / "config.yaml").write_text("personna: x\n", encoding="utf-8")
    result = run(folder, "first-audio", "--real", "--json")
    assert (result.returncode, json.loads(result.stdout)) == (1, [])
    assert result.stderr.count("\n") == 1
    assert "first-audio: the hub did not start: " in result.stderr
    assert "personna" in result.stderr
