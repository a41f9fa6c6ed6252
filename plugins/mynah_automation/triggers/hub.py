"""The hub starts or stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec

SCHEMA: Final = {
    vol.Required("event", description="start or shutdown."): vol.In(["start", "shutdown", "stop"]),
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire when every component is ready, or when the hub begins to stop."""
    event = config["event"]
    name = "HubStarted" if event == "start" else "HubStopping"
    return house.on_event(name, lambda data: fire({"event": event, "description": f"hub {event}"}))


SPECS: Final = tuple(
    TriggerSpec(name=name, attach=attach, schema=SCHEMA, description=about)
    for name, about in (("hub", "The hub starts or stops."), ("homeassistant", "The same, as Home Assistant has it."))
)
