"""What can be configured under `engines: vad: [{engine: vad}]`."""

from __future__ import annotations

from typing import Any, Final

import voluptuous as vol

SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional(
        "model",
        default="auto",
        description="silero (better; needs faster-whisper), webrtc (lighter), or auto: silero where it is installed",
    ): vol.In(["auto", "silero", "webrtc"]),
    vol.Optional(
        "aggressiveness",
        default=1,
        description="For webrtc: 0 hears speech everywhere, 3 only where it is clear",
    ): vol.All(int, vol.Range(min=0, max=3)),
}
