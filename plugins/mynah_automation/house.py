"""The house behind `mynah.House`: states, events, the clock and templates of one hub."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime, tzinfo
from typing import Any, Final

from mynah import Event, Happened, Hub, State, StateChange, Stop
from mynah_automation.clock import Clock
from mynah_automation.elements import Template
from mynah_automation.states import States
from mynah_automation.templates import Templates

log = logging.getLogger(__name__)

WAITING: Final = 65_536
"""Events that may wait to be looked at; more at once are lost, and that is reported."""

AT_ONCE: Final = 20
"""Events that are looked at before others of the hub get a turn."""

Chain = tuple[tuple[str, float], ...]
CHAIN: ContextVar[Chain] = ContextVar("automations_before", default=())
"""The automations whose doing led to what happens now, and when each of them ran."""


def event_key(name: str) -> str:
    """Return the name of an event without what people write differently: `turn_started` is `TurnStarted`."""
    return name.replace("_", "").lower()


class LiveHouse:
    """See `mynah.House` for what its public methods do."""

    def __init__(self, hub: Hub, zone: tzinfo) -> None:
        self.hub = hub
        self.clock = Clock(zone)
        self.states = States()
        self.templates = Templates(self.states.get, self.clock.now, self.states.all)
        self._followers: dict[str, dict[int, Callable[[Mapping[str, Any]], None]]] = {}
        self._numbers = 0
        self._kinds: dict[type[Event], tuple[str, tuple[str, ...]]] = {}

    def now(self) -> datetime:
        """Return the local time."""
        return self.clock.now()

    def state(self, entity_id: str) -> State | None:
        """Return the state of an entity."""
        return self.states.get(entity_id)

    def set_state(self, entity_id: str, state: str | None, attributes: Mapping[str, Any] | None = None) -> None:
        """Set the state of an entity."""
        self.states.set(entity_id, state, attributes)

    def on_state(self, entities: Iterable[str], changed: StateChange) -> Stop:
        """Call `changed` after each change."""
        return self.states.follow(entities, changed)

    def at(self, when: datetime, call: Callable[[], None]) -> Stop:
        """Call at a time of the clock."""
        return self.clock.at(when, call)

    def after(self, seconds: float, call: Callable[[], None]) -> Stop:
        """Call after a while."""
        return self.clock.after(seconds, call)

    def render(self, template: Any, variables: Mapping[str, Any]) -> Any:
        """Return what a template gives."""
        if isinstance(template, Template):
            return self.templates.render(template.source, {**template.variables, **variables})
        return self.templates.render(template, variables)

    def on_event(self, name: str, happened: Callable[[Mapping[str, Any]], None]) -> Stop:
        """Call `happened` with the data of each event of that name; "*": of every one."""
        self._numbers += 1
        key, number = event_key(name), self._numbers
        self._followers.setdefault(key, {})[number] = happened

        def stop() -> None:
            followers = self._followers.get(key, {})
            followers.pop(number, None)
            if not followers:
                self._followers.pop(key, None)

        return stop

    def fire_event(self, name: str, data: Mapping[str, Any]) -> None:
        """Send an event of one's own."""
        self.hub.bus.publish(Happened(name=name, data=data, after=CHAIN.get()))

    async def follow_events(self, ready: Callable[[], None]) -> None:
        """Tell those who follow of every event on the bus, until cancelled."""
        with self.hub.bus.subscribe(Event, name="automations", maxsize=WAITING, lossless=True) as events:
            ready()
            looked = 0
            async for event in events:
                self.tell(event)
                looked += 1
                if looked % AT_ONCE == 0:
                    await asyncio.sleep(0)

    def tell(self, event: Event) -> None:
        """Tell those who follow of one event."""
        key, names = self._kind(type(event))
        if isinstance(event, Happened):
            key = event_key(event.name)
        followers = self._followers.get(key)
        if not followers:
            return
        if isinstance(event, Happened):
            data, before = event.data, CHAIN.set(event.after)
        else:
            data, before = {name: getattr(event, name) for name in names}, CHAIN.set(())
        try:
            for happened in tuple(followers.values()):
                happened(data)
        finally:
            CHAIN.reset(before)

    def _kind(self, kind: type[Event]) -> tuple[str, tuple[str, ...]]:
        found = self._kinds.get(kind)
        if found is None:
            names = tuple(each.name for each in dataclasses.fields(kind) if each.name != "time")
            found = self._kinds[kind] = (event_key(kind.__name__), names)
        return found
