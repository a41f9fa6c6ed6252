"""When the next decode is due. Times are in seconds of the utterance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAUSE_S: Final = 0.25
"""A silence of this length after speech may be the end of it: decoding at once has the text ready when it is."""
TAIL_S: Final = 0.2
"""How much after the last frame that holds speech a decode must go on for the speech to be whole in it."""
BEFORE_S: Final = 0.3
"""What is kept before speech: a soft beginning is recognised late."""
LONG_PAUSE_S: Final = 3.0
"""After this, what was said before is complete."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Where the voice detector heard speech: from `first` to `last`; None before there was any."""

    first: float | None = None
    last: float = 0.0


class Pace:
    """Windows of `window_s` set it: a first decode after one of them, then one for each `step_s` of new audio."""

    def __init__(self, window_s: float, step_s: float) -> None:
        self._window = window_s
        self._step = step_s
        self._decoded: float | None = None

    def due(self, now: float, speech: Speech) -> bool:
        """Return whether to decode, where the audio goes on to `now`: never without new speech."""
        if speech.first is None or self.covers(speech):
            return False
        if now - speech.last >= PAUSE_S:
            return True
        if self._decoded is None:
            return now - speech.first >= self._window
        return now - self._decoded >= self._step

    def decoded(self, end: float) -> None:
        """Note that the audio was decoded up to `end`."""
        self._decoded = end

    def covers(self, speech: Speech) -> bool:
        """Return whether all speech was decoded, so that nothing is left to do."""
        return self._decoded is not None and self.reaches(self._decoded, speech)

    @staticmethod
    def reaches(end: float, speech: Speech) -> bool:
        """Return whether all speech is in audio that goes on to `end`."""
        return end >= speech.last + TAIL_S

    def paused(self, now: float, speech: Speech) -> bool:
        """Return whether what was said before is complete and was decoded."""
        return self.covers(speech) and now - speech.last >= LONG_PAUSE_S
