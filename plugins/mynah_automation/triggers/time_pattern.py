"""Every so many hours, minutes or seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec
from mynah_automation.clock import Recurring, next_pattern

LIMITS: Final = {"hours": 24, "minutes": 60, "seconds": 60}


def pattern(limit: int) -> Callable[[Any], Any]:
    """Return a validator for `5`, `"/5"` and `"*"`."""

    def check(value: Any) -> Any:
        members(value, limit)
        return value

    return check


def members(value: Any, limit: int) -> frozenset[int]:
    """Return the numbers below `limit` that a pattern names. Raises `vol.Invalid`."""
    text = str(value).strip()
    if text == "*":
        return frozenset(range(limit))
    if text.startswith("/") and text[1:].isdecimal() and 0 < int(text[1:]) < limit:
        return frozenset(range(0, limit, int(text[1:])))
    if text.isdecimal() and int(text) < limit:
        return frozenset((int(text),))
    raise vol.Invalid(f"expected a number below {limit}, '/5' for every fifth, or '*'")


SCHEMA: Final = {
    vol.Optional("hours", description="An hour, '/2' for every second one, or '*'."): pattern(24),
    vol.Optional("minutes", description="The same for minutes."): pattern(60),
    vol.Optional("seconds", description="The same for seconds."): pattern(60),
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire at each second that fits."""
    # What stands left of the first key is free, what stands right of it is nought, as in Home Assistant.
    found, given = {}, False
    for name, limit in LIMITS.items():
        given = given or name in config
        found[name] = members(config.get(name, "0" if given else "*"), limit)
    told = {"description": "time pattern"}
    return Recurring(house, lambda after: next_pattern(after, **found), lambda: fire({"now": house.now(), **told})).stop


SPEC: Final = TriggerSpec(
    name="time_pattern", attach=attach, schema=SCHEMA, description="Every so many hours, minutes or seconds."
)
