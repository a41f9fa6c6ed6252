"""Any event of the bus, or one's own, with data that matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec
from mynah_automation.shapes import many, matches

SCHEMA: Final = {
    vol.Required("event_type", description="The event, such as Heard or feeding_done; or a list."): vol.Any(str, [str]),
    vol.Optional("event_data", default=dict, description="What its data must hold."): dict,
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire for each such event."""
    wanted = config["event_data"]

    def happened(name: str, data: Mapping[str, Any]) -> None:
        if all(key in data and matches(data[key], value) for key, value in wanted.items()):
            fire({"event": {"event_type": name, "data": data}, "description": f"event {name}"})

    stops = [
        house.on_event(name, lambda data, name=name: happened(name, data))  # type: ignore[misc]  # bound
        for name in many(config["event_type"])
    ]

    def stop() -> None:
        for each in stops:
            each()

    return stop


SPEC: Final = TriggerSpec(name="event", attach=attach, schema=SCHEMA, description="An event of the bus, or one's own.")
