from __future__ import annotations

import importlib.util
import os
import subprocess

import pytest

from counterparts.simulated_speaker import FIRMWARE, MICROPYTHON


@pytest.fixture(scope="session")
def pack():
    """The module firmware/pack.py."""
    spec = importlib.util.spec_from_file_location("mynah_firmware_pack", FIRMWARE / "pack.py")
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
    """Run a program under MicroPython beside the firmware's modules; return what it prints."""

    def program(text: str, *, heap: str = "1M") -> str:
        file = tmp_path / "program.py"
        file.write_text(text)
        path = ":".join(str(FIRMWARE / part) for part in ("shim", "app", "."))
        done = subprocess.run(
            [str(MICROPYTHON), "-X", f"heapsize={heap}", str(file)],
            env={**os.environ, "MICROPYPATH": f"{path}:.frozen", "MYNAH_SIM": str(tmp_path)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return program
