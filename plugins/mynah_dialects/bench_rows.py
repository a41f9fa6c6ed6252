"""What the rows of the bench have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mynah import Bench
from mynah.testing import bench_row

Rows = list[Mapping[str, Any]]

FEEDBACK_MS: Final = 10.0
OWN_MS: Final = 10.0
RATIO: Final = 1.05
ONE: Final = ("Lions eat {} meat.",)
"""A scripted reply of one phrase; the braces stand for the last word of the question."""


def few(bench: Bench) -> int:
    """Return how often something is measured that takes seconds."""
    return max(3, bench.runs // 5)


def judged(row: Mapping[str, Any], met: bool, **before: str) -> Mapping[str, Any]:
    """Return a row with whether its promise is kept, and what the older systems took."""
    return {**row, "met": "yes" if met else "no", **before}


def own_row(
    measure: str, measured: Sequence[float], engines: Sequence[float], critical: float, limit: float, **before: str
) -> Mapping[str, Any]:
    """Return a row that is kept where the hub adds no more than `limit` ms to what its engines really took."""
    row = bench_row(measure, measured, engines_ms=engines, critical_ms=critical, own_limit_ms=limit)
    return judged(row, row["own_p50_ms"] <= limit, **before)


def ratio_row(
    measure: str, measured: Sequence[float], engines: Sequence[float], critical: float, **before: str
) -> Mapping[str, Any]:
    """Return a row that is kept where all takes no more than 1.05 times what the engines really took."""
    row = bench_row(measure, measured, engines_ms=engines, critical_ms=critical, ratio_limit=RATIO)
    engine = sorted(engines)[len(engines) // 2]
    return judged(row, row["p50_ms"] <= RATIO * engine, **before)


def count_row(measure: str, **what: Any) -> Mapping[str, Any]:
    """Return a row that is no time."""
    return {"measure": measure, "sessions": 1, **what}
