"""Sunrise and sunset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, MynahError, Stop, TriggerSpec
from mynah_automation.clock import Recurring
from mynah_automation.shapes import offset

EVENTS: Final = ("sunrise", "sunset")
SCHEMA: Final = {
    vol.Required("event", description="sunrise or sunset."): vol.In(EVENTS),
    vol.Optional("offset", default=0, description="How much later, or with a minus earlier."): offset,
}


def sun_on(house: House, event: str, day: datetime) -> datetime | None:
    """Return when the sun rises or sets on a day, or None where it does not. Raises `MynahError` without a place."""
    config = house.hub.config["automation"]
    if config["latitude"] is None or config["longitude"] is None:
        raise MynahError("the sun needs 'latitude' and 'longitude' under 'automation:'")
    try:
        import astral.sun  # it takes a while to import, and few need it
    except ModuleNotFoundError:
        raise MynahError("the sun needs astral; install it with: pip install 'mynah[automation]'") from None
    where = astral.Observer(config["latitude"], config["longitude"], config["elevation"])
    find = astral.sun.sunrise if event == "sunrise" else astral.sun.sunset
    try:
        return find(where, day.date(), tzinfo=day.tzinfo)  # type: ignore[arg-type]  # a zone is one
    except ValueError:
        return None  # it does not rise or set there on that day


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire each day at that time."""
    event, later = config["event"], timedelta(seconds=config["offset"])

    def find(after: datetime) -> datetime | None:
        for days in range(-1, 200):  # a polar night lasts half a year
            found = sun_on(house, event, after + timedelta(days=days))
            if found is not None and (found + later).timestamp() > after.timestamp() + 1:
                return found + later
        return None

    told = {"event": event, "offset": later, "description": event}
    return Recurring(house, find, lambda: fire(told)).stop


SPEC: Final = TriggerSpec(name="sun", attach=attach, schema=SCHEMA, description="Sunrise or sunset.")
