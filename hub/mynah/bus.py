"""The bus: events from whoever publishes to whoever subscribed. It never blocks and never carries audio."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Generic, TypeVar

from mynah.events import Event, SubscriptionOverflowed

log = logging.getLogger(__name__)
E = TypeVar("E", bound=Event)

Kind = type[E] | tuple[type[E], ...]
"""Which events: those of a type, or of one of several."""


class EventSubscription(Generic[E]):
    """A bounded queue of events of one type; see `mynah.hub_protocol.Subscription`."""

    def __init__(self, bus: EventBus, kind: Kind[E], name: str, maxsize: int, lossless: bool) -> None:
        self.kind = kind
        self.name = name
        self.dropped = 0
        self.lossless = lossless
        self._bus = bus
        self._maxsize = maxsize
        self._events: deque[E] = deque()
        self._arrived = asyncio.Event()
        self.awaited = False
        self._ended = False

    @property
    def waiting(self) -> int:
        """Events that were not taken yet."""
        return len(self._events)

    def offer(self, event: E) -> bool:
        """Queue `event`; return False where a lossless subscription had to lose it."""
        if len(self._events) >= self._maxsize:
            self.dropped += 1
            if self.lossless:
                return False
            self._events.popleft()
        self._events.append(event)
        return True

    def wake(self) -> None:
        """Have whoever waits take what is queued."""
        if self._events and self.awaited:
            self.awaited = False
            self._arrived.set()

    def end(self) -> None:
        """Let whoever iterates have what is queued, and then no more."""
        self._ended = True
        self._arrived.set()

    async def __aiter__(self) -> AsyncIterator[E]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended:
                return
            self._arrived.clear()
            self.awaited = True
            await self._arrived.wait()

    def __enter__(self) -> EventSubscription[E]:
        return self

    def __exit__(self, *exc: object) -> None:
        self._bus.unsubscribe(self)


class EventBus:
    """Hands each event to every subscription of its type or of a base of it, in the order of publishing."""

    def __init__(self) -> None:
        self._subscriptions: list[EventSubscription[Event]] = []
        self._waking = False
        self._soon: list[Callable[[], Iterable[Event]]] = []

    def publish(self, event: Event) -> None:
        """Hand `event` on; stamps its time where it has none."""
        if self._soon:
            self._publish_now()
        takers = [sub for sub in self._subscriptions if isinstance(event, sub.kind)]
        if takers and not event.time:
            # Frozen for everybody else; a copy would cost a turn a hundredth of the hub's own time.
            object.__setattr__(event, "time", time.time())
        full = []
        for subscription in takers:
            if not subscription.offer(event):
                full.append(subscription)
            if subscription.awaited and not self._waking:
                # What is told has happened; a turn that goes on meanwhile is what somebody waits for.
                self._waking = True
                asyncio.get_running_loop().call_soon(self._wake)
        for subscription in full:
            log.error("subscription %s is full; lost %s", subscription.name, type(event).__name__)
            if not isinstance(event, SubscriptionOverflowed):
                self.publish(SubscriptionOverflowed(subscriber=subscription.name, dropped=subscription.dropped))

    def publish_soon(self, make: Callable[[], Iterable[Event]]) -> None:
        """Make events and hand them on when this step of the loop is over, before all that is published later."""
        if not self._soon:
            asyncio.get_running_loop().call_soon(self._publish_now)
        self._soon.append(make)

    def _publish_now(self) -> None:
        soon, self._soon = self._soon, []
        for make in soon:
            for event in make():
                self.publish(event)

    def _wake(self) -> None:
        self._waking = False
        for subscription in self._subscriptions:
            subscription.wake()

    def subscribe(
        self, kind: Kind[E], *, name: str, maxsize: int = 256, lossless: bool = False
    ) -> EventSubscription[E]:
        """Return a subscription; full, the oldest event is dropped and counted, or, lossless, the loss reported."""
        if maxsize < 1:
            raise ValueError(f"subscription {name} must hold at least one event, not {maxsize}")
        subscription = EventSubscription(self, kind, name, maxsize, lossless)
        self._subscriptions.append(subscription)  # type: ignore[arg-type]  # offered only events of its own kind
        return subscription

    def describe(self) -> dict[str, dict[str, float]]:
        """Return how many events wait for each subscriber, and how many it has lost."""
        found: dict[str, dict[str, float]] = {}
        for subscription in self._subscriptions:
            entry = found.setdefault(f"bus: {subscription.name}", {"waiting": 0, "dropped": 0})
            entry["waiting"] += subscription.waiting
            entry["dropped"] += subscription.dropped
        return found

    def unsubscribe(self, subscription: EventSubscription[E]) -> None:
        """End a subscription, and with it the iteration over it; ending it twice is fine."""
        subscription.end()
        self._subscriptions = [sub for sub in self._subscriptions if sub is not subscription]
