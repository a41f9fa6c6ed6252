"""A share of the voices: so many calls at once, session by session."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from mynah.conversation.shares import Share, Shares


async def phrase(name, log, gate):
    log.append(name)
    await gate.wait()
    yield name


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


async def said(share, session, name, log, gate):
    async with share.turn(session), aclosing(phrase(name, log, gate)) as items:
        return [item async for item in items]


async def test_no_more_than_so_many_are_made_at_once():
    share, log, gates = Share(2), [], [asyncio.Event() for _ in range(4)]
    async with asyncio.TaskGroup() as tasks:
        for number, gate in enumerate(gates):
            tasks.create_task(said(share, f"s{number}", number, log, gate))
        for number, gate in enumerate(gates):
            await settled()
            assert log == [*range(min(number + 2, 4))]
            gate.set()


async def test_those_that_wait_are_taken_session_by_session():
    share, log, gate = Share(1), [], asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1"):
            tasks.create_task(said(share, name[0], name, log, gate))
            await settled()
        gate.set()
    assert log == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_who_gives_up_waiting_leaves_no_gap():
    share, log, gate = Share(1), [], asyncio.Event()
    first, second, third = (asyncio.create_task(said(share, name, name, log, gate)) for name in ("a", "b", "c"))
    await settled()
    second.cancel()
    await settled()
    gate.set()
    assert await first == ["a"]
    assert await third == ["c"]
    assert log == ["a", "c"]


async def test_who_is_stopped_in_the_moment_of_its_turn_passes_it_on():
    share, log, gate = Share(1), [], asyncio.Event()
    first, second, third = (asyncio.create_task(said(share, name, name, log, gate)) for name in ("a", "b", "c"))
    await settled()
    gate.set()
    while not first.done():
        await asyncio.sleep(0)
        if "b" not in log:
            second.cancel()
    assert await third == ["c"]


def test_an_origin_has_one_share_and_none_where_it_needs_none():
    shares = Shares()
    assert shares.of("web", None) is None
    assert shares.of("web", 2) is shares.of("web", 2)
    assert shares.of("web", 2) is not shares.of("desktop", 2)
