"""A time of day, or the time that an entity tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, State, Stop, TriggerSpec
from mynah_automation.clock import WEEKDAYS, Recurring, next_time, real
from mynah_automation.config import ENTITY
from mynah_automation.shapes import many, offset, one_or_many

EXPECTED: Final = "expected a time of day in quotes, such as '11:30', or an entity such as sensor.next_alarm"
YEARS: Final = (1970, 9000)
"""Nothing is waited for outside of these; what lies at the very ends of the calendar cannot be reckoned with."""

FROM_ENTITY: Final = vol.Schema({
    vol.Required("entity_id", description="The entity whose state is a time."): ENTITY,
    vol.Optional("offset", default=0, description="How much later, or with a minus earlier."): offset,
})  # fmt: skip


def as_time(value: Any) -> time_of_day | None:
    """Return the time of day that `11:30` or `11:30:15` names, or None."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", value) if isinstance(value, str) else None
    try:
        return time_of_day(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    except ValueError:
        return None


def as_moment(state: State | None, now: datetime) -> time_of_day | datetime | None:
    """Return what time a state tells: one of every day, one moment (of a date alone its midnight), or None."""
    text = state.state if state else ""
    if (found := as_time(text)) is not None:
        return found
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not YEARS[0] <= moment.year <= YEARS[1]:
        return None
    return moment.astimezone(now.tzinfo) if moment.tzinfo else real(moment.replace(tzinfo=now.tzinfo))


def time_or_entity(value: Any) -> str:
    """Return a time of day such as `11:30`, or an entity, as it is. Raises `vol.Invalid`."""
    if as_time(value) is None:
        try:
            ENTITY(value)
        except vol.Invalid:
            raise vol.Invalid(EXPECTED) from None
    return str(value)


def at(value: Any) -> Any:
    """Return what may stand at `at`: a time of day, an entity, or an entity with an offset. Raises `vol.Invalid`."""
    return FROM_ENTITY(value) if isinstance(value, Mapping) else time_or_entity(value)


SCHEMA: Final = {
    vol.Required(
        "at", description="A time of day, '11:30' or '11:30:15'; an entity that tells one, or a mapping; or a list."
    ): one_or_many(at),
    vol.Optional("weekday", description="On which days: mon to sun; or a list."): vol.Any(
        vol.In(WEEKDAYS), [vol.In(WEEKDAYS)]
    ),
}


class Told:
    """Calls at the time that an entity tells, and at none while it tells none; what it tells anew counts at once."""

    def __init__(self, house: House, entity_id: str, later: timedelta, call: Callable[[], None]) -> None:
        self._house = house
        self._later = later
        self._call = call
        self._waiting: Stop | None = None
        self._unfollow = house.on_state((entity_id,), self._changed)
        self._wait(house.state(entity_id))

    def stop(self) -> None:
        """Call no more."""
        self._unfollow()
        self._end()

    def _changed(self, old: State | None, new: State | None) -> None:
        if old is None or new is None or old.state != new.state:
            self._end()
            self._wait(new)

    def _end(self) -> None:
        stop, self._waiting = self._waiting, None
        if stop is not None:
            stop()

    def _wait(self, state: State | None) -> None:
        moment = as_moment(state, self._house.now())
        if moment is not None:
            self._waiting = Recurring(self._house, lambda after: self._next(moment, after), self._call).stop

    def _next(self, moment: time_of_day | datetime, after: datetime) -> datetime | None:
        if isinstance(moment, time_of_day):
            return next_time(after - self._later, moment) + self._later
        found = moment + self._later
        return found if found.timestamp() > after.timestamp() else None


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire at each of these times."""
    weekdays = many(config.get("weekday", list(WEEKDAYS)))

    def once(value: Any) -> Stop:
        exact = as_time(value)
        if exact is not None:
            daily = {"description": f"time {exact:%H:%M:%S}", "entity_id": None}
            call = lambda: fire({"now": house.now(), **daily})  # noqa: E731  # short
            return Recurring(house, lambda after: next_time(after, exact, weekdays), call).stop
        entity = value if isinstance(value, Mapping) else {"entity_id": value, "offset": 0.0}
        told = {"description": f"time told by {entity['entity_id']}", "entity_id": entity["entity_id"]}
        later = timedelta(seconds=entity["offset"])
        return Told(house, entity["entity_id"], later, lambda: reached(told)).stop

    def reached(told: Mapping[str, Any]) -> None:
        now = house.now()
        if WEEKDAYS[now.weekday()] in weekdays:
            fire({"now": now, **told})

    stops = [once(value) for value in many(config["at"])]

    def stop() -> None:
        for each in stops:
            each()

    return stop


SPEC: Final = TriggerSpec(name="time", attach=attach, schema=SCHEMA, description="A time of day.")
