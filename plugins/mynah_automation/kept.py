"""What is kept of states across restarts: one file in the data folder, written beside what else is done."""

from __future__ import annotations

import asyncio
import contextlib
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

LATER_S: Final = 30.0
"""The same for what is no great loss, such as when an automation was last triggered."""


class Kept:
    """States in a file; `put` notes one, `run` writes what was noted."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._states: dict[str, State] = {}
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
        self._states = dict(found)
        return found

    def put(self, entity_id: str, state: State | None, *, soon: bool = True) -> None:
        """Keep a state, or no longer; what need not be `soon` may take half a minute."""
        if state is None:
            self._states.pop(entity_id, None)
        else:
            self._states[entity_id] = state
        self._version += 1
        if soon:
            self._changed.set()

    async def run(self) -> None:
        """Write what changes until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LATER_S):
                    await self._changed.wait()
            self._changed.clear()
            if self._version > self._written:
                await asyncio.to_thread(self._write, self._version, dict(self._states))
            await asyncio.sleep(PAUSE_S)

    def close(self) -> None:
        """Write what was not written yet."""
        self._write(self._version, self._states)

    def _write(self, version: int, states: Mapping[str, State]) -> None:
        fresh = self._file.with_suffix(".new")
        # A thread that was not waited for may still write, or only begin to, when the last word is written.
        with self._writing:
            if version <= self._written:
                return
            self._written = version
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                fresh.write_text(_text(states), encoding="utf-8")
                fresh.replace(self._file)
            except OSError as error:
                log.warning("%s cannot be written: %s", self._file, error)


def _text(states: Mapping[str, State]) -> str:
    data = {entity_id: dict(plain_state(state)) for entity_id, state in states.items()}
    for each in data.values():
        del each["entity_id"]
    return json.dumps(data, ensure_ascii=False, default=str)


def plain_state(state: State) -> Mapping[str, Any]:
    """Return a state as plain data."""
    return {"entity_id": state.entity_id, "state": state.state, "attributes": dict(state.attributes),
            "last_changed": state.last_changed, "last_updated": state.last_updated}  # fmt: skip
