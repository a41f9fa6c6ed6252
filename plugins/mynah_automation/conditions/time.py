"""It is between two times of day, or one of some weekdays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from datetime import time as time_of_day
from typing import Any, Final

import voluptuous as vol

from mynah import ConditionSpec, Run
from mynah_automation.clock import WEEKDAYS
from mynah_automation.shapes import many
from mynah_automation.triggers.time import as_moment, as_time, time_or_entity

SCHEMA: Final = {
    vol.Optional("after", description="From this time of day on, such as '15:00', or an entity that tells one."): (
        time_or_entity
    ),
    vol.Optional("before", description="Until before this time; earlier than `after`, it means the next day."): (
        time_or_entity
    ),
    vol.Optional("weekday", description="mon to sun; or a list."): vol.Any(vol.In(WEEKDAYS), [vol.In(WEEKDAYS)]),
}


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether it is that time now; where an entity tells no time, it is not."""
    now = run.house.now()
    at = now.time()
    run.note(now=f"{now:%a %H:%M:%S}")
    if "weekday" in config and WEEKDAYS[now.weekday()] not in many(config["weekday"]):
        return False
    bounds = {side: _time(run, config[side], now) for side in ("after", "before") if side in config}
    if None in bounds.values():
        return False
    after, before = bounds.get("after"), bounds.get("before")
    if after is not None and before is not None and after > before:
        return at >= after or at < before
    return (after is None or at >= after) and (before is None or at < before)


def _time(run: Run, wanted: str, now: datetime) -> time_of_day | None:
    """Return the time of day that is meant; of a moment that an entity tells, the date does not matter."""
    exact = as_time(wanted)
    if exact is not None:
        return exact
    told = as_moment(run.house.state(wanted), now)
    run.note(**{wanted: None if told is None else f"{told:%H:%M:%S}"})
    return told.time() if isinstance(told, datetime) else told


SPEC: Final = ConditionSpec(name="time", holds=holds, schema=SCHEMA, description="A time of day or a weekday.")
