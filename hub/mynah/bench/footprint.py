"""The scenarios `embedded`, `start` and `memory`: the hub as it comes, and what it costs the machine."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any, Final

from mynah.audio import LISTENING
from mynah.bench.crowd import crowd
from mynah.bench.plan import PLAYS, Plan, Rows, spoken_question
from mynah.testing.processes import HubProcess
from mynah.testing.rows import bench_row
from mynah.testing.speaker import FakeSpeaker

PLAIN: Final = {"engines": {"vad": [{"engine": "vad", "model": "webrtc"}]}}
"""The engines of a plain installation; with the extra `whisper` a better and larger detector takes its place."""

FRAME: Final = b"\x01\x10" * 320
CHATTY: Final = {"first_s": 0.1, "each_s": 0.02, "tokens": [" word", " more", "."] * 40}
SLOW: Final = {"first_s": 0.05, "total_s": 0.2, "ms_per_word": 300.0}
FEW: Final = 10
MANY: Final = 110
SETTLE_S: Final = 1.0
IDLE_S: Final = 3.0


async def embedded(plan: Plan) -> Rows:
    """Ask the recorded question at the speed of speech; the hub says what its engines took after the end of it."""
    frames = spoken_question()
    lasts_s = LISTENING.pcm_ms(sum(map(len, frames))) / 1000
    whole, engines, told = [], [], []
    plan.tell("embedded engines")
    async with plan.hub(PLAIN) as (hub, _), FakeSpeaker(hub.url, plays=[PLAYS]) as speaker:
        await speaker.ask_audio(frames, timeout_s=60)  # the first turn may still wait for a model
        idle, workers = hub.resident_mb(), hub.workers_mb()
        for _ in range(max(1, plan.runs // 3)):
            began = time.monotonic()
            turn = await speaker.ask_audio(frames, real_time=True, timeout_s=30)
            finished = turn.last("turn_finished")
            whole.append((turn.audio[0].at - began - lasts_s) * 1000)
            engines.append(sum(finished["engine_ms"].values()))
            told.append(finished["engine_ms"])
        healthy_s = hub.healthy_s
    return [
        bench_row(
            "first audio, embedded engines", whole, engines_ms=engines, critical_ms=statistics.median(engines),
            own_limit_ms=15.0, engine_ms={stage: round(ms, 1) for stage, ms in told[-1].items()},
        ),
        _figures("hub on embedded engines", healthy_s=round(healthy_s, 2), resident_mb=round(idle, 1),
                 workers_mb=round(workers, 1)),
    ]  # fmt: skip


async def start(plan: Plan) -> Rows:
    """Start a hub on the embedded engines, three times, and leave it alone."""
    healthy, idle, workers = [], 0.0, 0.0
    for number in range(min(3, plan.runs)):
        plan.tell(f"start, {number + 1}")
        async with plan.hub(PLAIN) as (hub, _):
            healthy.append(hub.healthy_s)
            await asyncio.sleep(IDLE_S)
            idle, workers = hub.resident_mb(), hub.workers_mb()
    figures = {"idle_mb": round(idle, 1), "workers_mb": round(workers, 1), "healthy_limit_s": 2}
    return [_figures("start", healthy_s=round(statistics.median(healthy), 2), **figures)]


async def memory(plan: Plan) -> Rows:
    """Compare a hub of ten sessions with one of a hundred more, idle and talking."""
    found = {}
    async with plan.hub(plan.script(llm=CHATTY, tts=SLOW)) as (hub, _):
        for name, rounds in (("idle_mb", 0), ("talking_mb", min(25, plan.runs))):
            plan.tell(f"memory, {name}")
            few = await _resident_mb(hub, FEW, rounds)
            many = await _resident_mb(hub, MANY, rounds)
            found[name] = round((many - few) / (MANY - FEW), 3)
    return [_figures("memory of a session", **found)]


async def _resident_mb(hub: HubProcess, sessions: int, rounds: int) -> float:
    async with crowd(hub, sessions, playback="real_time", buffer_ms=500.0) as speakers:
        for _ in range(rounds):
            await asyncio.gather(*(_talk(speaker) for speaker in speakers))
        await asyncio.sleep(SETTLE_S)
        return hub.resident_mb()


async def _talk(speaker: FakeSpeaker) -> None:
    if not speaker.turns or list(speaker.turns.values())[-1].over:
        await speaker.listen()
        for _ in range(25):
            await speaker.feed(FRAME)
        await speaker.end_listening()
    await asyncio.sleep(0.2)


def _figures(measure: str, **figures: Any) -> dict[str, Any]:
    """Return a row of figures that are no times of a path."""
    times = dict.fromkeys(("critical_ms", "p50_ms", "p95_ms", "own_p50_ms", "own_p95_ms", "ratio"))
    return {"measure": measure, "sessions": 0, **times, **figures}
