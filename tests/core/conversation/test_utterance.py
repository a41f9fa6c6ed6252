from __future__ import annotations

import asyncio
import random

import pytest

from mynah.conversation.utterance import Utterance
from mynah.errors import LimitError


async def read(utterance):
    return [chunk async for chunk in utterance.read()]


async def test_every_reader_gets_the_whole_of_it_whenever_it_begins():
    utterance = Utterance(10_000)
    early = asyncio.ensure_future(read(utterance))
    await asyncio.sleep(0)
    utterance.append(b"aabb")
    await asyncio.sleep(0)
    middle = asyncio.ensure_future(read(utterance))
    await asyncio.sleep(0)
    utterance.append(b"cc")
    utterance.end()
    assert b"".join(await read(utterance)) == b"".join(await early) == b"".join(await middle) == b"aabbcc"


async def test_a_reader_that_leaves_does_not_disturb_the_others():
    utterance = Utterance(10_000)
    leaves, stays = (asyncio.ensure_future(read(utterance)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    utterance.append(b"aa")
    utterance.end()
    assert await stays == [b"aa"]
    assert not utterance._waiters


async def test_audio_beyond_the_limit_ends_it():
    utterance = Utterance(7)  # three samples
    utterance.append(b"aabbccdd")
    assert (utterance.cut, utterance.ended, utterance.size) == (True, True, 6)
    utterance.append(b"ee")
    assert await read(utterance) == [b"aabbcc"]


async def test_audio_after_the_end_is_ignored():
    utterance = Utterance(100)
    utterance.append(b"aa")
    utterance.end()
    ended_at = utterance.ended_at
    utterance.append(b"bb")
    utterance.end()
    assert utterance.ended_at == ended_at
    assert await read(utterance) == [b"aa"]


async def test_readers_get_whole_samples_however_it_is_cut():
    chance = random.Random(1)
    utterance = Utterance(10_000)
    data = rest = bytes(range(250)) * 8
    while rest:
        size = chance.randint(1, 5)
        utterance.append(rest[:size])
        rest = rest[size:]
    utterance.end()
    chunks = await read(utterance)
    assert b"".join(chunks) == data
    assert not [chunk for chunk in chunks if len(chunk) % 2]


async def test_one_that_forgets_drops_the_oldest_that_was_read_and_never_ends_by_itself():
    utterance = Utterance(8, forgets=True)
    reader = utterance.read()
    utterance.append(b"aabb")
    assert await anext(reader) == b"aabb"
    utterance.append(b"ccdd")
    utterance.append(b"eeff")
    assert (utterance.size, utterance.ended) == (8, False)
    utterance.end()
    assert [chunk async for chunk in reader] == [b"ccdd", b"eeff"]
    assert await read(utterance) == [b"ccdd", b"eeff"]


async def test_one_that_forgets_refuses_audio_while_none_of_it_was_read():
    utterance = Utterance(8, forgets=True)
    reader = utterance.read()
    for data in (b"aabb", b"ccdd"):
        utterance.append(data)
    with pytest.raises(LimitError, match="too slow"):
        utterance.append(b"ee")
    assert await anext(reader) == b"aabb"
    utterance.append(b"ff")
    assert [await anext(reader), await anext(reader)] == [b"ccdd", b"ff"]
    await reader.aclose()
