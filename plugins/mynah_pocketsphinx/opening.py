"""The beginning of an utterance: held back until enough of it sounds to tell how the microphone does."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from operator import mul
from typing import Final

FRAME: Final = 640
"""Bytes of 20 ms at 16 kHz."""
BEFORE: Final = 10
"""Frames that are kept before the first sound."""
ENOUGH: Final = 50
"""Frames from the first sound on that are enough."""
QUIET: Final = 30.0
"""The loudness, as root mean square of 16-bit samples, that silence does not reach: -61 dB of full scale."""
ABOVE: Final = 2.5
"""How many times as loud as the quietest frame (8 dB) a sound is."""
LASTING: Final = 3
"""Frames in a row that make a sound; fewer are a click."""
LONGEST: Final = 500
"""Frames that are looked back on; older silence is forgotten."""


class Opening:
    """Collects 16 kHz mono PCM; `audio` begins shortly before the first sound, where there is one."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._levels: list[float] = []

    def add(self, audio: bytes) -> None:
        """Take some audio."""
        self._audio += audio
        while (len(self._levels) + 1) * FRAME <= len(self._audio):
            at = len(self._levels) * FRAME
            self._levels.append(loudness(self._audio[at : at + FRAME]))
        if len(self._levels) > LONGEST and self._onset() is None:
            del self._audio[: BEFORE * FRAME], self._levels[:BEFORE]

    @property
    def complete(self) -> bool:
        """Whether there is enough of it."""
        return len(self._levels) >= ENOUGH and (onset := self._onset()) is not None and self._after(onset) >= ENOUGH

    @property
    def silent(self) -> bool:
        """Whether nothing in it could be a voice."""
        return max(self._levels, default=0) < QUIET

    @property
    def audio(self) -> bytes:
        """What was collected, without the silence before the first sound."""
        return bytes(self._audio[max(0, (self._onset() or 0) - BEFORE) * FRAME :])

    def _after(self, frame: int) -> int:
        return len(self._levels) - frame

    def _onset(self) -> int | None:
        return onset(self._levels)


def loudness(frame: bytes | bytearray) -> float:
    """Return the root mean square of 16-bit samples around their mean."""
    samples = array("h", bytes(frame))
    if sys.byteorder == "big":
        samples.byteswap()
    mean = sum(samples) / len(samples)
    power = sum(map(mul, samples, samples)) / len(samples) - mean * mean
    return math.sqrt(max(0.0, power))


def onset(levels: Sequence[float]) -> int | None:
    """Return the frame in which the first sound begins that lasts, or None where nothing stands out."""
    if not levels:
        return None
    threshold = max(QUIET, ABOVE * min(levels))
    run = 0
    for number, level in enumerate(levels):
        run = run + 1 if level > threshold else 0
        if run == LASTING:
            return number - LASTING + 1
    return None
