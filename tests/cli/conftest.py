"""The `mynah` program, called as from a shell, on scripted engines in a plugin folder."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mynah.audio import LISTENING, wav_header
from mynah.cli.main import main
from mynah.firmware import firmware_folder

SCRIPT = '''
"""Engines that say where they are and for whom they speak."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from mynah import EngineError, EngineSpec, PersonaSpec, Token, hookimpl
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech


class EchoModel:
    async def reply(self, messages, *, grounding, tools=()):
        context = ", ".join(f"{key} is {value}" for key, value in sorted(grounding.context.items()))
        where = f"where {context}" if context else "somewhere"
        yield Token(f"{grounding.persona} in {grounding.language} heard {messages[-1].content} {where}.")


def spec(name, kind, make, schema):
    @asynccontextmanager
    async def open_engine(config, folder):
        options = dict(config)  # it may be opened again
        await asyncio.sleep(options.pop("open_s", 0))
        if reason := options.pop("broken", ""):
            raise EngineError(f"{name} has no model: {reason}")
        yield make(**options)

    return EngineSpec(name=name, kind=kind, open=open_engine, schema={**schema, "open_s": float, "broken": str})


@hookimpl
def mynah_engines():
    yield spec("script_stt", "stt", ScriptedSpeechToText, {"text": str, "fault": str, "understood": bool})
    yield spec("script_llm", "llm", ScriptedLanguageModel, {"tokens": [str], "fault": str, "at": int})
    yield spec("script_tts", "tts", ScriptedTextToSpeech, {"fault": str, "ms_per_word": float, "total_s": float})
    yield spec("echo", "llm", EchoModel, {})


@hookimpl
def mynah_personas():
    yield PersonaSpec(name="sparrow", title="A sparrow", language="en")
    yield PersonaSpec(name="crow", title="A crow", language="de")
'''


UNUSED = ["companion", "dialects", "news_host", "study_partner", "vad", "zoo_guide"]
"""Plugins that no test of commands is about, and that take long to make ready."""


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object that standard output must be."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "house"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """Run the program in this process; logging is given back as it was."""
    root, own = logging.getLogger(), logging.getLogger("mynah")
    before = list(root.handlers), root.level, own.level

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as end:  # argparse ends so
            code = int(end.code or 0)
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return Result(code, output.out, output.err)

    yield run
    root.handlers[:], root.level, own.level = before


@pytest.fixture
def config(folder: Path) -> Callable[..., Path]:
    """Write config.yaml on scripted engines; `llm={...}` and so on are options of theirs."""

    def write(file: str = "config.yaml", sections: Mapping[str, Any] | None = None, **engines: Any) -> Path:
        plugins = folder / "my_plugins"
        plugins.mkdir(exist_ok=True)
        (plugins / "script.py").write_text(SCRIPT, encoding="utf-8")
        entries = {kind: [{"engine": f"script_{kind}", **engines.get(kind, {})}] for kind in ("stt", "llm", "tts")}
        values = {"plugins": {"folder": "my_plugins", "disabled": UNUSED}, "persona": "sparrow", "engines": entries}
        values |= {"mqtt": {"broker": None}, **(sections or {})}
        path = folder / file
        path.write_text(json.dumps(values), encoding="utf-8")
        return path

    return write


@pytest.fixture
def question(folder: Path) -> Path:
    """A second of something that is not silence, as a WAV file."""
    pcm = b"\x00\x10\x00\xf0" * 8_000
    file = folder / "question.wav"
    file.write_bytes(wav_header(LISTENING, len(pcm)) + pcm)
    return file


@pytest.fixture
def micropython(folder: Path) -> Callable[[str], str]:
    """Run a program under MicroPython beside the firmware's modules; return what it prints."""

    def run(program: str) -> str:
        path = ":".join(str(firmware_folder() / part) for part in ("shim", "app"))
        done = subprocess.run(
            [sys.executable, "-m", "micropython_unix", "-X", "heapsize=1M", "-c", program],
            env={**os.environ, "MICROPYPATH": f"{path}:.frozen", "MYNAH_SIM": str(folder)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
