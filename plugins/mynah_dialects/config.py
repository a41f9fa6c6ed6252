"""What can be set under `dialects:`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

SECRET_CHARS: Final = 16
"""A path prefix of so many characters is taken for a secret that lets its knower in."""

ZOO_SPEAKER: Final = "zoo_speaker"
STUDY_PARTNER: Final = "study_partner"
CLINIC_INTERPRETER: Final = "clinic_interpreter"
NEWS_AGENT: Final = "news_agent"
SPEECH_CONSOLE: Final = "speech_console"

PERSONAS: Final[Mapping[str, str]] = {
    ZOO_SPEAKER: "zoo_guide",
    STUDY_PARTNER: "study_partner",
    CLINIC_INTERPRETER: "interpreter",
    NEWS_AGENT: "news_host",
    SPEECH_CONSOLE: "companion",
}
"""Each dialect and the persona that it speaks as where none is configured and that one is there."""


def network(value: Any) -> str:
    """Return `value`, an address or a network such as 192.168.1.0/24, in its usual form."""
    try:
        return str(ipaddress.ip_network(value if isinstance(value, str) else ""))
    except ValueError:
        raise vol.Invalid(f"'{value}' is no network; write one such as 192.168.1.0/24") from None


def prefix(value: Any) -> str:
    """Return `value`, one part of a path."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{0,128}", value):
        raise vol.Invalid("expected one part of a path: letters, digits, '-' and '_'")
    return value


def number(least: float, most: float) -> Any:
    """Return a validator of a number within bounds."""
    return vol.All(vol.Any(int, float), vol.Range(min=least, max=most))


def dialect(name: str, what: str, **more: Any) -> tuple[vol.Optional, Any]:
    """Return the entry of one dialect."""
    common = {
        vol.Optional("enabled", default=True, description="Whether it is spoken at all."): bool,
        vol.Optional(
            "prefix",
            default="",
            description="Its paths begin with this part, as /PREFIX/ws; with "
            f"{SECRET_CHARS} characters or more it is a secret that opens the dialect to whoever knows it.",
        ): prefix,
        vol.Optional(
            "networks",
            default=list,
            description="Networks whose clients may use it where the hub is open to the network, as [192.168.1.0/24].",
        ): [network],
        vol.Optional(
            "persona",
            default=None,
            description=f"Who speaks; {PERSONAS[name]} where that persona is there, else the hub's default.",
        ): vol.Any(None, str),
    }
    return vol.Optional(name, default=dict, description=what), {**common, **more.pop("schema", {})}


MODE = vol.In(("mp3", "wav"))

SCHEMA: Final = dict(
    (
        dialect(
            ZOO_SPEAKER,
            "Zoo speakers on /ws/esp32/ID and /ws/audio.",
            schema={
                vol.Optional("mode", default="mp3", description="What the speakers play: mp3, or wav (16 kHz)."): MODE,
                vol.Optional("modes", default=dict, description="The mode of single speakers: {lion_house: wav}."): {
                    str: MODE
                },
            },
        ),
        dialect(
            STUDY_PARTNER,
            "The study partner's web app on /api/v1/audio-streaming.",
            schema={
                vol.Optional("max_sessions", default=10, description="How many sessions at once."): vol.All(
                    int, vol.Range(min=1, max=10_000)
                ),
                vol.Optional(
                    "synthesis_workers",
                    default=2,
                    description="How many phrases are made at once for all its sessions together; how many utterances "
                    "are understood at once is the recogniser's `workers`.",
                ): vol.All(int, vol.Range(min=1, max=1_000)),
                vol.Optional(
                    "idle_timeout", default=3600, description="Seconds without input or output that end a session."
                ): number(1, 604_800),
                vol.Optional("max_age", default=3600, description="Seconds after which a session ends."): number(
                    1, 31_536_000
                ),
            },
        ),
        dialect(CLINIC_INTERPRETER, "The clinic's interpreter on /ws and /ws/parallel."),
        dialect(NEWS_AGENT, "The voice news agent on /ws/voice."),
        dialect(SPEECH_CONSOLE, "The speech-to-speech console on /ws/speech and /ws."),
    )
)
