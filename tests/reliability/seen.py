"""What was seen in a cell: at the listener's end, in the log, and on the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from reliability.cells import Cell

Lines = list[tuple[float, logging.LogRecord]]
_lines: ContextVar[Lines | None] = ContextVar("lines", default=None)


class Ear(logging.Handler):
    """Keeps warnings and errors of the tasks that were begun here: a task has the context of its maker."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(logging.WARNING)
        self._own = lines

    def emit(self, record: logging.LogRecord) -> None:
        if _lines.get() is self._own:
            self._own.append((time.monotonic(), record))


@contextmanager
def listening_to_log() -> Iterator[Lines]:
    """Give the list that grows by what is logged from here on, in this task and those that it begins."""
    lines: Lines = []
    ear, root = Ear(lines), logging.getLogger()
    root.addHandler(ear)
    token = _lines.set(lines)
    try:
        yield lines
    finally:
        _lines.reset(token)
        root.removeHandler(ear)


@contextmanager
def not_listening() -> Iterator[None]:
    """Keep nothing of what is logged by tasks that begin here."""
    token = _lines.set(None)
    try:
        yield
    finally:
        _lines.reset(token)


@dataclass(slots=True)
class Seen:
    """What was seen; `wrong` should be empty.

    `within_s` is the time from the failure to the next engine's first output, or to the chime; `silent_s` that from the
    question to the first sound, less the limit where it was one that ran out.
    """

    cell: Cell
    heard: str = ""
    end: str = ""
    log: str = ""
    within_s: float = 0.0
    silent_s: float = 0.0
    gap_ms: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note `otherwise` where something does not hold."""
        if not holds:
            self.wrong.append(otherwise)
