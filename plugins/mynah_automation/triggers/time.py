"""A time of day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec
from mynah_automation.clock import WEEKDAYS, next_time
from mynah_automation.shapes import many

BACK: Final = timedelta(hours=1)
"""A clock that is set back by up to this much does not bring a time a second time."""


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
    vol.Required("at", description="A time of day, '11:30' or '11:30:15'; or a list."): vol.Any(
        [clock_time], clock_time
    ),
    vol.Optional("weekday", description="On which days: mon to sun; or a list."): vol.Any(
        vol.In(WEEKDAYS), [vol.In(WEEKDAYS)]
    ),
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire at each of these times."""
    ends = [_at(house, as_time(at), many(config.get("weekday", list(WEEKDAYS))), fire) for at in many(config["at"])]

    def stop() -> None:
        for end in ends:
            end()

    return stop


def _at(house: House, at: time_of_day, weekdays: list[str], fire: Fire) -> Stop:
    waiting: list[Stop] = []

    def wait(after: datetime) -> None:
        when = next_time(after, at, weekdays)

        def reached() -> None:
            now = house.now()
            waiting.clear()
            wait(max(now, when) if abs(when - now) < BACK else now)
            fire({"now": now, "description": f"time {at:%H:%M:%S}"})

        waiting.append(house.at(when, reached))

    wait(house.now())

    def stop() -> None:
        for end in waiting:
            end()

    return stop


SPEC: Final = TriggerSpec(name="time", attach=attach, schema=SCHEMA, description="A time of day.")
