"""Measures what the hub adds to its engines: `python tests/bench/measure.py [--json]`.

The hub runs in a process of its own and everything is measured at the client's socket. `own` is what was measured
minus the critical path of the engines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from hub_process import HubProcess, hub_process, scripted_config  # a script beside its helper

from mynah.audio import AudioFormat, read_audio  # after the path is set
from mynah.audio.formats import LISTENING  # the same
from mynah.testing.speaker import FakeSpeaker  # the same

PLAYS = AudioFormat("pcm_s16le", 16_000, 1)
FRAME = b"\x01\x10" * 320
TOKENS = ["Lions", " eat", " meat", ",", " zebras", " and", " more", "."]
SCRIPT = {"llm": {"first_s": 0.095, "each_s": 0.04, "tokens": TOKENS}, "tts": {"first_s": 0.05, "total_s": 0.1}}
QUESTION = Path(__file__).parents[2] / "hub" / "mynah" / "cli" / "question.wav"

Scenario = Callable[[Path, int], Awaitable[list[dict[str, Any]]]]


def row(scenario: str, critical_ms: float, measured: list[float], **more: Any) -> dict[str, Any]:
    own = [value - critical_ms for value in measured]
    return {
        "scenario": scenario,
        "critical_ms": round(critical_ms, 1),
        "p50_ms": round(statistics.median(measured), 1),
        "p95_ms": round(sorted(measured)[int(0.95 * (len(measured) - 1))], 1),
        "own_p50_ms": round(statistics.median(own), 1),
        "runs": len(measured),
        **more,
    }


async def first_audio(folder: Path, runs: int) -> list[dict[str, Any]]:
    measured, tokens, feedback = [], [], []
    async with hub_process(folder, scripted_config(**SCRIPT)) as hub, FakeSpeaker(hub.url, plays=[PLAYS]) as speaker:
        for _ in range(runs):
            began = time.monotonic()
            turn = await speaker.ask_text("what do lions eat")
            measured.append((turn.audio[0].at - began) * 1000)
            tokens.append((turn.all("token")[0].at - began) * 1000)
        for _ in range(runs):
            await speaker.listen()
            before = len(speaker.messages)
            began = time.monotonic()
            await speaker.feed(FRAME)
            heard = await speaker.until(lambda: speaker.messages[before:] or None)  # noqa: B023  # used at once
            feedback.append((heard[0].at - began) * 1000)
            await speaker.end_listening()
            await speaker.expect("turn_finished")
    return [
        row("first audio, scripted", 95 + 3 * 40 + 50, measured),
        row("first token, scripted", 95, tokens),
        row("feedback on the first chunk", 0, feedback),
    ]


async def three_phrases(folder: Path, runs: int) -> list[dict[str, Any]]:
    config = scripted_config(tts={"first_s": 0.5, "total_s": 3.0})
    measured = []
    async with hub_process(folder, config) as hub, FakeSpeaker(hub.url, plays=[PLAYS]) as speaker:
        for _ in range(max(3, runs // 10)):
            began = time.monotonic()
            turn = await speaker.say("Yes. Lions eat meat. They sleep a lot.", timeout_s=30)
            measured.append((turn.audio[-1].at - began) * 1000)
    found = row("three phrases of 3 s, unpaced", 3000, measured)
    return [{**found, "ratio": round(found["p50_ms"] / 3000, 4)}]


async def embedded(folder: Path, runs: int) -> list[dict[str, Any]]:
    pcm = b"".join(chunk.data for chunk in read_audio(QUESTION, LISTENING))
    frames = [pcm[i : i + 640] for i in range(0, len(pcm), 640)]
    own, whole, engines = [], [], {}
    async with hub_process(folder, {}) as hub, FakeSpeaker(hub.url, plays=[PLAYS]) as speaker:
        await speaker.ask_audio(frames, timeout_s=60)  # the first turn may still wait for a model
        idle, workers = hub.resident_mb(), hub.workers_mb()
        for _ in range(max(5, runs // 3)):
            began = time.monotonic()
            task = asyncio.create_task(speaker.ask_audio(frames, real_time=True, timeout_s=30))
            turn = await task
            ended = began + LISTENING.pcm_ms(len(pcm)) / 1000
            told = turn.last("turn_finished")
            engines = told["engine_ms"]
            whole.append((turn.audio[0].at - ended) * 1000)
            own.append(whole[-1] - sum(engines.values()))
        start = hub.ready_s
    taken = statistics.median(w - o for w, o in zip(whole, own, strict=True))
    return [
        {**row("first audio, embedded engines", taken, whole), "own_p50_ms": round(statistics.median(own), 1),
         "own_max_ms": round(max(own), 1), "engine_ms": {k: round(v, 1) for k, v in engines.items()}},
        {"scenario": "hub on embedded engines", "healthy_s": round(start, 2), "resident_mb": round(idle, 1),
         "workers_mb": round(workers, 1)},
    ]  # fmt: skip


async def start(folder: Path, runs: int) -> list[dict[str, Any]]:
    ready, idle = [], 0.0
    for _ in range(3):
        async with hub_process(folder, {}) as hub:
            ready.append(hub.ready_s)
            await asyncio.sleep(3)
            idle, workers = hub.resident_mb(), hub.workers_mb()
    return [{"scenario": "start", "healthy_s": [round(s, 2) for s in ready], "idle_mb": round(idle, 1),
             "workers_mb": round(workers, 1)}]  # fmt: skip


async def memory(folder: Path, runs: int) -> list[dict[str, Any]]:
    config = scripted_config(
        llm={"first_s": 0.1, "each_s": 0.02, "tokens": [" word", " more", "."] * 40},
        tts={"first_s": 0.05, "total_s": 0.2, "ms_per_word": 300.0},
    )
    async with hub_process(folder, config) as hub:
        idle = await _slope(hub, talking=False)
        talking = await _slope(hub, talking=True)
    return [{"scenario": "memory of a session, 10 to 110", "idle_mb": idle, "talking_mb": talking}]


async def _slope(hub: HubProcess, *, talking: bool) -> float:
    speakers: list[FakeSpeaker] = []
    sizes = []
    try:
        for goal in (10, 110):
            while len(speakers) < goal:
                speaker = FakeSpeaker(hub.url, plays=[PLAYS], buffer_ms=500.0, playback="real_time")
                await speaker.connect()
                speakers.append(speaker)
            if talking:
                for _ in range(25):
                    await asyncio.gather(*(_talk(speaker) for speaker in speakers))
            await asyncio.sleep(1)
            sizes.append(hub.resident_mb())
    finally:
        for speaker in speakers:
            await speaker.send("bye")
            await speaker.drop()
    return round((sizes[1] - sizes[0]) / 100, 3)


async def _talk(speaker: FakeSpeaker) -> None:
    if not speaker.turns or list(speaker.turns.values())[-1].over:
        await speaker.listen()
        for _ in range(25):
            await speaker.feed(FRAME)
        await speaker.end_listening()
    await asyncio.sleep(0.2)


SCENARIOS: dict[str, Scenario] = {
    "first-audio": first_audio,
    "three-phrases": three_phrases,
    "embedded": embedded,
    "start": start,
    "memory": memory,
}


async def measure(names: list[str], runs: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows += await SCENARIOS[name](Path(folder), runs)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"some of {', '.join(SCENARIOS)}; none: all")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = asyncio.run(measure(arguments.scenarios or list(SCENARIOS), arguments.runs))
    if arguments.json:
        print(json.dumps(rows))
        return
    for found in rows:
        print(f"{found.pop('scenario'):36}", "  ".join(f"{key} {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
