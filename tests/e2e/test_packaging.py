"""What a wheel holds, and that the lists of plugins agree."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import mynah

ROOT = Path(__file__).parents[2]
BUILD_S = 120
ASK_S = 120


@pytest.fixture(scope="module")
def project() -> Mapping[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S)
    assert done.returncode == 0, done.stderr


def read(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (found,) = [entry for entry in archive.namelist() if entry.endswith(f".dist-info/{name}")]
        return archive.read(found).decode()


def plugin_folders() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))


def sources() -> set[str]:
    files = (path for root in ("hub", "plugins") for path in (ROOT / root).rglob("*") if path.is_file())
    relative = [path.relative_to(ROOT) for path in files]
    modules = {"/".join(path.parts[1:]) for path in relative}
    firmware = {f"mynah/firmware_files/{path.relative_to(ROOT / 'firmware').as_posix()}" for path in firmware_files()}
    return {name for name in modules | firmware if "__pycache__" not in name}


def firmware_files() -> list[Path]:
    return [path for path in (ROOT / "firmware").rglob("*") if path.is_file()]


def contract(project: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    (found,) = [entry for entry in project["tool"]["importlinter"]["contracts"] if entry["type"] == kind]
    return found


def layers(project: Mapping[str, Any]) -> set[str]:
    lines: Sequence[str] = contract(project, "layers")["layers"]
    return {name.strip() for line in lines for name in re.split(r"[|:]", line)}


def test_wheel_holds_every_file_of_hub_plugins_and_firmware_and_no_other(names: frozenset[str]) -> None:
    assert {name for name in names if ".dist-info/" not in name} == sources()


def test_wheel_holds_the_data_that_the_code_reads(names: frozenset[str]) -> None:
    assert "mynah/py.typed" in names
    assert "mynah/cli/question.wav" in names
    assert "mynah_zoo_guide/knowledge/animals.yaml" in names


def test_wheel_holds_no_tests(names: frozenset[str]) -> None:
    assert not [name for name in names if name.startswith("tests/") or "/test_" in name or name.endswith("conftest.py")]


def test_wheel_has_the_version_of_the_package(wheel: Path, project: Mapping[str, Any]) -> None:
    metadata = Parser().parsestr(read(wheel, "METADATA"))

    assert metadata["Name"] == "mynah"
    assert metadata["Version"] == project["project"]["version"] == mynah.__version__


def test_wheel_carries_the_licence(wheel: Path) -> None:
    assert "Apache License" in read(wheel, "licenses/LICENSE")


def test_wheel_has_the_entry_points_of_the_project(wheel: Path, project: Mapping[str, Any]) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(read(wheel, "entry_points.txt"))
    found = {section: dict(parser[section]) for section in parser.sections()}

    assert found == {"console_scripts": project["project"]["scripts"], **project["project"]["entry-points"]}


def test_installed_wheel_answers_a_question_by_itself(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    program = (
        "import mynah, sys; from mynah.cli.main import main\n"
        "assert mynah.__file__.startswith(sys.argv[1]), mynah.__file__\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    question = ["ask", "--text", "What do red pandas eat?", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(target), *question],
        capture_output=True,
        text=True,
        timeout=ASK_S,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "bamboo" in json.loads(done.stdout)["reply"]


def test_installed_wheel_has_the_firmware_and_compiles_it_for_a_chip(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    program = "import sys; from mynah.firmware import firmware_folder; print(firmware_folder())"
    environment = {**os.environ, "PYTHONPATH": str(target)}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment
    )
    folder = Path(found.stdout.strip())
    assert folder == target / "mynah" / "firmware_files", found.stderr
    for arch in ("xtensawin", "rv32imc"):
        subprocess.run(
            [sys.executable, str(folder / "pack.py"), "compile", str(tmp_path / arch), arch], timeout=60, check=True
        )
        assert (tmp_path / arch / "speaker.mpy").stat().st_size > 1000


def test_every_plugin_folder_has_its_entry_point(project: Mapping[str, Any]) -> None:
    expected = {name.removeprefix("mynah_"): name for name in plugin_folders()}

    assert project["project"]["entry-points"]["mynah.plugins"] == expected


def test_import_linter_knows_every_plugin(project: Mapping[str, Any]) -> None:
    plugins = plugin_folders()

    assert sorted(project["tool"]["importlinter"]["root_packages"]) == ["mynah", *plugins]
    assert sorted(contract(project, "independence")["modules"]) == plugins
    assert sorted(contract(project, "forbidden")["source_modules"]) == plugins


def test_every_module_of_the_core_has_a_layer(project: Mapping[str, Any]) -> None:
    core = ROOT / "hub" / "mynah"
    modules = {path.stem for path in core.glob("*.py")} | {path.parent.name for path in core.glob("*/__init__.py")}

    assert layers(project) == {f"mynah.{name}" for name in modules - {"__init__"}}


def test_plugins_see_the_public_packages_of_the_core_only(project: Mapping[str, Any]) -> None:
    closed = set(contract(project, "forbidden")["forbidden_modules"])

    open_to_plugins = {"mynah.audio", "mynah.ports", "mynah.sockets", "mynah.testing", "mynah.errors", "mynah.logs"}
    assert layers(project) - closed <= open_to_plugins
