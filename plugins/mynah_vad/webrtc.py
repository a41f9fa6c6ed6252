"""WebRTC's voice activity detector: tiny and quick, but it takes steady noise, music and clicks for speech.

Alone it says yes for 160 ms after a click, for the first tenth of a second of any noise, and to every fan. So a frame
must also stand out above the noise floor, which is the lowest level heard lately: quick to fall, slow to rise.
"""

from __future__ import annotations

import math
from array import array
from typing import Any, Final

from mynah import LISTENING

FRAME_MS: Final = 20
SMOOTHED_OVER: Final = 3
ABOVE_FLOOR: Final = 1.6
FLOOR_RISE: Final = 1.005
"""A frame is speech at 4 dB above the floor; the floor rises by 2 dB a second. Found by trying: recordings of people
at signal-to-noise ratios of 5 to 70 dB lose little, and white noise, tones and clicks are not heard any more."""
QUIETEST: Final = 4.0


class WebrtcDetector:
    """One microphone's state. The detector says yes or no; the probability is the share of yes in the last 3 frames."""

    def __init__(self, aggressiveness: int = 1) -> None:
        self.frame_bytes = LISTENING.pcm_bytes(FRAME_MS)
        self._aggressiveness = aggressiveness
        self._vad: Any
        self._recent: tuple[bool, ...]
        self._floor: float
        self.reset()

    def feed(self, frame: bytes) -> float:
        """Return the probability, 0 to 1, that `frame` (20 ms) holds speech."""
        level = max(_level(frame), QUIETEST)
        self._floor = min(level, self._floor * FLOOR_RISE)
        # The detector is asked in any case, as it learns from every frame.
        speech = bool(self._vad.is_speech(frame, LISTENING.rate)) and level > self._floor * ABOVE_FLOOR
        self._recent = (*self._recent[1:], speech)
        return sum(self._recent) / SMOOTHED_OVER

    def reset(self) -> None:
        """Forget what was heard, the picture of the noise included."""
        import webrtcvad

        self._vad = webrtcvad.Vad(self._aggressiveness)
        self._recent = (False,) * SMOOTHED_OVER
        self._floor = math.inf


def _level(frame: bytes) -> float:
    """Return the root mean square of every fourth sample, which is as good and four times as cheap."""
    samples = array("h", frame)[::4]
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


class WebrtcActivity:
    """The engine: a detector for each microphone."""

    def __init__(self, aggressiveness: int = 1) -> None:
        self._aggressiveness = aggressiveness

    def detector(self) -> WebrtcDetector:
        """Return a fresh state for one microphone."""
        return WebrtcDetector(self._aggressiveness)
