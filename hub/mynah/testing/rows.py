"""The rows of `mynah bench`."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mynah.statistics import percentile

LEAST_MS: Final = 1.0
"""Of a path that takes less, a ratio would say nothing."""


def bench_row(
    measure: str,
    measured_ms: Sequence[float],
    *,
    engines_ms: Sequence[float] | None = None,
    critical_ms: float | None = None,
    sessions: int = 1,
    **more: Any,
) -> Mapping[str, Any]:
    """Return a row of `mynah bench` on `measured_ms`, one value a run; `measure` says in words what it tells.

    `engines_ms` is what the engines on the way actually took in each of the runs: the difference is the hub's own.
    `critical_ms` is what they should have taken: no hub could be faster. `own_limit_ms` and `ratio_limit`, given in
    `more`, colour the table. Raises `ValueError` where nothing was measured.
    """
    if not measured_ms:
        raise ValueError(f"{measure} measured nothing")
    own = [m - e for m, e in zip(measured_ms, engines_ms, strict=True)] if engines_ms is not None else None
    p50 = statistics.median(measured_ms)
    return {
        "measure": measure,
        "sessions": sessions,
        "critical_ms": _rounded(critical_ms),
        "p50_ms": _rounded(p50),
        "p95_ms": _rounded(p95(measured_ms)),
        "own_p50_ms": _rounded(statistics.median(own)) if own else None,
        "own_p95_ms": _rounded(p95(own)) if own else None,
        "ratio": round(p50 / critical_ms, 4) if critical_ms and critical_ms >= LEAST_MS else None,
        "runs": len(measured_ms),
        **more,
    }


def p95(values: Sequence[float]) -> float:
    """Return the smallest of `values` that 95 in 100 do not exceed."""
    return percentile(values, 0.95)


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 2)
