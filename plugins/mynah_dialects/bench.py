"""`mynah bench wires`: what these clients were promised, measured at their sockets on scripted engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mynah import Bench, BenchmarkSpec


async def measure(bench: Bench) -> Sequence[Mapping[str, Any]]:
    """Measure every figure of the five dialects, one hub after the other."""
    from mynah_dialects.bench_replies import clinic_interpreter, news_agent, speech_console
    from mynah_dialects.bench_study import study_partner
    from mynah_dialects.bench_zoo import zoo_speaker

    rows: list[Mapping[str, Any]] = []
    for part in (zoo_speaker, study_partner, clinic_interpreter, news_agent, speech_console):
        rows += await part(bench)
    return rows


SPEC = BenchmarkSpec(
    name="wires", run=measure, description="what five older systems' clients were promised, at their sockets"
)
