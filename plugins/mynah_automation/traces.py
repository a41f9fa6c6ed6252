"""What a run did, when and why: kept for people who wonder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

STEPS: Final = 500
"""Steps that one trace keeps; of a long loop the first ones."""

TEXT: Final = 300
SECRET: Final = ("webhook_id",)
"""What lets one act; whoever may look at traces is not to have it from there."""

HIDDEN: Final = "…"

Kind = Literal["condition", "action"]


@dataclass(slots=True)
class Step:
    """One action, or one look at a condition. `at` and `seconds` on the loop's clock; `place` in the automation."""

    kind: Kind
    place: str
    name: str
    at: float
    seconds: float | None = None
    result: Any = None
    error: str = ""


@dataclass(slots=True)
class Trace:
    """One run. `outcome` is one of running, finished, stopped, failed, refused (a condition), cancelled."""

    number: int
    trigger: Mapping[str, Any]
    variables: Mapping[str, Any]
    began: float
    began_at: float
    steps: list[Step] = field(default_factory=list)
    outcome: str = "running"
    message: str = ""
    seconds: float | None = None
    left_out: int = 0

    def begin(self, kind: Kind, place: str, name: str) -> Step:
        """Begin a step."""
        step = Step(kind, place, name, time.monotonic())
        if len(self.steps) < STEPS:
            self.steps.append(step)
        else:
            self.left_out += 1
        return step

    def end(self, outcome: str, message: str = "") -> None:
        """Note how the run ended; the first word counts."""
        if self.outcome == "running":
            self.outcome, self.message = outcome, message
            self.seconds = time.monotonic() - self.began_at

    def brief(self) -> dict[str, Any]:
        """Return how it went as plain data, without what was done; times in seconds, `began` since the epoch."""
        return {
            "run": self.number,
            "began": round(self.began, 3),
            "seconds": None if self.seconds is None else round(self.seconds, 4),
            "outcome": self.outcome,
            "message": self.message,
        }

    def describe(self) -> dict[str, Any]:
        """Return all of it as plain data; times of steps in seconds since the run's beginning."""
        return {
            **self.brief(),
            "trigger": plain(self.trigger),
            "variables": plain({name: value for name, value in self.variables.items() if name != "trigger"}),
            "steps": [
                {
                    "kind": step.kind,
                    "place": step.place,
                    "name": step.name,
                    "at": round(step.at - self.began_at, 4),
                    "seconds": None if step.seconds is None else round(step.seconds, 4),
                    **({} if step.result is None else {"result": plain(step.result)}),
                    **({"error": step.error} if step.error else {}),
                }
                for step in self.steps
            ],
            **({"steps_left_out": self.left_out} if self.left_out else {}),
        }


def plain(value: Any, depth: int = 0) -> Any:
    """Return `value` as data that fits into JSON, shortened."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= TEXT else value[: TEXT - 1] + "…"
    if depth < 5 and isinstance(value, Mapping):
        shown = list(value.items())[:50]
        return {str(key): HIDDEN if key in SECRET else plain(each, depth + 1) for key, each in shown}
    if depth < 5 and isinstance(value, list | tuple):
        return [plain(each, depth + 1) for each in value[:50]]
    if hasattr(value, "entity_id"):
        return {"entity_id": value.entity_id, "state": value.state}
    return plain(str(value), depth)
