"""What the log was told lately: others must not be able to fill it."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

REPEAT_S: Final = 60.0
"""How often the same is logged."""


class Said:
    """What was logged lately, so that it is not logged again at once."""

    def __init__(self, maxsize: int = 256) -> None:
        self._times: OrderedDict[str, float] = OrderedDict()
        self._maxsize = maxsize

    def lately(self, what: str) -> bool:
        """Return whether `what` was said within the last minute; if not, it is now."""
        now = time.monotonic()
        if now - self._times.get(what, -REPEAT_S) < REPEAT_S:
            return True
        self._times[what] = now
        self._times.move_to_end(what)
        if len(self._times) > self._maxsize:
            self._times.popitem(last=False)
        return False
