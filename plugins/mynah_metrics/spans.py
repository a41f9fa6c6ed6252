"""A turn's timeline as spans: one for the turn, and below it one for each stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mynah import Replied, ReplyFailed, ReplyInterrupted, TurnOver, stages

KINDS: Final = {"transcribing": "stt", "thinking": "llm", "translating": "translate", "speaking": "tts"}
"""The kind of engine that does a stage's work."""

Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """Some work; times are nanoseconds since the epoch. `first` is when it had its first result, `error` why it broke.

    No words of the conversation are in it.
    """

    name: str
    begin: int
    end: int
    first: int | None = None
    error: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    children: tuple[Span, ...] = ()


def span(event: TurnOver) -> Span | None:
    """Return the span of a turn that is over, or None where another event has told of it already."""
    if isinstance(event, ReplyInterrupted) and event.made:
        return None
    marks = event.timeline
    over = marks.get("finished", max(marks.values(), default=0.0))

    def at(ms: float) -> int:
        return int((event.time + (ms - over) / 1000) * 1e9)

    children = tuple(
        Span(
            stage, at(times.begin), at(times.end), at(times.first), attributes=_work(event, KINDS.get(stage, ""))
        )
        for stage, times in stages(marks, event.engines).items()
    )  # fmt: skip
    return Span(
        "turn",
        at(min(marks.values(), default=0.0)),
        at(over),
        at(marks["first_audio"]) if "first_audio" in marks else None,
        event.error if isinstance(event, ReplyFailed) else "",
        _facts(event),
        children,
    )


def _facts(event: TurnOver) -> dict[str, Value]:
    facts: dict[str, Value] = {
        "mynah.session": event.session_id,
        "mynah.turn": event.turn_id,
        "mynah.recipe": event.recipe,
        "mynah.outcome": _outcome(event),
    }
    if event.origin:
        facts["mynah.origin"] = event.origin
    if "first_audio" in event.timeline:
        facts["mynah.first_audio_ms"] = event.timeline["first_audio"]
    return facts


def _outcome(event: TurnOver) -> str:
    if isinstance(event, Replied):
        return event.outcome
    return "failed" if isinstance(event, ReplyFailed) else "interrupted"


def _work(event: TurnOver, kind: str) -> dict[str, Value]:
    work: dict[str, Value] = {}
    if kind in event.engines:
        work["mynah.engine"] = event.engines[kind]
    if kind in event.engine_ms:
        work["mynah.engine_ms"] = event.engine_ms[kind]
    if event.troubles.get(kind):
        work["mynah.troubles"] = "; ".join(event.troubles[kind])
    return work
