"""The last events of the hub, as they are told over HTTP, and those who follow what comes next."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
from collections import deque
from collections.abc import AsyncIterable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from mynah import EngineFailed, EngineStateChanged, Event, HubStopping, LimitError, TurnEvent, TurnOver

PART: Final = "http_events"
SPOKEN: Final = ("text", "heard", "data")
"""Fields that hold what people and personas said: told to admins as it comes, and never kept here."""

QUOTING: Final[Mapping[type[Event], Collection[str]]] = {
    TurnEvent: ("error", "troubles"),
    EngineFailed: ("error",),
    EngineStateChanged: ("reason",),
}
"""Fields that may quote it, by the class of the event: told to admins alone."""

KEPT: Final = 1_000
"""Ends of turns that are kept, and as many other events: many of these must not push out the history of those."""

WAITING: Final = 1_000
"""Events that may wait for somebody who reads slowly; then the oldest are dropped, and counted."""

FOLLOWERS: Final = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a class of events: its name and those of the classes it comes from, and which fields are whose.

    `all` are for admins, `kept` for those who come later, `shown` for viewers. Of a plugin's own class, in which words
    may have any name, only admins are told more than type and time.
    """

    type: str
    names: frozenset[str]
    all: tuple[str, ...]
    kept: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told."""

    shape: Shape
    fields: Mapping[str, Any]

    def to(self, role: str) -> Mapping[str, Any]:
        """Return what somebody of that role is told: without words that were spoken, unless it is an admin."""
        if role == "admin":
            return self.fields
        return {name: self.fields[name] for name in ("type", *self.shape.shown) if name in self.fields}


class Follower:
    """What waits for one who follows. `dropped` counts what was lost since it was last asked."""

    def __init__(self, types: Collection[str]) -> None:
        self.ended = False
        self._types = frozenset(types)
        self._waiting: deque[Told] = deque()
        self._arrived = asyncio.Event()
        self._dropped = 0

    def wants(self, event: Told) -> bool:
        """Whether it is of a type that was asked for."""
        return not self._types or not self._types.isdisjoint(event.shape.names)

    def offer(self, event: Told) -> None:
        """Have it wait."""
        if not self.wants(event):
            return
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(event)
        self._arrived.set()

    def end(self) -> None:
        """Say that nothing more comes."""
        self.ended = True
        self._arrived.set()

    async def take(self, within_s: float) -> tuple[list[Told], int]:
        """Wait for what comes, for so long at most; return it, and how many were lost before it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._arrived.wait()
        if not self.ended:
            self._arrived.clear()
        found, lost = list(self._waiting), self._dropped
        self._waiting.clear()
        self._dropped = 0
        return found, lost


class Recent:
    """Keeps the last events without their words, and hands each on to those who follow. `run` it once."""

    def __init__(self) -> None:
        self._turns: deque[Told] = deque(maxlen=KEPT)
        self._others: deque[Told] = deque(maxlen=KEPT)
        self._followers: list[Follower] = []

    async def run(self, events: AsyncIterable[Event]) -> None:
        """Take what the bus gives, until cancelled; those who follow are told of the end."""
        try:
            async for event in events:
                self.take(event)
                if isinstance(event, HubStopping):
                    self._end()
        finally:
            self._end()

    def take(self, event: Event) -> None:
        """Keep an event and hand it on."""
        kind: Any = type(event)
        shape = shape_of(kind)
        (self._turns if isinstance(event, TurnOver) else self._others).append(_tell(event, shape, shape.kept))
        if self._followers:
            told = _tell(event, shape, shape.all)
            for follower in self._followers:
                follower.offer(told)

    @contextmanager
    def follow(self, recent: int, types: Collection[str]) -> Iterator[tuple[list[Told], Follower]]:
        """Give up to `recent` of the last events, and from the next one on whatever comes.

        With `types` only events of those, or that come from those. Raises `LimitError` where too many follow already.
        """
        if len(self._followers) >= FOLLOWERS:
            raise LimitError(f"{FOLLOWERS} programs and pages follow the events already")
        follower = Follower(types)
        kept = sorted((*self._turns, *self._others), key=lambda event: event.fields["time"])
        wanted = [event for event in kept if follower.wants(event)]
        self._followers.append(follower)
        try:
            yield wanted[-recent:] if recent else [], follower
        finally:
            self._followers.remove(follower)

    def _end(self) -> None:
        for follower in self._followers:
            follower.end()


def _tell(event: Event, shape: Shape, names: Collection[str]) -> Told:
    return Told(shape, {"type": shape.type, **{name: getattr(event, name) for name in names}})


@cache
def shape_of(cls: type[Any]) -> Shape:
    """Return what is known of a class of events; looked at once, as thousands may come in a second."""
    every = tuple(field.name for field in dataclasses.fields(cls))
    kept = tuple(name for name in every if name not in SPOKEN) if cls.__module__ == Event.__module__ else ("time",)
    quoting = {name for known, names in QUOTING.items() if issubclass(cls, known) for name in names}
    shown = tuple(name for name in kept if name not in quoting)
    names = frozenset(_name(each) for each in cls.__mro__ if issubclass(each, Event))
    return Shape(_name(cls), names, every, kept, shown)


def _name(cls: type[Any]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
