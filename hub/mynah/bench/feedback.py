"""The scenario `feedback`: how soon somebody who begins to speak sees that the hub listens, and the first word."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any, Final

from mynah.bench.crowd import crowd, each
from mynah.bench.plan import Plan, Rows, spoken_question
from mynah.testing.received import ENDS
from mynah.testing.rows import bench_row
from mynah.testing.speaker import FakeSpeaker

OWN_LIMIT_MS: Final = 10.0
FRAMES_LEFT_OUT: Final = 25
"""The recording begins with half a second of silence, which nobody is shown anything for."""


async def measure(plan: Plan) -> Rows:
    """Measure, with each number of sessions, from the first chunk of the microphone's audio."""
    rows: list[Mapping[str, Any]] = []
    frame = spoken_question()[FRAMES_LEFT_OUT]
    async with plan.hub() as (hub, _):
        for sessions in plan.sessions:
            plan.tell(f"feedback, sessions: {sessions}")
            first: list[float] = []
            word: list[float] = []

            async def speak(speaker: FakeSpeaker, chance: random.Random) -> None:
                before = len(speaker.messages)
                await speaker.listen()
                began = time.monotonic()
                await speaker.feed(frame)
                heard = await speaker.until(lambda: speaker.messages[before:] or None, "the first feedback")
                first.append((heard[0].at - began) * 1000)  # noqa: B023  # called within this round
                await speaker.end_listening()
                await speaker.until(lambda: any(m.name in ENDS for m in speaker.messages[before:]), "the end")
                partial = [m.at for m in speaker.messages[before:] if m.name == "partial_transcript"]
                word.extend((at - began) * 1000 for at in partial[:1])  # noqa: B023  # the same

            async with crowd(hub, sessions) as speakers:
                await each(speakers, plan.rounds(sessions), speak)
            for name, measured in (("first feedback", first), ("first word heard", word)):
                if measured:
                    own = None if plan.real and measured is word else [0.0] * len(measured)
                    rows.append(bench_row(name, measured, engines_ms=own, critical_ms=0.0, sessions=sessions,
                                          own_limit_ms=OWN_LIMIT_MS))  # fmt: skip
    return rows
