from __future__ import annotations

import asyncio

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat
from mynah.conversation import spool as module
from mynah.conversation.spool import Spool
from mynah.outputs import (
    Interrupted,
    PhraseFailed,
    ReplyToken,
    SpeechChunk,
    SpeechEnded,
    SpeechStarted,
    TurnDropped,
)


def chunk(at_ms=0.0, ms=100.0, phrase=1, turn="t1"):
    audio = AudioChunk(bytes(LISTENING.pcm_bytes(ms)), LISTENING, ms)
    return SpeechChunk(turn_id=turn, phrase=phrase, audio=audio, at_ms=at_ms)


def started(phrase=1, turn="t1"):
    return SpeechStarted(turn_id=turn, phrase=phrase, format=LISTENING)


def ended(phrase=1, turn="t1"):
    return SpeechEnded(turn_id=turn, phrase=phrase, ms=100.0)


def phrase(number, turn="t1"):
    return [started(number, turn), chunk(100.0 * (number - 1), 100.0, number, turn), ended(number, turn)]


async def take(spool, count=1):
    return [await spool.take(lambda: False) for _ in range(count)]


def waiting(spool):
    return list(spool._waiting)


async def is_full(spool, output):
    put = asyncio.ensure_future(spool.put(output))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    full = not put.done()
    put.cancel()
    await asyncio.wait({put})
    return full


async def test_outputs_come_out_in_the_order_in_which_they_went_in():
    spool = Spool(1000)
    given = [ReplyToken(turn_id="t1", text="Yes."), *phrase(1), *phrase(2)]
    for output in given:
        await spool.put(output)
    assert await take(spool, len(given)) == given
    assert spool.waiting_ms == 0


async def test_audio_waits_for_room_and_everything_else_does_not():
    spool = Spool(150)
    for number in (1, 2):
        await spool.put(chunk(phrase=number))
    assert await is_full(spool, chunk())
    assert not await is_full(spool, ReplyToken(turn_id="t1", text="more"))
    await take(spool)
    assert not await is_full(spool, chunk())


async def test_everything_waits_once_very_much_is_there(monkeypatch):
    monkeypatch.setattr(module, "MAX_OUTPUTS", 3)
    spool = Spool(1000)
    for _ in range(3):
        await spool.put(ReplyToken(turn_id="t1", text="so "))
    assert await is_full(spool, ReplyToken(turn_id="t1", text="so "))
    spool.put_now(Interrupted(turn_id="t1", heard_ms=0, heard=""))
    assert len(waiting(spool)) == 4


async def test_who_waits_for_room_gets_it_in_turn():
    spool = Spool(50)
    await spool.put(chunk())
    puts = [asyncio.ensure_future(spool.put(chunk(phrase=number))) for number in (2, 3, 4)]
    taken = []
    for _ in range(4):
        await asyncio.sleep(0.001)
        taken += await take(spool)
    await asyncio.wait(puts, timeout=1)
    assert [output.phrase for output in taken] == [1, 2, 3, 4]


async def test_a_put_that_is_cancelled_while_it_waits_leaves_nothing():
    spool = Spool(50)
    await spool.put(chunk())
    assert await is_full(spool, chunk(phrase=2))
    await take(spool)
    assert waiting(spool) == []
    assert spool.waiting_ms == 0


async def test_a_purge_makes_room_for_others_and_touches_none_of_theirs():
    spool = Spool(150)
    for output in [*phrase(1), chunk(phrase=2), *phrase(1, "t2")]:
        spool.put_now(output)
    put = asyncio.ensure_future(spool.put(chunk(phrase=3, turn="t3")))
    await asyncio.sleep(0)
    spool.purge("t1")
    await asyncio.wait_for(put, 1)
    assert [output.turn_id for output in waiting(spool)] == ["t2"] * 3 + ["t3"]
    assert spool.waiting_ms == 200


async def test_taking_ends_when_it_is_stopped_while_it_waits():
    spool = Spool(100)
    stopped = False
    taking = asyncio.ensure_future(spool.take(lambda: stopped))
    await asyncio.sleep(0)
    stopped = True
    spool.wake()
    assert await asyncio.wait_for(taking, 1) is None


async def test_of_two_that_take_the_one_that_goes_on_gets_what_comes():
    spool = Spool(100)
    stopped = False
    first = asyncio.ensure_future(spool.take(lambda: stopped))
    await asyncio.sleep(0)
    stopped = True
    spool.wake()
    second = asyncio.ensure_future(spool.take(lambda: False))
    spool.put_now(ended())
    assert await asyncio.wait_for(second, 1) == ended()
    assert await asyncio.wait_for(first, 1) is None


async def test_phrases_that_were_not_sent_to_their_end_come_again_before_what_waits():
    spool = Spool(1000)
    for output in [*phrase(1), *phrase(2), *phrase(3)]:
        spool.put_now(output)
    await take(spool, 5)  # up to the audio of the second
    spool.rewind({("t1", 0): 100.0}, repeat=True)
    assert waiting(spool) == [*phrase(2), *phrase(3)]
    assert spool.waiting_ms == 200
    spool.rewind({("t1", 0): 100.0}, repeat=True)  # twice in a row changes nothing
    assert waiting(spool) == [*phrase(2), *phrase(3)]


async def test_how_turns_ended_is_repeated_only_where_wanted():
    gone = TurnDropped(turn_id="t1", reason="noise")
    failed = PhraseFailed(turn_id="t1", phrase=2, message="no")
    for repeat in (True, False):
        spool = Spool(1000)
        for output in [*phrase(1), failed, gone]:
            spool.put_now(output)
        await take(spool, 5)
        spool.rewind({("t1", 0): 100.0}, repeat=repeat)
        assert waiting(spool) == ([failed, gone] if repeat else [])


async def test_what_was_heard_is_forgotten_phrase_by_phrase():
    spool = Spool(1000)
    for output in [*phrase(1), *phrase(2)]:
        spool.put_now(output)
    await take(spool, 6)
    spool.forget_heard(lambda turn: 99.0)
    assert len(spool._sent) == 2
    spool.forget_heard(lambda turn: 100.0 - 1e-9)
    assert len(spool._sent) == 1
    spool.forget_heard(lambda turn: 200.0)
    assert spool.turns() == set()
    assert spool._sent_bytes == 0


async def test_turns_side_by_side_are_kept_apart():
    spool = Spool(1000)
    mixed = [
        started(1, "t1"), started(1, "t2"), chunk(turn="t1"), chunk(turn="t2"), ended(1, "t2"), ended(1, "t1"),
    ]  # fmt: skip
    for output in mixed:
        spool.put_now(output)
    await take(spool, 6)
    spool.rewind({("t1", 0): 100.0, ("t2", 0): 30.0}, repeat=True)
    assert [type(output).__name__ for output in waiting(spool)] == ["SpeechStarted", "SpeechChunk", "SpeechEnded"]
    assert {output.turn_id for output in waiting(spool)} == {"t2"}


async def test_no_more_is_kept_for_a_client_than_is_allowed(monkeypatch):
    monkeypatch.setattr(module, "MAX_SENT_BYTES", 7_000)
    spool = Spool(100_000)
    for number in range(1, 6):
        for output in phrase(number):
            spool.put_now(output)
    await take(spool, 15)
    assert spool._sent_bytes == 2 * LISTENING.pcm_bytes(100)
    spool.rewind({}, repeat=True)
    assert [output.phrase for output in waiting(spool)] == [4, 4, 4, 5, 5, 5]


async def test_one_phrase_larger_than_what_is_kept_does_not_break_it(monkeypatch):
    monkeypatch.setattr(module, "MAX_SENT_BYTES", 1_000)
    spool = Spool(100_000)
    for output in [*phrase(1), *phrase(2)]:
        spool.put_now(output)
    await take(spool, 6)
    assert spool._sent_bytes == 0


async def test_it_knows_which_turns_it_still_has_something_of():
    spool = Spool(1000)
    spool.put_now(ReplyToken(turn_id="t1", text="a"))
    for output in phrase(1, "t2"):
        spool.put_now(output)
    assert (spool.has_waiting("t1"), spool.has_waiting("t2"), spool.has_waiting("t3")) == (True, True, False)
    await take(spool, 4)
    assert not spool.has_waiting("t2")
    assert spool.turns() == {"t2"}


@pytest.mark.parametrize("count", [1, 2_000])
async def test_forgetting_is_cheap_however_much_is_kept(count):
    spool = Spool(1e9)
    for number in range(1, count + 1):
        for output in phrase(number):
            spool.put_now(output)
    await take(spool, 3 * count)
    asked = []
    spool.forget_heard(lambda turn: asked.append(turn) or 0.0)
    assert len(asked) == 1


# ---------------------------------------------------------------- taking back


def places(spool):
    return [(output.at_ms, output.audio.ms) for output in waiting(spool) if isinstance(output, SpeechChunk)]


async def test_audio_that_waits_is_taken_back_to_the_sample_and_nothing_else_is():
    spool = Spool(10_000)
    other = chunk(0, 100, 1, "t2")
    for output in [started(), chunk(0), chunk(100), other, chunk(200), ReplyToken(turn_id="t1", text="so")]:
        spool.put_now(output)
    assert spool.take_back("t1", 1, 0, 130.0) == 130.0
    assert places(spool) == [(0, 100), (100, 30), (0, 100)]
    assert len(waiting(spool)) == 5
    assert spool.waiting_ms == 230
    assert spool.take_back("t1", 1, 0, 100.0) == 100.0
    assert spool.take_back("t1", 1, 0, 0.0) == 0.0
    assert places(spool) == [(0, 100)]


async def test_what_was_sent_is_not_taken_back_but_what_comes_after_it_is():
    spool = Spool(10_000)
    for output in [started(), chunk(0), chunk(100), chunk(200)]:
        spool.put_now(output)
    await take(spool, 2)
    assert spool.take_back("t1", 1, 0, 99.0) is None
    assert places(spool) == [(100, 100), (200, 100)]
    assert spool.take_back("t1", 1, 0, 100.0) == 100.0
    assert places(spool) == []
    assert spool.take_back("t1", 1, 0, 100.0) is None


async def test_audio_that_waits_for_room_is_taken_back_too():
    spool = Spool(150)
    for at_ms in (0, 100):
        await spool.put(chunk(at_ms))
    puts = [asyncio.ensure_future(spool.put(chunk(at_ms))) for at_ms in (200, 300)]
    await asyncio.sleep(0)
    assert spool.take_back("t1", 1, 0, 250.0) == 250.0
    taken = []
    for _ in range(3):
        taken += await take(spool)
        await asyncio.sleep(0.001)
    await asyncio.wait(puts, timeout=1)
    assert [(output.at_ms, output.audio.ms) for output in taken] == [(0, 100), (100, 100), (200, 50)]
    assert waiting(spool) == []


async def test_what_a_client_that_came_back_has_heard_is_not_taken_back():
    spool = Spool(10_000)
    for output in [started(), chunk(0), chunk(100), chunk(200)]:
        spool.put_now(output)
    await take(spool, 3)
    spool.rewind({("t1", 0): 150.0}, repeat=True)
    assert spool.take_back("t1", 1, 0, 100.0) is None
    assert spool.take_back("t1", 1, 0, 160.0) == 160.0
    assert places(spool) == [(0, 100), (100, 60)]


async def test_a_container_cannot_be_cut_and_stays_as_it_is():
    spool, ogg = Spool(10_000), AudioFormat("ogg_opus", 48_000, 1)
    for at_ms in (0, 100):
        audio = AudioChunk(b"OggS" * 20, ogg, 100.0)
        spool.put_now(SpeechChunk(turn_id="t1", phrase=1, audio=audio, at_ms=at_ms))
    assert spool.take_back("t1", 1, 0, 50.0) is None
    assert places(spool) == [(0, 100), (100, 100)]
