"""Chimes: two short notes, made in code, for when there are no words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from mynah.audio.formats import AudioChunk, AudioFormat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Chime = Literal["attention", "failure", "alarm"]

NOTES_HZ: Final = {"attention": (659.3, 880.0), "failure": (587.3, 440.0), "alarm": (1318.5, 1046.5)}
"""E5 and A5, rising; D5 and A4, falling; E6 and C6, high and falling."""

NOTE_MS: Final = 340.0
SECOND_AT_MS: Final = 180.0
RISE_MS: Final = 8.0
FALL_MS: Final = 60.0
FADE_S: Final = 0.12
LOUDNESS: Final = 0.3
OVERTONES: Final = ((1.0, 1.0), (2.0, 0.25), (3.0, 0.08))
"""How many times the note's frequency, and how loud."""

CHIME_FORMAT: Final = AudioFormat("pcm_s16le", 24_000, 1)


def chime(kind: Chime, format: AudioFormat = CHIME_FORMAT) -> AudioChunk:
    """Return a soft sound of two notes, rising to call attention, falling where something failed, or high; 520 ms.

    `format` is PCM. Takes a millisecond.
    """
    if not format.is_pcm:
        raise ValueError(f"a chime is made as PCM, not as {format}; convert it")
    import numpy as np

    rate = format.rate
    sound = np.zeros(int((SECOND_AT_MS + NOTE_MS) * rate / 1000))
    for hertz, at_ms in zip(NOTES_HZ[kind], (0.0, SECOND_AT_MS), strict=True):
        start = int(at_ms * rate / 1000)
        sound[start : start + int(NOTE_MS * rate / 1000)] += _note(hertz, rate)[: len(sound) - start]
    samples = np.rint(32_767 * LOUDNESS * sound).astype("<i2").repeat(format.channels)
    return AudioChunk(samples.tobytes(), format, format.pcm_ms(samples.nbytes))


def _note(hertz: float, rate: int) -> NDArray[np.float64]:
    """Return a note that is struck and fades; it begins and ends in silence."""
    import numpy as np

    at_s = np.arange(int(NOTE_MS * rate / 1000)) / rate
    rise = np.minimum(1.0, 1000 * at_s / RISE_MS)
    fall = np.minimum(1.0, 1000 * at_s[::-1] / FALL_MS)
    heard = [(times, loudness) for times, loudness in OVERTONES if hertz * times < rate / 2]
    tone = sum(loudness * np.sin(math.tau * hertz * times * at_s) for times, loudness in heard)
    note: NDArray[np.float64] = np.exp(-at_s / FADE_S) * rise * fall * tone / sum(loudness for _, loudness in OVERTONES)
    return note
