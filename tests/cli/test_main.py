"""The program as such: help, version, commands of plugins, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mynah
from mynah.cli import main as program

COMMANDS = (
    "run",
    "ask",
    "demo",
    "check-config",
    "plugins",
    "reload",
    "speakers",
    "say",
    "speaker",
    "sessions",
    "token",
    "bench",
)


def test_without_arguments_it_says_how_it_is_used(cli):
    result = cli()
    assert (result.code, result.out) == (2, "")
    assert "usage: mynah" in result.err
    assert "COMMAND" in result.err


def test_help_lists_every_command_with_what_it_does(cli):
    result = cli("--help")
    assert (result.code, result.err) == (0, "")
    for spec in program.own_commands():
        assert spec.name in result.out
        assert spec.description in " ".join(result.out.split())
    assert {spec.name for spec in program.own_commands()} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(cli, command):
    result = cli(command, "--help")
    assert result.code == 0
    assert f"usage: mynah {command}" in result.out


def test_version(cli):
    assert cli("--version").out == f"mynah {mynah.__version__}\n"


def test_an_unknown_command_is_refused_with_the_known_ones(cli):
    result = cli("fly")
    assert result.code == 2
    assert "'fly'" in result.err
    assert "check-config" in result.err


@pytest.mark.parametrize("arguments", [("ask",), ("ask", "--text", "a", "--audio", "b"), ("plugins", "--jsn")])
def test_wrong_arguments_are_refused(cli, arguments):
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")


@pytest.fixture
def birds(tmp_path, monkeypatch):
    """Install a plugin with commands of its own, one of them with the name of one of Mynah's."""
    info = tmp_path / "site" / "birds-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: birds\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mynah.plugins]\nbirds = birds_plugin\n")
    (tmp_path / "site" / "birds_plugin.py").write_text(
        "from mynah import CommandSpec, MynahError, hookimpl\n"
        "def sing(arguments):\n"
        "    if arguments.song == 'none':\n"
        "        raise MynahError('birds must sing')\n"
        "    print(arguments.song)\n"
        "    return 3\n"
        "def arguments(parser):\n"
        "    parser.add_argument('song')\n"
        "@hookimpl\n"
        "def mynah_commands():\n"
        "    yield CommandSpec(name='sing', run=sing, arguments=arguments, description='Sing.')\n"
        "    yield CommandSpec(name='run', run=sing, description='Run like a bird.')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.usefixtures("birds")
def test_a_plugin_brings_commands(cli):
    result = cli("sing", "tweet")
    assert (result.code, result.out) == (3, "tweet\n")
    assert "Sing." in cli("--help").out


def test_a_plugin_in_a_folder_brings_commands(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("plugins: {folder: own}\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "cuckoo.py").write_text(
        "from mynah import CommandSpec, hookimpl\n"
        "@hookimpl\n"
        "def mynah_commands():\n"
        "    yield CommandSpec(name='cuckoo', run=lambda arguments: 4)\n"
    )
    assert cli("cuckoo").code == 4


def test_a_plugins_command_that_is_broken_breaks_no_other(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("plugins: {folder: own}\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "cuckoo.py").write_text(
        "from mynah import CommandSpec, hookimpl\n"
        "@hookimpl\n"
        "def mynah_commands():\n"
        "    yield CommandSpec(name='cuckoo', run=lambda arguments: 4, arguments=lambda parser: 1 / 0)\n"
    )
    result = cli("--help")
    assert (result.code, result.err) == (
        0,
        "mynah: the command cuckoo cannot be used: ZeroDivisionError: division by zero\n",
    )
    assert "check-config" in result.out


@pytest.mark.usefixtures("birds")
def test_an_error_of_a_plugins_command_is_one_line(cli):
    result = cli("sing", "none")
    assert (result.code, result.out, result.err) == (1, "", "mynah: birds must sing\n")


@pytest.mark.usefixtures("birds")
def test_a_plugin_does_not_replace_a_command_of_the_program(cli):
    assert "Run like a bird" not in cli("--help").out
    assert "--lan" in cli("run", "--help").out


def test_a_keyboard_interrupt_ends_with_the_shells_status(cli, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mynah.cli.plugins.load_plugins", stop)
    assert cli("plugins").code == 130
    monkeypatch.setattr("mynah.cli.main.own_commands", stop)  # while it still starts
    assert cli("plugins").code == 130


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("options", "code"), [(["--json"], 0), ([], 1)])  # the table's library ends with 1
def test_a_reader_that_goes_away_is_told_nothing(options, code):
    process = subprocess.Popen(
        [sys.executable, "-m", "mynah.cli.main", "plugins", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), error) == (code, b"")


def test_the_installed_program_is_this_one():
    program = Path(sys.executable).with_name("mynah")  # beside the interpreter, as nothing need be on PATH
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout == f"mynah {mynah.__version__}\n"
