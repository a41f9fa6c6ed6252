"""A time of day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time as time_of_day
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec
from mynah_automation.clock import WEEKDAYS, Recurring, next_time
from mynah_automation.shapes import many, one_or_many


def clock_time(value: Any) -> str:
    """Return a time of day such as `11:30` as it is. Raises `vol.Invalid`."""
    as_time(value)
    return str(value)


def as_time(value: Any) -> time_of_day:
    """Return the time of day that `11:30` or `11:30:15` names. Raises `vol.Invalid`."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", value) if isinstance(value, str) else None
    try:
        hour, minute, second = (int(each or 0) for each in found.groups()) if found else (24, 0, 0)
        return time_of_day(hour, minute, second)
    except ValueError:
        raise vol.Invalid("expected a time of day in quotes, such as '11:30'") from None


SCHEMA: Final = {
    vol.Required("at", description="A time of day, '11:30' or '11:30:15'; or a list."): one_or_many(clock_time),
    vol.Optional("weekday", description="On which days: mon to sun; or a list."): vol.Any(
        vol.In(WEEKDAYS), [vol.In(WEEKDAYS)]
    ),
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire at each of these times."""
    weekdays = many(config.get("weekday", list(WEEKDAYS)))

    def one(at: time_of_day) -> Recurring:
        told = f"time {at:%H:%M:%S}"
        return Recurring(
            house, lambda after: next_time(after, at, weekdays), lambda: fire({"now": house.now(), "description": told})
        )

    times = [one(as_time(at)) for at in many(config["at"])]

    def stop() -> None:
        for each in times:
            each.stop()

    return stop


SPEC: Final = TriggerSpec(name="time", attach=attach, schema=SCHEMA, description="A time of day.")
