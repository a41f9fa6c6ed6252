from __future__ import annotations

import asyncio
import itertools
import threading
import time

import pytest

from mynah import EngineUnavailable
from mynah_whisper.slots import Slots, spares


async def test_strays_are_bounded_and_give_their_slot_back_when_they_end():
    slots, release = Slots(1), threading.Event()
    try:
        for _ in range(spares(1) + 1):
            turn = asyncio.create_task(slots.run(lambda: lambda stop: release.wait(5), 0))
            await asyncio.sleep(0.01)
            turn.cancel()
            await asyncio.wait({turn})
        assert slots.free == 0
        release.set()
        assert await asyncio.wait_for(slots.run(lambda: lambda stop: "next", 0), 5) == "next"
        async with asyncio.timeout(5):
            while slots.free == 0:  # noqa: ASYNC110 - the slots tell nobody
                await asyncio.sleep(0.001)
    finally:
        release.set()
        slots.close()


async def test_decodes_of_all_utterances_take_turns():
    """One session with many utterances gets no more turns than it has decodes waiting, and never two in a row."""
    slots, order = Slots(1), []

    async def utterance(name, decodes):
        for _ in range(decodes):
            await slots.run(lambda: lambda stop: order.append(name), time.monotonic())

    try:
        await asyncio.gather(*(utterance(name, 6) for name in ("a", "b", "c", "quiet")))
    finally:
        slots.close()
    places = [place for place, name in enumerate(order) if name == "quiet"]
    assert all(after - before <= 4 for before, after in itertools.pairwise(places))


async def test_the_end_of_speech_is_decoded_before_windows_that_can_wait():
    slots, order, release = Slots(1), [], threading.Event()
    try:
        turns = [asyncio.create_task(slots.run(lambda: lambda stop: release.wait(5), 0))]
        await asyncio.sleep(0.01)
        for name, due in (("partial", 1.5), ("final", 0.2), ("late partial", 0.1)):
            turns.append(asyncio.create_task(slots.run(lambda name=name: lambda stop: order.append(name), due)))
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*turns)
    finally:
        slots.close()
    assert order == ["late partial", "final", "partial"]


async def test_an_utterance_given_up_while_it_waits_leaves_the_queue():
    slots, release = Slots(1), threading.Event()
    try:
        running = asyncio.create_task(slots.run(lambda: lambda stop: release.wait(5), 0))
        waiting = asyncio.create_task(slots.run(lambda: lambda stop: None, 0))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait({waiting})
        release.set()
        await running
        assert slots.free == 1
    finally:
        slots.close()


async def test_what_the_work_raises_is_raised_and_the_slot_is_free_again():
    slots = Slots(2)

    def fail(stop):
        raise ValueError("broken")

    try:
        with pytest.raises(ValueError, match="broken"):
            await slots.run(lambda: fail, 0)
        assert slots.free == 2
    finally:
        slots.close()


async def test_work_is_prepared_only_once_there_is_a_slot_for_it():
    slots, release, prepared = Slots(1), threading.Event(), []
    try:
        running = asyncio.create_task(slots.run(lambda: lambda stop: release.wait(5), 0))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(slots.run(lambda: prepared.append("now") or (lambda stop: None), 0))
        await asyncio.sleep(0.01)
        assert not prepared
        release.set()
        await asyncio.gather(running, waiting)
        assert prepared == ["now"]
    finally:
        slots.close()


async def test_once_closed_nothing_begins():
    slots = Slots(1)
    slots.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        await slots.run(lambda: lambda stop: None, 0)
    assert slots.free == 1


def test_a_stray_that_outlives_the_event_loop_says_nothing(caplog):
    release = threading.Event()

    async def leave_one_behind():
        slots = Slots(1)
        turn = asyncio.create_task(slots.run(lambda: lambda stop: release.wait(5), 0))
        await asyncio.sleep(0.01)
        turn.cancel()
        await asyncio.wait({turn})
        slots.close()

    asyncio.run(leave_one_behind())
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("whisper"):
            thread.join(5)
    assert not caplog.records
