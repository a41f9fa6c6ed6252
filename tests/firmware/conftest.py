from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mynah.firmware import firmware_folder
from mynah.testing.simulated import START


@pytest.fixture(scope="session")
def pack():
    """The module firmware/pack.py."""
    spec = importlib.util.spec_from_file_location("mynah_firmware_pack", firmware_folder() / "pack.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def build(pack, tmp_path_factory):
    """The firmware and its simulation, compiled."""
    folder = tmp_path_factory.mktemp("build")
    pack.compile_modules(folder, "x64")
    return folder


@pytest.fixture
def run(tmp_path):
    """Run a program under MicroPython beside the firmware's modules, or a build of them; return what it prints."""

    def program(text: str, *, heap: str = "1M", build: Path | None = None) -> str:
        file = tmp_path / "program.py"
        file.write_text(text)
        path = str(build or ":".join(str(firmware_folder() / part) for part in ("shim", "app", ".")))
        done = subprocess.run(
            [sys.executable, "-c", START, "-X", f"heapsize={heap}", str(file)],
            env={**os.environ, "MICROPYPATH": f"{path}:.frozen", "MYNAH_SIM": str(tmp_path)},
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return program
