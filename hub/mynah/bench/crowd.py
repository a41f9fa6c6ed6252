"""Speakers that talk to one hub at the same time, each on its own, as people do."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import string
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from mynah.bench.plan import PLAYS, Plan
from mynah.testing.processes import HubProcess
from mynah.testing.received import ReceivedTurn
from mynah.testing.speaker import FakeSpeaker

PAUSE_S: Final = (0.1, 0.9)
"""How long a person waits, at random, before the next question: nobody keeps in step with the others."""

TURN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the word it ends with, when it was sent (seconds of `time.monotonic`), and what came of it."""

    word: str
    at: float
    turn: ReceivedTurn

    def ms(self, at: float) -> float:
        """Return how many milliseconds after the question that was."""
        return (at - self.at) * 1000


@asynccontextmanager
async def crowd(hub: HubProcess, count: int, **options: Any) -> AsyncIterator[list[FakeSpeaker]]:
    """Connect `count` speakers; `options` are those of a `FakeSpeaker`."""
    options = {"plays": [PLAYS], "playback": "silent", **options}
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FakeSpeaker(hub.url, **options)) for _ in range(count)]


async def each(
    speakers: list[FakeSpeaker], rounds: int, act: Callable[[FakeSpeaker, random.Random], Awaitable[None]]
) -> None:
    """Let every speaker do `act` so many times, after a pause of its own each time."""

    async def go_on(number: int, speaker: FakeSpeaker) -> None:
        chance = random.Random(number)  # always the same chance: runs can be compared
        for _ in range(rounds):
            await asyncio.sleep(chance.uniform(*PAUSE_S))
            await act(speaker, chance)

    async with asyncio.TaskGroup() as group:
        for number, speaker in enumerate(speakers):
            group.create_task(go_on(number, speaker))


async def ask_all(plan: Plan, hub: HubProcess, sessions: int) -> list[Asked]:
    """Let so many sessions ask their questions in writing; the first of each is not counted."""
    found: list[Asked] = []
    names = words()
    begun: set[FakeSpeaker] = set()

    async def ask(speaker: FakeSpeaker, chance: random.Random) -> None:
        word = next(names)
        text = plan.question if plan.real else f"{plan.question} {word}"
        at = time.monotonic()
        turn = await speaker.ask_text(text, timeout_s=TURN_S)
        if speaker in begun:
            found.append(Asked(word, at, turn))
        begun.add(speaker)

    async with crowd(hub, sessions) as speakers:
        await each(speakers, plan.rounds(sessions) + 1, ask)
    return found


async def cache_hits(hub: HubProcess) -> int:
    """Return how many phrases have come from the hub's speech cache so far."""
    limit = aiohttp.ClientTimeout(TURN_S)
    async with aiohttp.ClientSession(timeout=limit) as client, client.get(f"{hub.url}/health") as answer:
        return int((await answer.json())["speech_cache"]["hits"])


def words() -> Iterator[str]:
    """Return words that nobody else uses, others each time: zfkoqaaa, zfkoqaab, and so on.

    What a real voice has said in an earlier run may be in its speech cache.
    """
    mark = "".join(secrets.choice(string.ascii_lowercase.replace("q", "")) for _ in range(4))
    return (f"z{mark}q{''.join(letters)}" for letters in itertools.product(string.ascii_lowercase, repeat=3))
