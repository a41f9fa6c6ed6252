"""A message over MQTT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import TEMPLATE, Fire, House, Messages, MynahError, Stop, TriggerSpec
from mynah_automation.shapes import as_state

SCHEMA: Final = {
    vol.Required("topic", description="The topic; + and # stand for any level."): vol.All(str, vol.Length(min=1)),
    vol.Optional("payload", description="What it must hold."): vol.Any(str, int, float, bool),
    vol.Optional("value_template", description="A template on `value` and `value_json`, compared with payload."): (
        TEMPLATE
    ),
    vol.Optional("qos", description="Kept for Home Assistant's sake."): vol.In([0, 1, 2]),
}


def messages(house: House) -> Messages:
    """Return the link to the broker. Raises `MynahError` where there is none."""
    found: Messages | None = house.hub.parts.get("mqtt")
    if found is None:
        raise MynahError("MQTT is not set up; set 'mqtt: broker:'")
    return found


def as_json(payload: str) -> Any:
    """Return what `payload` holds as JSON, or None where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return None


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire for each such message."""

    def receive(topic: str, payload: str) -> None:
        value: Any = payload
        if "value_template" in config:
            try:
                value = house.render(config["value_template"], {"value": payload, "value_json": as_json(payload)})
            except MynahError:
                return  # a message of another shape
        if "payload" in config and as_state(value) != as_state(config["payload"]) and str(value) != config["payload"]:
            return
        fire({"topic": topic, "payload": payload, "payload_json": as_json(payload), "description": f"mqtt {topic}"})

    return messages(house).follow(config["topic"], receive)


SPEC: Final = TriggerSpec(name="mqtt", attach=attach, schema=SCHEMA, description="A message over MQTT.")
