"""The JSON Schemas of every payload: `python -m mynah_mqtt.schemas > docs/mqtt.schema.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from mynah_mqtt.kinds import object_schema
from mynah_mqtt.payloads import (
    ANY_REQUEST,
    ANY_RESPONSE,
    AVAILABILITY,
    COMMANDS,
    EVENTS,
    EVERY_COMMAND,
    HUB_INFO,
    HUB_STATE,
    INFO,
    KNOWN,
    PROPERTIES,
    REPLY,
    REQUESTS,
    RESPONSES,
    STATE,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def command(name: str) -> dict[str, Any]:
    """Return the schema of one command."""
    schema = object_schema({**EVERY_COMMAND, **COMMANDS[name].fields}, more=False)
    schema["properties"]["command"] = {"const": name}
    return schema


def event(name: str) -> dict[str, Any]:
    """Return the schema of one event."""
    schema = object_schema(EVENTS[name], more=True)
    schema["properties"] = {"event": {"const": name}, **schema["properties"]}
    schema["required"] = ["event", *schema.get("required", [])]
    return schema


def schemas() -> Mapping[str, Mapping[str, Any]]:
    """Return the schema of each payload by its name; those of plain scalars are of the scalar read as JSON."""
    return {
        "availability": dict(AVAILABILITY.json),
        "command": {"oneOf": [command(name) for name in COMMANDS]},
        "event": {"oneOf": [event(name) for name in EVENTS]},
        "hub_info": object_schema(HUB_INFO, more=True),
        "hub_state": object_schema(HUB_STATE, more=True),
        "info": object_schema(INFO, more=True),
        "known": object_schema(KNOWN, more=True),
        "reply": object_schema(REPLY, more=True),
        "state": object_schema(STATE, more=True),
        **{f"set_{name}": dict(kind.json) for name, (_, kind) in PROPERTIES.items()},
        **{f"request_{name}": object_schema({**ANY_REQUEST, **own}, more=True) for name, own in REQUESTS.items()},
        **{f"response_{name}": object_schema({**ANY_RESPONSE, **own}, more=True) for name, own in RESPONSES.items()},
    }


def document() -> str:
    """Return all of them as one JSON document."""
    whole = {"$schema": DIALECT, "title": "Payloads of Mynah over MQTT", "$defs": schemas()}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
