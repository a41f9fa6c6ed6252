"""How turns went, counted from their timelines: of one session, and of all."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mynah.timeline import Timeline, stages

RECENT: Final = 200
"""Turns of which the percentiles are told: the last ones."""

BUCKETS_MS: Final = (5, 10, 25, 50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_500, 5_000, 10_000, 30_000)
"""Up to where times are counted together, in milliseconds; what is longer counts for itself."""


class Times:
    """How long something took: percentiles of the last `RECENT` times, and counts of all of them."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._counts = [0] * (len(BUCKETS_MS) + 1)
        self._sum = 0.0

    def note(self, ms: float) -> None:
        """Count one time."""
        self._recent.append(ms)
        self._counts[bisect_left(BUCKETS_MS, ms)] += 1
        self._sum += ms

    def describe(self) -> Mapping[str, Any]:
        """Return `count`, `sum`, `p50`, `p95` in milliseconds, and `buckets`: bounds and how many were within each."""
        within, buckets = 0, []
        for bound, count in zip((*BUCKETS_MS, None), self._counts, strict=True):
            within += count
            buckets.append((bound, within))
        return {
            "count": within,
            "sum": round(self._sum, 1),
            "p50": round(percentile(self._recent, 0.5), 1) if within else None,
            "p95": round(percentile(self._recent, 0.95), 1) if within else None,
            "buckets": buckets,
        }


class Statistics:
    """Turns by how they ended, and what those who asked waited for. What is noted here is noted in `whole` too."""

    def __init__(self, whole: Statistics | None = None) -> None:
        self._whole = whole
        self._turns: Counter[str] = Counter()
        self._said = 0
        self._interruptions = 0
        self._failovers: Counter[str] = Counter()
        self._first_audio = Times()
        self._stages: dict[str, Times] = {}
        self._engines: dict[tuple[str, str], Times] = {}

    def note_turn(self, outcome: str, timeline: Timeline) -> None:
        """Count a turn that is over; `outcome` is that of its exchange, or "dropped"."""
        self._turns[outcome] += 1
        ms = timeline.ms()
        if "first_audio" in ms:
            self._first_audio.note(ms["first_audio"])
        for stage, times in stages(ms, timeline.engines).items():
            if stage != "listening":  # as long as the person spoke: nobody waits for that
                self._stages.setdefault(stage, Times()).note(times.first - times.begin)
        for stage, took in timeline.engine_ms.items():
            self._engines.setdefault((stage, timeline.engines.get(stage, "")), Times()).note(took)
        self._failovers.update(timeline.failovers)
        if self._whole is not None:
            self._whole.note_turn(outcome, timeline)

    def note_said(self) -> None:
        """Count a text or a sound that was said as it is."""
        self._said += 1
        if self._whole is not None:
            self._whole.note_said()

    def note_interruption(self) -> None:
        """Count a reply that was stopped, whether it was being made or was sounding."""
        self._interruptions += 1
        if self._whole is not None:
            self._whole.note_interruption()

    def describe(self) -> Mapping[str, Any]:
        """Return the counts, and of each time what `Times.describe` returns."""
        return {
            "turns": dict(self._turns),
            "said": self._said,
            "interruptions": self._interruptions,
            "failovers": dict(self._failovers),
            "first_audio_ms": self._first_audio.describe(),
            "stages_ms": {stage: times.describe() for stage, times in self._stages.items()},
            "engines_ms": [
                {"stage": stage, "engine": engine, **times.describe()}
                for (stage, engine), times in self._engines.items()
            ],
        }


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest of `values` that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]
