"""The scenario `three-phrases`: three phrases that take long to make, from the text to the last of their audio."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any, Final

from mynah.bench.crowd import crowd, each, words
from mynah.bench.plan import Plan, Rows
from mynah.testing.rows import bench_row
from mynah.testing.speaker import FakeSpeaker

FIRST_MS: Final = 500.0
TOTAL_MS: Final = 3_000.0
RATIO_LIMIT: Final = 1.05
TEXT: Final = "Yes {}. Lions eat {} meat. They sleep {} a lot."
WITHIN_S: Final = 60.0


async def measure(plan: Plan) -> Rows:
    """Measure, with each number of sessions; a third of the runs, as each takes three seconds."""
    rows: list[Mapping[str, Any]] = []
    script = plan.script(tts={"first_s": FIRST_MS / 1000, "total_s": TOTAL_MS / 1000})
    async with plan.hub(None if plan.real else script) as (hub, calls):
        for sessions in plan.sessions:
            plan.tell(f"three phrases, sessions: {sessions}")
            names = words()
            measured: dict[str, float] = {}

            async def say(speaker: FakeSpeaker, chance: random.Random) -> None:
                word = next(names)  # noqa: B023  # called within this round
                began = time.monotonic()
                turn = await speaker.say(TEXT.replace("{}", word), timeout_s=WITHIN_S)
                measured[word] = (turn.audio[-1].at - began) * 1000  # noqa: B023  # the same

            async with crowd(hub, sessions) as speakers:
                await each(speakers, max(1, plan.rounds(sessions) // 3), say)
            made = calls.by_word("script_tts")
            # They are made side by side: the way to the last audio leads through the one that took longest.
            engines = None if plan.real else [max(call.took_ms[-1] for call in made[word]) for word in measured]
            rows.append(
                bench_row(
                    "three phrases",
                    list(measured.values()),
                    engines_ms=engines,
                    critical_ms=None if plan.real else TOTAL_MS,
                    sessions=sessions,
                    ratio_limit=RATIO_LIMIT,
                )
            )
    return rows
