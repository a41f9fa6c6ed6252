"""How often a client is told of its errors: a flood is counted, not answered one by one."""

from __future__ import annotations

from typing import Final

ALLOWED: Final = 100
WINDOW_S: Final = 10.0


class Complaints:
    """Counts errors in windows of `WINDOW_S` seconds; `ALLOWED` of each are told, the others only summed up."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._count = 0

    def admit(self, now: float) -> bool:
        """Count one error at `now` seconds; return whether the client is told of it."""
        if now - self._began >= WINDOW_S:
            self._began, self._count = now, 0
        self._count += 1
        return self._count <= ALLOWED

    def summary(self, now: float) -> str | None:
        """Return, once, how many errors of a window that is over were not told of; ask before `admit`."""
        untold = self._count - ALLOWED
        if untold <= 0 or now - self._began < WINDOW_S:
            return None
        self._count = 0
        return f"{untold} more errors in {WINDOW_S:g} seconds; only the first {ALLOWED} were answered"
