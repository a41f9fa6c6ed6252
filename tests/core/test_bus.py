"""The bus: who gets which event, in what order, and what happens to a slow subscriber."""

from __future__ import annotations

import asyncio
import logging
import weakref

import pytest

from mynah.bus import EventBus
from mynah.events import (
    Event,
    Heard,
    HubStarted,
    HubStopping,
    ReplyFailed,
    SubscriptionOverflowed,
    TurnEvent,
    TurnStarted,
)


def heard(text):
    return Heard(session_id="s", turn_id="t1", text=text)


async def take(subscription, count):
    """Return the next `count` events; fails where they do not come."""
    found = []
    async with asyncio.timeout(5):
        async for event in subscription:
            found.append(event)
            if len(found) == count:
                break
    return found


async def rest(subscription):
    """Return what a subscription that has ended still holds."""
    async with asyncio.timeout(5):
        return [event async for event in subscription]


async def test_events_arrive_in_the_order_of_publishing():
    bus = EventBus()
    with bus.subscribe(Heard, name="test") as subscription:
        for number in range(100):
            bus.publish(heard(str(number)))
        assert [event.text for event in await take(subscription, 100)] == [str(n) for n in range(100)]


async def test_what_is_published_soon_comes_by_itself_and_before_what_is_published_meanwhile():
    bus = EventBus()
    with bus.subscribe(Heard, name="test") as subscription:
        bus.publish_soon(lambda: (heard("one"), heard("two")))
        assert subscription.waiting == 0
        assert [event.text for event in await take(subscription, 2)] == ["one", "two"]
        bus.publish_soon(lambda: (heard("three"),))
        bus.publish(heard("four"))
        assert [event.text for event in await take(subscription, 2)] == ["three", "four"]


async def test_a_subscription_gets_its_own_type_and_what_derives_from_it():
    bus = EventBus()
    with bus.subscribe(TurnEvent, name="turns") as turns, bus.subscribe(Event, name="all") as everything:
        bus.publish(HubStarted())
        bus.publish(heard("hello"))
        bus.publish(TurnStarted(session_id="s", turn_id="t2"))
        assert [type(event) for event in await take(turns, 2)] == [Heard, TurnStarted]
        assert [type(event) for event in await take(everything, 3)] == [HubStarted, Heard, TurnStarted]


async def test_a_subscription_gets_nothing_of_a_sibling_type():
    bus = EventBus()
    with bus.subscribe(ReplyFailed, name="test") as subscription:
        bus.publish(heard("hello"))
    assert await rest(subscription) == []


async def test_every_subscriber_gets_the_same_event():
    bus = EventBus()
    with bus.subscribe(Heard, name="one") as one, bus.subscribe(Heard, name="two") as two:
        bus.publish(heard("hello"))
        assert await take(one, 1) == await take(two, 1)


async def test_an_event_is_stamped_with_the_time_unless_it_has_one():
    bus = EventBus()
    with bus.subscribe(HubStarted, name="test") as subscription:
        bus.publish(HubStarted())
        bus.publish(HubStarted(time=5.0))
        now, then = await take(subscription, 2)
    assert now.time > 1_000_000_000
    assert then.time == 5.0


async def test_events_from_before_the_subscription_are_not_delivered():
    bus = EventBus()
    bus.publish(heard("early"))
    with bus.subscribe(Heard, name="test") as subscription:
        bus.publish(heard("late"))
        assert [event.text for event in await take(subscription, 1)] == ["late"]


async def test_a_waiting_subscriber_is_woken():
    bus = EventBus()
    with bus.subscribe(Heard, name="test") as subscription:
        waiting = asyncio.ensure_future(take(subscription, 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        bus.publish(heard("hello"))
        assert [event.text for event in await waiting] == ["hello"]


async def test_a_full_subscription_loses_its_oldest_events_and_counts_them():
    bus = EventBus()
    with bus.subscribe(Heard, name="slow", maxsize=3) as subscription:
        for number in range(10):
            bus.publish(heard(str(number)))
        assert subscription.dropped == 7
        assert [event.text for event in await take(subscription, 3)] == ["7", "8", "9"]


async def test_a_full_subscription_takes_nothing_from_the_others():
    bus = EventBus()
    with bus.subscribe(Heard, name="slow", maxsize=1) as slow, bus.subscribe(Heard, name="wide") as wide:
        for number in range(5):
            bus.publish(heard(str(number)))
        assert len(await take(wide, 5)) == 5
        assert (slow.dropped, wide.dropped) == (4, 0)


async def test_a_lossless_subscription_keeps_what_it_has_and_the_loss_is_published_and_logged(caplog):
    bus = EventBus()
    with (
        bus.subscribe(Heard, name="history", maxsize=2, lossless=True) as history,
        bus.subscribe(SubscriptionOverflowed, name="watch") as watch,
        caplog.at_level(logging.ERROR),
    ):
        for number in range(4):
            bus.publish(heard(str(number)))
        assert [event.text for event in await take(history, 2)] == ["0", "1"]
        assert [(event.subscriber, event.dropped) for event in await take(watch, 2)] == [("history", 1), ("history", 2)]
    assert "history" in caplog.text
    assert "Heard" in caplog.text


async def test_a_lossless_subscription_to_everything_does_not_overflow_over_its_own_overflow(caplog):
    bus = EventBus()
    with (
        bus.subscribe(Event, name="all", maxsize=1, lossless=True),
        bus.subscribe(Event, name="all too", maxsize=1, lossless=True),
        bus.subscribe(SubscriptionOverflowed, name="watch") as watch,
    ):
        bus.publish(HubStarted())
        bus.publish(HubStopping())
    assert [event.subscriber for event in await rest(watch)] == ["all", "all too"]


async def test_publishing_does_not_wait_for_a_subscriber_that_never_reads():
    bus = EventBus()
    with bus.subscribe(Heard, name="dead", maxsize=5) as subscription:
        for number in range(10_000):
            bus.publish(heard(str(number)))  # it has no await, so that returning at all is the point
        assert subscription.dropped == 9_995


async def test_a_subscription_that_holds_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        EventBus().subscribe(Heard, name="test", maxsize=0)


async def test_nothing_arrives_after_the_end_of_a_subscription():
    bus = EventBus()
    with bus.subscribe(Heard, name="test") as subscription:
        bus.publish(heard("in time"))
    bus.publish(heard("too late"))
    assert [event.text for event in await rest(subscription)] == ["in time"]


async def test_ending_a_subscription_ends_the_iteration_that_waits_for_it():
    bus = EventBus()
    subscription = bus.subscribe(Heard, name="test")
    waiting = asyncio.ensure_future(rest(subscription))
    await asyncio.sleep(0)
    bus.unsubscribe(subscription)
    assert await waiting == []


async def test_a_subscriber_may_end_its_subscription_while_it_iterates():
    bus = EventBus()
    subscription = bus.subscribe(Heard, name="test")
    bus.publish(heard("first"))
    bus.publish(heard("second"))
    texts = []
    async with asyncio.timeout(5):
        async for event in subscription:
            texts.append(event.text)
            bus.unsubscribe(subscription)
            bus.publish(heard("unheard"))
    assert texts == ["first", "second"]


async def test_a_subscriber_may_publish_and_subscribe_while_it_iterates():
    bus = EventBus()
    with bus.subscribe(Event, name="test") as subscription:
        bus.publish(HubStarted())
        kinds = []
        async with asyncio.timeout(5):
            async for event in subscription:
                kinds.append(type(event))
                if isinstance(event, HubStopping):
                    break
                with bus.subscribe(HubStopping, name="inner"):
                    bus.publish(HubStopping())
    assert kinds == [HubStarted, HubStopping]


async def test_ending_a_subscription_twice_is_fine():
    bus = EventBus()
    subscription = bus.subscribe(Heard, name="test")
    bus.unsubscribe(subscription)
    bus.unsubscribe(subscription)
    with subscription:
        pass


async def test_the_bus_keeps_nothing_of_a_subscription_that_has_ended():
    bus = EventBus()
    with bus.subscribe(Heard, name="test") as subscription:
        bus.publish(heard("hello"))
        await take(subscription, 1)
    gone = weakref.ref(subscription)
    del subscription
    for _ in range(5):  # asyncio closes the iterator that was left
        await asyncio.sleep(0)
    assert gone() is None


async def test_a_subscription_ends_where_its_owner_fails():
    bus = EventBus()
    with pytest.raises(RuntimeError, match="broken"), bus.subscribe(Heard, name="test") as subscription:
        raise RuntimeError("broken")
    bus.publish(heard("too late"))
    assert await rest(subscription) == []
