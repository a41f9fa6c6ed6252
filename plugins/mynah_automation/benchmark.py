"""`mynah bench automations`: from an event to the first action, with many automations and many events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mynah import ActionSpec, Bench, BenchmarkSpec, Happened, MynahError, Run

AUTOMATIONS: Final = 500
A_SECOND: Final = 5_000
SECONDS: Final = 3.0
WARM_S: Final = 0.5
TICK_S: Final = 0.002
LIMIT_MS: Final = 5.0


class Stopwatch:
    """Notes how long after its event each first action began."""

    def __init__(self) -> None:
        self.delays_ms: list[float] = []
        self._wanted = 0
        self._reached = asyncio.Event()

    async def reach(self, count: int) -> None:
        """Wait until there were so many."""
        self._wanted = count
        self._reached.clear()
        if len(self.delays_ms) < count:
            await self._reached.wait()

    async def arrive(self, run: Run, data: Mapping[str, Any]) -> None:
        """Be the first action."""
        sent = run.variables["trigger"]["event"]["data"]["sent"]
        self.delays_ms.append((time.perf_counter() - sent) * 1000)
        if len(self.delays_ms) == self._wanted:
            self._reached.set()


def automation(number: int) -> dict[str, Any]:
    """Return one of the automations: an event with data, a condition, an action, and another one after it."""
    return {
        "alias": f"Bench {number}",
        "mode": "parallel",
        "max": 1000,
        "max_exceeded": "silent",
        "triggers": [{"trigger": "event", "event_type": f"bench_{number}", "event_data": {"kind": "measured"}}],
        "conditions": [{"condition": "state", "entity_id": "input_boolean.measuring", "state": "on"}],
        "actions": [{"bench_arrive": None}, {"variables": {"done": True}}],
    }


async def measure(bench: Bench) -> Sequence[Mapping[str, Any]]:
    """Send events at an even rate and time the first action of each; a trigger that is lost is an error."""
    from mynah.testing import bench_row, run_hub

    watch = Stopwatch()
    config = {
        "input_boolean": {"measuring": {"initial": True}},
        "automations": [automation(number) for number in range(AUTOMATIONS)],
    }
    action = ActionSpec(name="bench_arrive", run=watch.arrive)
    async with run_hub(bench.folder, specs=[action], config=config, installed=["automation"]) as hub:
        warm = await _send(hub, WARM_S)
        async with asyncio.timeout(10):
            await watch.reach(warm)
        watch.delays_ms.clear()
        sent = await _send(hub, SECONDS)
        async with asyncio.timeout(10):
            await watch.reach(sent)
    if len(watch.delays_ms) != sent:
        raise MynahError(f"{sent} events, but {len(watch.delays_ms)} first actions")
    delays = sorted(watch.delays_ms)
    p99 = delays[int(len(delays) * 0.99)]
    row = bench_row("event to first action", delays, critical_ms=0.0)
    return [{**row, "automations": AUTOMATIONS, "events_a_second": A_SECOND, "sent": sent, "lost": 0,
             "p99_ms": round(p99, 2), "p99_limit_ms": LIMIT_MS}]  # fmt: skip


async def _send(hub: Any, seconds: float) -> int:
    began, sent, total = time.perf_counter(), 0, int(seconds * A_SECOND)
    while sent < total:
        due = min(total, int((time.perf_counter() - began) * A_SECOND) + 1)
        for number in range(sent, due):
            hub.bus.publish(
                Happened(name=f"bench_{number % AUTOMATIONS}", data={"kind": "measured", "sent": time.perf_counter()})
            )
        sent = due
        await asyncio.sleep(TICK_S)
    return sent


BENCHMARK = BenchmarkSpec(
    name="automations", run=measure, description="500 automations and 5,000 events a second, to the first action"
)
