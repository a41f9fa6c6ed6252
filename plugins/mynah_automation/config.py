"""What can be set: the section `automation`, and the sections that hold what the house does by itself."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import voluptuous as vol

from mynah import DURATION

NAME: Final = vol.All(
    str, vol.Match(r"^[a-z0-9_]{1,64}\Z", msg="a name has only small letters, digits and '_' (64 at most)")
)
TEXT: Final = vol.All(str, vol.Length(min=1))
ENTITY: Final = vol.All(
    str, vol.Match(r"^[a-z0-9_]+\.[a-z0-9_]+\Z", msg="an entity is written like speaker.lion_house")
)
MAX_EXCEEDED: Final = ["silent", "debug", "info", "warning", "error", "critical"]
VALUE: Final = vol.Any(str, int, float, bool)


def zone(value: Any) -> str | None:
    """Return the name of a time zone, or None for the machine's."""
    if value is None:
        return None
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise vol.Invalid("expected the name of a time zone such as Europe/Berlin") from None
    return str(value)


SCHEMA: Final = {
    vol.Optional("time_zone", default=None, description="The house's time zone; null: the machine's."): zone,
    vol.Optional("latitude", default=None, description="Where the house stands, for the sun."): vol.Any(
        None, vol.All(float, vol.Range(min=-90, max=90))
    ),
    vol.Optional("longitude", default=None, description="Degrees east."): vol.Any(
        None, vol.All(float, vol.Range(min=-180, max=180))
    ),
    vol.Optional("elevation", default=0.0, description="Metres above the sea."): float,
    vol.Optional(
        "statestream",
        default=None,
        description="Home Assistant's MQTT statestream is mirrored from below this topic; null: not.",
    ): vol.Any(None, TEXT),
    vol.Optional("calendars", default=dict, description="iCalendar files in the data folder, by name."): {NAME: TEXT},
    vol.Optional("blueprints", default="blueprints", description="The folder of blueprints, beside this file."): TEXT,
    vol.Optional("sentences", default=dict, description="Lists that sentences may name as {slot}."): {NAME: [TEXT]},
}

AUTOMATION: Final = {
    vol.Optional("id"): vol.Coerce(str),
    vol.Optional("alias"): TEXT,
    vol.Optional("description", default=""): str,
    vol.Optional("mode", default="single"): vol.In(["single", "restart", "queued", "parallel"]),
    vol.Optional("max", default=10): vol.All(int, vol.Range(min=2, max=1000)),
    vol.Optional("max_exceeded", default="warning"): vol.In(MAX_EXCEEDED),
    vol.Optional("initial_state"): bool,
    vol.Optional("trace", default=dict): {
        vol.Optional("stored_traces", default=5): vol.All(int, vol.Range(min=1, max=100))
    },
    vol.Optional("variables", default=dict): dict,
    vol.Optional("trigger_variables", default=dict): dict,
    vol.Optional("triggers"): object,
    vol.Optional("conditions"): object,
    vol.Optional("actions"): object,
    vol.Optional("trigger"): object,
    vol.Optional("condition"): object,
    vol.Optional("action"): object,
    vol.Optional("use_blueprint"): {
        vol.Required("path"): TEXT,
        vol.Optional("input", default=dict): dict,
    },
}
SCRIPT: Final = {
    vol.Optional("alias"): TEXT,
    vol.Optional("description", default=""): str,
    vol.Optional("icon"): str,
    vol.Optional("mode", default="single"): vol.In(["single", "restart", "queued", "parallel"]),
    vol.Optional("max", default=10): vol.All(int, vol.Range(min=2, max=1000)),
    vol.Optional("max_exceeded", default="warning"): vol.In(MAX_EXCEEDED),
    vol.Optional("trace", default=dict): {
        vol.Optional("stored_traces", default=5): vol.All(int, vol.Range(min=1, max=100))
    },
    vol.Optional("variables", default=dict): dict,
    vol.Optional("fields", default=dict): dict,
    vol.Optional("sequence"): object,
    vol.Optional("use_blueprint"): {
        vol.Required("path"): TEXT,
        vol.Optional("input", default=dict): dict,
    },
}

SHOWN: Final = {
    vol.Optional("name", description="Its name for people."): TEXT,
    vol.Optional("icon", description="Kept for Home Assistant's sake; nothing is shown by it."): str,
}
SECTIONS: Final[dict[Any, Any]] = {
    vol.Optional("automations", default=list, description="What the house does by itself; see automations.md."): [dict],
    vol.Optional("scripts", default=dict, description="Actions under a name, to be called."): {NAME: dict},
    vol.Optional("input_boolean", default=dict, description="Switches that keep their state."): {
        NAME: {**SHOWN, vol.Optional("initial", description="The state at each start; else as it was."): bool}
    },
    vol.Optional("input_number", default=dict, description="Numbers that keep their value."): {
        NAME: {
            **SHOWN,
            vol.Required("min", description="The smallest value."): float,
            vol.Required("max", description="The largest."): float,
            vol.Optional("step", default=1.0, description="What one step changes."): vol.All(
                float, vol.Range(min=0.001)
            ),
            vol.Optional("initial", description="The value at each start; else as it was."): float,
            vol.Optional("mode", description="Kept for Home Assistant's sake."): str,
            vol.Optional("unit_of_measurement", description="Its unit."): str,
        }
    },
    vol.Optional("input_text", default=dict, description="Texts that are kept."): {
        NAME: {
            **SHOWN,
            vol.Optional("min", default=0, description="The fewest characters."): vol.All(
                int, vol.Range(min=0, max=255)
            ),
            vol.Optional("max", default=100, description="The most characters."): vol.All(
                int, vol.Range(min=0, max=255)
            ),
            vol.Optional("initial", description="The text at each start; else as it was."): str,
        }
    },
    vol.Optional("counter", default=dict, description="Counters that are kept."): {
        NAME: {
            **SHOWN,
            vol.Optional("initial", default=0, description="Where it begins."): int,
            vol.Optional("step", default=1, description="What one step counts."): vol.All(int, vol.Range(min=1)),
            vol.Optional("minimum", default=None, description="The least it can be."): vol.Any(None, int),
            vol.Optional("maximum", default=None, description="The most it can be."): vol.Any(None, int),
            vol.Optional("restore", default=True, description="Whether it goes on after a restart."): bool,
        }
    },
    vol.Optional("timer", default=dict, description="Timers."): {
        NAME: {
            **SHOWN,
            vol.Optional("duration", default=0, description="How long it runs."): DURATION,
            vol.Optional("restore", default=False, description="Whether it goes on after a restart."): bool,
        }
    },
}
HELPERS: Final = ("input_boolean", "input_number", "input_text", "counter", "timer")
