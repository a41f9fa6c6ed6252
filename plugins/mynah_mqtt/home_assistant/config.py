"""What can be set under `mqtt: home_assistant:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import voluptuous as vol

Form = Literal["device", "single"]

LEVELS: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z")


def _topic(value: Any) -> str:
    if not isinstance(value, str) or not LEVELS.match(value):
        raise vol.Invalid("a topic is letters, digits, '_' and '-', with '/' between its levels, such as homeassistant")
    return value


SCHEMA: Final = {
    vol.Optional(
        "discovery", default=True, description="Whether hub and speakers announce themselves to Home Assistant."
    ): bool,
    vol.Optional(
        "prefix", default="homeassistant", description="Home Assistant's discovery prefix, as set in its MQTT options."
    ): _topic,
    vol.Optional(
        "form",
        default="device",
        description="`device`: one message a device, for Home Assistant 2024.11 and later; `single`: one an entity, "
        "for older ones.",
    ): vol.In(("device", "single")),
    vol.Optional(
        "status_topic",
        default=None,
        description="Where Home Assistant says that it has started; null: `status` below the prefix.",
    ): vol.Any(None, _topic),
}


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """What SCHEMA lets one set."""

    discovery: bool = True
    prefix: str = "homeassistant"
    form: Form = "device"
    status_topic: str | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Return the options of a section that SCHEMA has checked."""
        return cls(config["discovery"], config["prefix"], config["form"], config["status_topic"])
