"""Time as automations see it: the time of day in the house's zone, and what is to happen when."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import time as time_of_day
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mynah import House, Stop

LOOK_S: Final = 10.0
"""How often the clock is looked at: so late a jump of it is seen."""

BACK: Final = timedelta(hours=1)
"""A clock that is set back by up to this much does not bring a time a second time."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def local_zone() -> tzinfo:
    """Return the machine's time zone."""
    names = [os.environ.get("TZ", "").lstrip(":")]
    link = Path("/etc/localtime")
    if link.is_symlink():
        names.append(str(link.resolve()).partition("zoneinfo/")[2])
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return datetime.now().astimezone().tzinfo or UTC


class Clock:
    """The time of day in `zone`, and calls at times of it."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._ended: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ahead_s: float | None = None

    def now(self) -> datetime:
        """Return the local time."""
        return datetime.fromtimestamp(time.time(), self.zone)

    def at(self, when: datetime, call: Callable[[], None]) -> Stop:
        """Call at a time of day; where the clock jumps over it, or is set back by far, as soon as that is seen."""
        number = next(self._numbers)
        heapq.heappush(self._due, (when.timestamp(), number, call))
        if self._due[0][1] == number:
            self._wind()
        return lambda: self._ended.add(number)

    def after(self, seconds: float, call: Callable[[], None]) -> Stop:
        """Call after a while, whatever the clock says."""
        return asyncio.get_running_loop().call_later(seconds, call).cancel

    def close(self) -> None:
        """Call nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _wind(self) -> None:
        if self._ahead_s is None:
            self._ahead_s = time.time() - time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._due:
            wait = min(max(self._due[0][0] - time.time(), 0.0), LOOK_S)
            self._timer = asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        # A timer may ring some microseconds early on the clock of the day.
        reached = time.time() + 0.001
        ahead_s = time.time() - time.monotonic()
        if self._ahead_s is not None and ahead_s < self._ahead_s - BACK.total_seconds():
            reached = float("inf")  # nobody knows when what waits would come: they find out anew
        self._ahead_s = ahead_s
        due = []
        while self._due and self._due[0][0] <= reached:
            due.append(heapq.heappop(self._due))
        for _, number, call in due:
            if number in self._ended:
                self._ended.discard(number)
            else:
                call()
        self._wind()


class Recurring:
    """Calls at each time that `find` gives: the next one after a time, or None where there is none."""

    def __init__(self, house: House, find: Callable[[datetime], datetime | None], call: Callable[[], None]) -> None:
        self._house = house
        self._find = find
        self._call = call
        self._when: datetime | None = None
        self._stop: Stop | None = None
        self._wait(house.now())

    def stop(self) -> None:
        """Call no more."""
        if self._stop is not None:
            self._stop()

    def _wait(self, after: datetime) -> None:
        self._when = self._find(after)
        self._stop = None if self._when is None else self._house.at(self._when, self._reached)

    def _reached(self) -> None:
        now, when = self._house.now(), self._when
        if when is None or when - now > BACK:  # the clock was set back: it is not that time
            self._wait(now)
            return
        self._wait(max(now, when) if now - when < BACK else now)
        self._call()


def real(moment: datetime) -> datetime:
    """Return `moment`, or where the clock leaves that time out in spring, the one that takes its place."""
    zone = moment.tzinfo
    return moment.astimezone(UTC).astimezone(zone)


def next_time(now: datetime, at: time_of_day, weekdays: Collection[str] = WEEKDAYS) -> datetime:
    """Return when it is `at` next after `now`, on one of `weekdays`.

    A time that comes twice in autumn counts once, the first time; one that is left out in spring comes as much later.
    """
    for days in range(9):
        day = now.date() + timedelta(days=days)
        if WEEKDAYS[day.weekday()] not in weekdays:
            continue
        found = real(datetime.combine(day, at, tzinfo=now.tzinfo))
        if found > now and found.timestamp() > now.timestamp():
            return found
    raise ValueError("no day of the week is given")


def next_pattern(now: datetime, hours: Collection[int], minutes: Collection[int], seconds: Collection[int]) -> datetime:
    """Return the next second after `now` whose hour, minute and second are among those given.

    It is sought in real time: an hour that comes twice in autumn counts twice.
    """
    moment = (now.astimezone(UTC) + timedelta(seconds=1)).replace(microsecond=0)
    for _ in range(200_000):
        local = moment.astimezone(now.tzinfo)
        if local.minute not in minutes or local.hour not in hours:
            moment = moment.replace(second=0) + timedelta(minutes=1)
        elif local.second not in seconds:
            moment += timedelta(seconds=1)
        else:
            return local
    raise ValueError("there is no such time")
