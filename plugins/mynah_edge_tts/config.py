"""What can be configured under `engines: tts: [{engine: edge_tts}]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import voluptuous as vol

_SECONDS: Final = vol.All(vol.Any(int, float), vol.Coerce(float), vol.Range(min=0.1, max=120))


def _factor(low: float, high: float) -> vol.All:
    return vol.All(vol.Any(int, float), vol.Coerce(float), vol.Range(min=low, max=high))


def _proxy(value: str) -> str:
    """Check a proxy's address. It may hold a password, and so nothing of it is repeated."""
    try:
        parts = urlsplit(value)
        whole = value == "" or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        whole = False
    if not whole:
        raise vol.Invalid("expected the address of an HTTP proxy, such as http://proxy:3128")
    return value


SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional(
        "voice",
        default="",
        description="The service's name of a voice, such as en-US-EmmaMultilingualNeural; used for its own language "
        "only, unless it is a multilingual one",
    ): str,
    vol.Optional(
        "gender", default="", description="female or male, where neither the persona nor `voice` says; empty: either"
    ): vol.In(["", "female", "male"]),
    vol.Optional("rate", default=1.0, description="Speed as a factor, 0.5 to 2"): _factor(0.5, 2.0),
    vol.Optional("pitch", default=1.0, description="Pitch as a factor, 0.5 to 1.5"): _factor(0.5, 1.5),
    vol.Optional("volume", default=1.0, description="Loudness as a factor, 0.1 to 2"): _factor(0.1, 2.0),
    vol.Optional("connect_timeout", default=3.0, description="Seconds to wait for a connection"): _SECONDS,
    vol.Optional("receive_timeout", default=4.0, description="Seconds to wait for the next piece of speech"): _SECONDS,
    vol.Optional(
        "proxy",
        default="",
        description="An HTTP proxy, such as http://proxy:3128; empty: that of the environment, if any",
    ): vol.All(str, _proxy),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration, checked. Rate, pitch and volume are factors, the timeouts seconds."""

    voice: str = ""
    gender: Literal["", "female", "male"] = ""
    rate: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0
    connect_timeout: float = 3.0
    receive_timeout: float = 4.0
    proxy: str = ""

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Options:
        """Return the options in `config`, defaults filled in; other keys are not looked at."""
        return cls(**{field.name: config[field.name] for field in fields(cls) if field.name in config})
