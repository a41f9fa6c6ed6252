"""A stranger's plugin: installed with pip from its own pyproject.toml, found, listed and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1] / "example_plugin"
CONFIG = """
persona: parrot
engines:
  llm: [{engine: parrot, times: 2}]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which the plugin was installed."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    run_program([*pip, *options, str(PLUGIN)], target)
    return target


def run_program(command: list[str], folder: Path, python_path: Path | None = None) -> str:
    """Run a program in `folder` and return what it printed."""
    paths = [str(python_path)] if python_path else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def mynah(installed, tmp_path):
    """Run a command of the `mynah` program, in a folder of its own, and return what it printed."""
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")

    def run(*arguments: str) -> str:
        return run_program([sys.executable, "-m", "mynah.cli.main", *arguments], tmp_path, installed)

    return run


def test_it_is_listed_with_all_that_it_contributes(mynah):
    listed = {plugin["name"]: plugin for plugin in json.loads(mynah("plugins", "--json"))["plugins"]}
    assert listed["parrot"] == {
        "name": "parrot",
        "origin": "mynah_parrot (mynah-example-parrot 1.0.0)",
        "contributes": [
            {"kind": "action", "name": "parrot_squawk"},
            {"kind": "command", "name": "parrot"},
            {"kind": "component", "name": "parrot"},
            {"kind": "condition", "name": "parrot_remembers"},
            {"kind": "llm engine", "name": "parrot"},
            {"kind": "persona", "name": "parrot"},
            {"kind": "route", "name": "GET /api/v1/parrot"},
            {"kind": "trigger", "name": "parrot_heard"},
        ],
        "error": None,
    }


def test_one_question_is_answered_with_its_engine_and_its_persona(mynah):
    answer = json.loads(mynah("ask", "--text", "Polly wants a cracker", "--json"))
    assert answer["reply"] == "Polly wants a cracker. Polly wants a cracker."
    assert answer["persona"] == "parrot"
    assert answer["outcome"] == "answered"
    assert answer["phrases"]
    assert answer["audio"]["seconds"] > 1


def test_its_options_are_checked_like_those_of_any_engine(mynah, tmp_path):
    assert "llm: parrot" in mynah("check-config")
    (tmp_path / "config.yaml").write_text(CONFIG.replace("times: 2", "tims: 2"), encoding="utf-8")
    with pytest.raises(AssertionError, match="did you mean 'times'"):
        mynah("check-config")


def test_its_command_is_a_command_of_mynah(mynah):
    assert mynah("parrot", "Ahoy!", "--times", "3") == "Ahoy! Ahoy! Ahoy!\n"


def test_its_own_tests_pass_where_it_is_installed(installed, tmp_path):
    pytest_of_its_own = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    place = ["-c", str(PLUGIN / "pyproject.toml"), "--rootdir", str(PLUGIN), str(PLUGIN / "tests")]
    assert "passed" in run_program([*pytest_of_its_own, *place], tmp_path, installed)


def test_its_parts_of_automations_are_checked_like_the_hubs_own(mynah, tmp_path):
    automation = """
automations:
  - alias: Crackers
    triggers: [{trigger: parrot_heard, word: cracker}]
    conditions: [{condition: parrot_remembers, word: cracker}]
    actions:
      - parrot_squawk: {text: Cracker!, times: 3}
"""
    (tmp_path / "config.yaml").write_text(CONFIG + automation, encoding="utf-8")
    assert "fine" in mynah("check-config")
    (tmp_path / "config.yaml").write_text(CONFIG + automation.replace("times: 3", "times: 30"), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"config.yaml:11: .*times: expected a whole number from 1 to 10, got 30"):
        mynah("check-config")
