"""Rate limits: a server that says when to come again is not asked before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from mynah import EngineError

SOON_S: Final = 1.0
"""A pause that is waited for in the middle of a turn; after a longer one the next engine is better."""

LONGEST_S: Final = 3600.0
"""The longest pause that is believed."""


class Pace:
    """When a server may be asked again. `clock` gives monotonic seconds."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._until = 0.0

    def wait(self) -> float:
        """Return the seconds to wait before the server may be asked; raise `EngineError` where that is too long."""
        left = self._until - self._clock()
        if left > SOON_S:
            raise EngineError(f"{self._title}: too many requests; it may be asked again in {_seconds(left)}")
        return max(left, 0.0)

    def pause(self, seconds: float) -> None:
        """Ask no more for `seconds`."""
        self._until = max(self._until, self._clock() + min(seconds, LONGEST_S))


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that an answer of this status asks for (RFC 9110, 10.2.3), or None."""
    if status not in (429, 503):
        return None
    try:
        # OpenAI's own header, for pauses below a second.
        if "retry-after-ms" in headers:
            return _sane(float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after", "").strip()
        return _sane(float(text)) if text[:1].isdigit() else _until(text)
    except ValueError:
        return None


def again(seconds: float) -> str:
    """Say when a server may be asked again."""
    return f"it may be asked again in {_seconds(min(seconds, LONGEST_S))}"


def _until(text: str) -> float | None:
    if not text:
        return None
    when = parsedate_to_datetime(text)
    return _sane((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _sane(seconds: float) -> float | None:
    return min(seconds, LONGEST_S) if seconds >= 0 else None  # NaN is not


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
