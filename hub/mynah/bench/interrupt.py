"""The scenario `interrupt`: from an interruption at a random moment to silence at the socket and to free engines."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mynah.bench.crowd import crowd, each, words
from mynah.bench.plan import Plan, Rows
from mynah.testing.calls import Calls
from mynah.testing.received import ENDS, ReceivedTurn
from mynah.testing.rows import bench_row
from mynah.testing.speaker import FakeSpeaker

REPLY: Final = {"tokens": [" The", " lion", " {}", " eats", " a", " lot", " of", " meat", "."] * 8, "each_s": 0.03}
VOICE: Final = {"first_s": 0.05, "total_s": 0.4, "ms_per_word": 300.0}
MOMENTS_S: Final = (0.0, 2.5)
"""The reply is written for two seconds and sounds for longer."""

BUFFER_MS: Final = 500.0
LISTEN_ON_S: Final = 0.3
SILENCE_LIMIT_MS: Final = 50.0
FREE_LIMIT_MS: Final = 200.0
RUNS: Final = 40


@dataclass(frozen=True, slots=True)
class Stopped:
    """A reply that was interrupted `at` (seconds of `time.monotonic`)."""

    word: str
    at: float
    turn: ReceivedTurn

    def silent_ms(self) -> float:
        """Return how long after the interruption the last of its audio came; 0 where none did."""
        after = [(piece.at - self.at) * 1000 for piece in self.turn.audio if piece.at > self.at]
        return max(after, default=0.0)

    def told_ms(self) -> float:
        """Return how long after the interruption the hub said that it had stopped."""
        return next((m.at - self.at) * 1000 for m in self.turn.messages if m.name == "interrupted")


async def measure(plan: Plan) -> Rows:
    """Measure, with each number of sessions, at 40 moments or as many as there are runs, if more."""
    rows: list[Mapping[str, Any]] = []
    script = plan.script(llm=REPLY, tts=VOICE)
    async with plan.hub(None if plan.real else script) as (hub, calls):
        for sessions in plan.sessions:
            plan.tell(f"interrupt, sessions: {sessions}")
            stopped: list[Stopped] = []
            names = words()

            async def stop(speaker: FakeSpeaker, chance: random.Random) -> None:
                found = await _interrupted(speaker, chance, plan.question, next(names), real=plan.real)  # noqa: B023  # called within this round
                stopped.extend([found] if found else [])  # noqa: B023  # the same

            async with crowd(hub, sessions, playback="real_time", buffer_ms=BUFFER_MS) as speakers:
                await each(speakers, max(plan.rounds(sessions), -(-min(RUNS, plan.runs * 2) // sessions)), stop)
            rows += _rows(stopped, sessions, None if plan.real else calls)
    return rows


async def _interrupted(
    speaker: FakeSpeaker, chance: random.Random, question: str, word: str, *, real: bool
) -> Stopped | None:
    """Ask, stop the reply at some moment, and listen on; None where it had ended before."""
    known = set(speaker.turns)
    await speaker.send("text", text=question if real else f"{question} {word}")
    turn = await speaker.until(lambda: next((t for id, t in speaker.turns.items() if id not in known), None), "a turn")
    await asyncio.sleep(chance.uniform(*MOMENTS_S))
    at = time.monotonic()
    await speaker.interrupt()
    over = ("interrupted", *ENDS)
    await speaker.until(
        lambda: any(message.name in over for message in turn.messages), "the end of an interrupted reply"
    )
    await asyncio.sleep(LISTEN_ON_S)
    told = any(message.name == "interrupted" for message in turn.messages)
    return Stopped(word, at, turn) if told else None


def _rows(stopped: list[Stopped], sessions: int, calls: Calls | None) -> Rows:
    if not stopped:
        return []
    silent = [entry.silent_ms() for entry in stopped]
    told = [entry.told_ms() for entry in stopped]
    zeros = [0.0] * len(stopped)
    rows = [
        bench_row("interrupt: silence", silent, engines_ms=zeros, critical_ms=0.0, sessions=sessions,
                  max_ms=round(max(silent), 2), own_limit_ms=SILENCE_LIMIT_MS),
        bench_row("interrupt: told", told, engines_ms=zeros, critical_ms=0.0, sessions=sessions,
                  max_ms=round(max(told), 2), own_limit_ms=SILENCE_LIMIT_MS),
    ]  # fmt: skip
    if calls is not None:
        by_word = [calls.by_word(engine) for engine in ("script_llm", "script_tts")]
        free = [
            max([0.0, *((call.ended - entry.at) * 1000 for made in by_word for call in made.get(entry.word, ()))])
            for entry in stopped
        ]
        rows.append(
            bench_row("interrupt: engines free", free, engines_ms=zeros, critical_ms=0.0, sessions=sessions,
                      max_ms=round(max(free), 2), own_limit_ms=FREE_LIMIT_MS)
        )  # fmt: skip
    return rows
