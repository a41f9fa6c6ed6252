"""What can be configured under `engines: tts: [{engine: espeak}]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol

MIN_WPM: Final = 80
MAX_WPM: Final = 450
MAX_PITCH: Final = 100
MAX_VOLUME: Final = 200

SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional(
        "voice",
        default="",
        description="Voice and variant, such as en-us, en-gb-scotland+f2 or f3; used for its own language only",
    ): str,
    # A little under espeak's own 175: its voices are understood better so.
    vol.Optional("rate", default=160, description="Speed in words a minute, 80 to 450"): vol.All(
        int, vol.Range(min=MIN_WPM, max=MAX_WPM)
    ),
    vol.Optional("pitch", default=50, description="Pitch, 0 to 100"): vol.All(int, vol.Range(min=0, max=MAX_PITCH)),
    vol.Optional("volume", default=100, description="Loudness, 0 to 200; above 100 it may distort"): vol.All(
        int, vol.Range(min=0, max=MAX_VOLUME)
    ),
    vol.Optional("gap", default=0, description="Extra pause between words in milliseconds, 0 to 1000"): vol.All(
        int, vol.Range(min=0, max=1000)
    ),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration, checked."""

    voice: str = ""
    rate: int = 160
    pitch: int = 50
    volume: int = 100
    gap: int = 0

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Options:
        """Return the options in `config`, defaults filled in; other keys, such as `engine`, are not looked at."""
        known = {key: config[key] for key in ("voice", "rate", "pitch", "volume", "gap") if key in config}
        return cls(**known)
