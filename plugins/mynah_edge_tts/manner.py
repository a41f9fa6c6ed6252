"""How to speak, in the service's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mynah import Voice
from mynah_edge_tts.config import Options

RATE: Final = (0.5, 2.0)
PITCH: Final = (0.5, 1.5)
VOLUME: Final = (0.1, 2.0)
"""The factors that the service takes; see "Adjust prosody" in the documentation of Azure's speech markup."""

_WOMAN_HZ: Final = 200
_MAN_HZ: Final = 120
"""The pitch is given as a difference: this is what it is a difference from."""


@dataclass(frozen=True, slots=True)
class Manner:
    """Speed, loudness and pitch as the client takes them: `+10%`, `-20%`, `+12Hz`."""

    rate: str = "+0%"
    volume: str = "+0%"
    pitch: str = "+0Hz"


def manner(options: Options, voice: Voice, *, female: bool) -> Manner:
    """Return the manner for factors on top of those configured, held within what the service takes."""
    hertz = _WOMAN_HZ if female else _MAN_HZ
    return Manner(
        rate=f"{_percent(options.rate * voice.rate, *RATE):+d}%",
        volume=f"{_percent(options.volume * voice.volume, *VOLUME):+d}%",
        pitch=f"{round(_percent(options.pitch * voice.pitch, *PITCH) * hertz / 100):+d}Hz",
    )


def _percent(factor: float, low: float, high: float) -> int:
    return round((min(max(factor, low), high) - 1) * 100)
