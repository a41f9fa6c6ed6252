"""Whisper on a tiny model of one sentence, whose decodes break beneath the plugin's own code."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from types import SimpleNamespace
from typing import Any, Final

import faster_whisper
import pytest

from counterparts.whisper_model import write_model
from mynah.testing import FakeSpeaker, ReceivedTurn
from reliability.cells import Cell
from reliability.rig import WAIT_S
from reliability.words import QUESTION, HearingRig, question

SLOW_S: Final = 3.0
SLOWER_S: Final = 0.1
"""How much longer each decode takes that is slow but in time."""
LOOP: Final = 40


class Breakable:
    """The model in C, of which `generate` breaks from its call number `after` on."""

    def __init__(self) -> None:
        self.fault, self.after, self.calls = "", 0, 0
        self.slow_s = 0.0
        self.let_go = Event()
        self.model: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def generate(self, *inputs: Any, **options: Any) -> Any:
        self.calls += 1
        if not self.fault or self.calls <= self.after:
            return self.model.generate(*inputs, **options)
        if self.fault == "kill":
            raise RuntimeError("the library broke down")
        if self.fault == "hang":
            self.let_go.wait(WAIT_S)
        if self.fault == "drip":
            time.sleep(self.slow_s)
        found = self.model.generate(*inputs, **options)
        if self.fault == "garbage":
            (result,) = found
            text = [token for token in result.sequences_ids[0] if token < 300] * LOOP
            return [SimpleNamespace(sequences_ids=[text], scores=[-0.1], no_speech_prob=0.0)]
        return found


class WhisperRig(HearingRig):
    stage = "whisper stt"
    plugins = ("whisper", "pocketsphinx", "zoo_guide")
    persona = "zoo_guide"

    def __init__(self, *, standby: bool) -> None:
        super().__init__(standby=standby)
        self.model = Breakable()
        self.folder = ""

    @property
    def entry(self) -> Mapping[str, Any]:
        return {
            "engine": "whisper",
            "model": self.folder,
            "device": "cpu",
            "threads": 1,
            "window_s": 0.8,
            "overlap_s": 0.2,
        }

    async def ask(self, speaker: FakeSpeaker) -> ReceivedTurn:
        return await speaker.ask_audio(question(), real_time=True, timeout_s=WAIT_S)

    async def ask_again(self, speaker: FakeSpeaker) -> ReceivedTurn:
        return await speaker.ask_audio(question(), timeout_s=WAIT_S)

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        load = faster_whisper.WhisperModel.__init__

        def load_breakable(model: Any, *inputs: Any, **options: Any) -> None:
            load(model, *inputs, **options)
            self.model.model = model.model
            model.model = self.model

        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            self.folder = str(write_model(Path(folder) / "model", say=QUESTION))
            patch.setattr(faster_whisper.WhisperModel, "__init__", load_breakable)
            yield

    def mend(self) -> None:
        self.model.fault = ""
        self.model.let_go.set()

    def spoil(self, cell: Cell) -> None:
        self.model.let_go.clear()
        self.model.fault, self.model.after, self.model.calls = cell.fault, int(cell.when == "amid"), 0
        self.model.slow_s = SLOWER_S if cell.when == "amid" else SLOW_S
