"""What scripted engines wrote down of their calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mynah.errors import MynahError


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its text, when it began and ended (seconds of `time.monotonic`), and its time inside the engine.

    `took_ms[n]` is how long the engine had worked, all in all, when its output `n` came.
    """

    text: str
    began: float
    ended: float
    took_ms: Sequence[float]


class Calls:
    """The calls of the scripted engines of one hub."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, engine: str) -> list[Call]:
        """Return the calls of an engine that have ended, in that order."""
        file = self._folder / engine / "calls.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [Call(**json.loads(line)) for line in lines]

    def by_word(self, engine: str) -> dict[str, list[Call]]:
        """Return the calls of an engine by each word of their texts."""
        found: dict[str, list[Call]] = {}
        for call in self.of(engine):
            for word in {part.strip(",.?!") for part in call.text.split()}:
                found.setdefault(word, []).append(call)
        return found


def scripts_folder() -> Path:
    """Return a folder of plugins: the scripted engines `script_stt`, `script_llm` and so on, which note their calls."""
    return Path(__file__).with_name("scripts")


def took(call: Call, outputs: int) -> float:
    """Return what `call` took up to its output number `outputs`, from 1. Raises `MynahError` where it gave fewer."""
    if len(call.took_ms) < outputs:
        raise MynahError(f"a scripted engine gave {len(call.took_ms)} outputs for {call.text!r}, not {outputs}")
    return call.took_ms[outputs - 1]
