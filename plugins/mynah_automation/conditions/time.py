"""It is between two times of day, or one of some weekdays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ConditionSpec, Run
from mynah_automation.clock import WEEKDAYS
from mynah_automation.shapes import many
from mynah_automation.triggers.time import as_time, clock_time

SCHEMA: Final = {
    vol.Optional("after", description="From this time of day on, such as '15:00'."): clock_time,
    vol.Optional("before", description="Until before this time; earlier than `after`, it means the next day."): (
        clock_time
    ),
    vol.Optional("weekday", description="mon to sun; or a list."): vol.Any(vol.In(WEEKDAYS), [vol.In(WEEKDAYS)]),
}


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether it is that time now."""
    now = run.house.now()
    at = now.time()
    run.note(now=f"{now:%a %H:%M:%S}")
    if "weekday" in config and WEEKDAYS[now.weekday()] not in many(config["weekday"]):
        return False
    after = as_time(config["after"]) if "after" in config else None
    before = as_time(config["before"]) if "before" in config else None
    if after is not None and before is not None and after > before:
        return at >= after or at < before
    return (after is None or at >= after) and (before is None or at < before)


SPEC: Final = ConditionSpec(name="time", holds=holds, schema=SCHEMA, description="A time of day or a weekday.")
