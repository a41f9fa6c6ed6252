"""So many at once, and who is next."""

from __future__ import annotations

import asyncio

from mynah import Places


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


async def served(places, *wanted):
    """Have each of (name, whose, due) wait while the only place is taken; return the order in which they are served."""
    order = []

    async def one(name, whose, due):
        async with places.place(whose, due=due):
            order.append(name)

    await places.take()
    async with asyncio.TaskGroup() as tasks:
        for each in wanted:
            tasks.create_task(one(*each))
            await settled()
        assert order == []
        places.give_back()
    return order


async def test_places_are_taken_without_waiting_while_there_are_any():
    places = Places(2)
    async with places.place(), places.place():
        assert places.free == 0
    assert places.free == 2


async def test_of_each_session_one_is_served_in_every_round():
    wanted = [(name, name[0], 0.0) for name in ("a1", "a2", "a3", "b1", "b2", "c1")]
    assert await served(Places(1), *wanted) == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_who_comes_later_is_served_before_the_rest_of_those_that_want_more():
    places, order = Places(1), []

    async def one(name):
        await places.take(name[0])
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        for names in (("a1", "a2", "a3", "a4"), ("b1",), (), (), ()):
            for name in names:
                tasks.create_task(one(name))
            await settled()
            if "a1" not in names:
                places.give_back()
                await settled()
    assert order == ["a1", "a2", "b1", "a3", "a4"]


async def test_without_sessions_all_are_served_in_the_order_in_which_they_came():
    wanted = [(number, None, 0.0) for number in range(6)]
    assert await served(Places(1), *wanted) == [0, 1, 2, 3, 4, 5]


async def test_what_is_due_first_goes_first_whosever_it_is():
    wanted = [("partial", "a", 1.5), ("final", "a", 0.2), ("late", "b", 0.1)]
    assert await served(Places(1), *wanted) == ["late", "final", "partial"]


async def test_who_gives_up_waiting_leaves_no_gap():
    places = Places(1)
    await places.take()
    first, second = asyncio.create_task(places.take()), asyncio.create_task(places.take())
    await settled()
    first.cancel()
    places.give_back()
    await second
    assert first.cancelled()
    assert places.free == 0
    places.give_back()
    assert places.free == 1


async def test_who_is_stopped_in_the_moment_of_its_turn_passes_it_on():
    places = Places(1)
    await places.take()
    first, second = asyncio.create_task(places.take()), asyncio.create_task(places.take())
    await settled()
    places.give_back()
    first.cancel()
    await second
    assert first.cancelled()
    places.give_back()
    assert places.free == 1
