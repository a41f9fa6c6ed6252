"""What is kept of states across restarts: one file in the data folder, written beside what else is done."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mynah import State

log = logging.getLogger(__name__)

PAUSE_S: Final = 1.0
"""How long changes are collected before they are written."""


class Kept:
    """States in a file; `put` notes one, `run` writes what was noted."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._states: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Event()
        self._version = 0
        self._written = 0
        self._writing = threading.Lock()

    def load(self) -> dict[str, State]:
        """Return what was kept; nothing where the file is missing or damaged."""
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
            found = {entity_id: State(entity_id, **each) for entity_id, each in data.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("%s cannot be read, so that helpers begin anew: %s", self._file, error)
            return {}
        self._states = data
        return found

    def put(self, entity_id: str, state: State | None) -> None:
        """Keep a state, or no longer."""
        if state is None:
            self._states.pop(entity_id, None)
        else:
            told = plain_state(state)
            self._states[entity_id] = {key: value for key, value in told.items() if key != "entity_id"}
        self._version += 1
        self._changed.set()

    async def run(self) -> None:
        """Write what changes until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.to_thread(self._write, *self._text())
            await asyncio.sleep(PAUSE_S)

    def close(self) -> None:
        """Write what was not written yet."""
        self._write(*self._text())

    def _text(self) -> tuple[int, str]:
        return self._version, json.dumps(self._states, ensure_ascii=False, default=str)

    def _write(self, version: int, text: str) -> None:
        fresh = self._file.with_suffix(".new")
        # A thread that was not waited for may still write, or only begin to, when the last word is written.
        with self._writing:
            if version <= self._written:
                return
            self._written = version
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                fresh.write_text(text, encoding="utf-8")
                fresh.replace(self._file)
            except OSError as error:
                log.warning("%s cannot be written: %s", self._file, error)


def plain_state(state: State) -> Mapping[str, Any]:
    """Return a state as plain data."""
    return {"entity_id": state.entity_id, "state": state.state, "attributes": dict(state.attributes),
            "last_changed": state.last_changed, "last_updated": state.last_updated}  # fmt: skip
