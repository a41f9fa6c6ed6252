"""An entry of a calendar begins or ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec
from mynah_automation.clock import BACK
from mynah_automation.shapes import offset

LOOK: Final = timedelta(minutes=15)
SCHEMA: Final = {
    vol.Required("entity_id", description="The calendar, such as calendar.feedings."): vol.All(
        str, vol.Match(r"^calendar\.[a-z0-9_]+\Z", msg="a calendar is written like calendar.feedings")
    ),
    vol.Optional("event", default="start", description="start or end."): vol.In(["start", "end"]),
    vol.Optional("offset", default=0, description="How much later, or with a minus earlier."): offset,
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire at each entry. The file is looked at anew every quarter of an hour."""
    calendars = house.hub.parts["automation"].calendars
    later = timedelta(seconds=config["offset"])
    waiting: list[Stop] = []

    def look() -> None:
        waiting.clear()
        now = house.now()
        for when, entry in calendars.between(config["entity_id"], config["event"], now - later, now + LOOK - later):
            waiting.append(house.at(when + later, partial(reached, when + later, entry)))
        waiting.append(house.at(now + LOOK, look))

    def reached(when: datetime, entry: Mapping[str, Any]) -> None:
        if when - house.now() > BACK:
            return  # the clock was set back
        fire({"event": config["event"], "calendar_event": entry, "offset": config["offset"],
              "description": f"calendar {entry['summary']}"})  # fmt: skip

    calendars.between(config["entity_id"], config["event"], house.now(), house.now())  # says what is wrong at once
    look()

    def stop() -> None:
        for end in waiting:
            end()

    return stop


SPEC: Final = TriggerSpec(name="calendar", attach=attach, schema=SCHEMA, description="An entry of a calendar.")
