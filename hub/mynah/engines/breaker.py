"""The circuit breaker of one engine: after failures in a row it rests, and comes back by a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mynah.timeline import now

FAILURES: Final = 3
"""Failures in a row after which an engine rests."""

RETRY_AFTER_S: Final = 10.0
"""How long it rests the first time; twice as long after each probe that fails."""

LONGEST_REST_S: Final = 300.0
"""How long it rests at most, unless its first rest is longer."""


@dataclass(slots=True)
class Breaker:
    """Says whether an engine may be called; told how each call ended.

    Closed: every call goes. Open: none goes until the rest is over. Then half open: one call, the probe, goes, and
    its end closes the breaker or opens it for twice as long. Each call is told of once, by `succeeded`, `failed` or
    `abandoned`, with what `begin` gave.
    """

    failures: int = FAILURES
    retry_after: float = RETRY_AFTER_S
    in_a_row: int = 0
    _pause: float = 0.0
    _due: float = 0.0
    _probes: int = 0

    @property
    def closed(self) -> bool:
        """Whether the engine works as far as is known."""
        return not self._pause

    @property
    def probing(self) -> bool:
        """Whether a call is under way that will tell."""
        return self._probes > 0

    @property
    def due(self) -> float:
        """When the rest is over, on the clock of `mynah.timeline.now`; 0 while closed."""
        return self._due

    @property
    def rests_s(self) -> float:
        """Seconds until a probe is let through; 0 while closed."""
        return max(0.0, self._due - now())

    @property
    def admits(self) -> bool:
        """Whether a call may go now."""
        return not self._pause or (not self._probes and now() >= self._due)

    def begin(self) -> bool:
        """Note that a call begins; return whether it is a probe. One may begin though it is not admitted."""
        probe = bool(self._pause)
        self._probes += probe
        return probe

    def succeeded(self, probe: bool) -> bool:
        """Note a call that went well, which closes the breaker; return whether it was open."""
        self._probes -= probe
        was_open = not self.closed
        self.in_a_row, self._pause, self._due = 0, 0.0, 0.0
        return was_open

    def failed(self, probe: bool) -> bool:
        """Note a call that failed; return whether the engine now begins to rest.

        A call that had begun before the breaker opened tells nothing new.
        """
        self._probes -= probe
        self.in_a_row += 1
        if self.closed:
            if self.in_a_row < self.failures:
                return False
            self._pause = self.retry_after
        elif not probe:
            return False
        elif now() >= self._due:  # else it was called though it rested, for want of another
            self._pause = min(2 * self._pause, max(LONGEST_REST_S, self.retry_after))
        self._due = now() + self._pause
        return True

    def abandoned(self, probe: bool) -> None:
        """Note a call that says nothing of the engine: it was not wanted any more, or its input was at fault."""
        self._probes -= probe

    def reset(self) -> None:
        """Forget all failures: the engine was opened anew. Calls that are under way still tell how they end."""
        self.in_a_row, self._pause, self._due = 0, 0.0, 0.0
