"""The hub's clock, as clients see it."""

from __future__ import annotations

import time


def hub_ms() -> float:
    """Return milliseconds of a clock that never jumps; only differences and `start_at` have a meaning."""
    return time.monotonic() * 1000
