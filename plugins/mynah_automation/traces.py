"""What a run did, when and why: kept for people who wonder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

STEPS: Final = 500
"""Steps that one trace keeps; of a long loop the first ones."""

TEXT: Final = 300
SECRET: Final = ("webhook_id",)
"""What lets one act; whoever may look at traces is not to have it from there."""

HIDDEN: Final = "…"

Kind = Literal["condition", "action"]
Shown = Callable[[str], str]


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

    def brief(self, shown: Shown) -> dict[str, Any]:
        """Return how it went as plain data, without what was done; times in seconds, `began` since the epoch.

        `shown` makes of every text what may be seen of it.
        """
        return {
            "run": self.number,
            "began": round(self.began, 3),
            "seconds": None if self.seconds is None else round(self.seconds, 4),
            "outcome": self.outcome,
            "message": shown(self.message),
        }

    def describe(self, shown: Shown) -> dict[str, Any]:
        """Return all of it as plain data; times of steps in seconds since the run's beginning."""
        return {
            **self.brief(shown),
            "trigger": plain(self.trigger, shown),
            "variables": plain({name: value for name, value in self.variables.items() if name != "trigger"}, shown),
            "steps": [
                {
                    "kind": step.kind,
                    "place": step.place,
                    "name": step.name,
                    "at": round(step.at - self.began_at, 4),
                    "seconds": None if step.seconds is None else round(step.seconds, 4),
                    **({} if step.result is None else {"result": plain(step.result, shown)}),
                    **({"error": shown(step.error)} if step.error else {}),
                }
                for step in self.steps
            ],
            **({"steps_left_out": self.left_out} if self.left_out else {}),
        }


def plain(value: Any, shown: Shown, depth: int = 0) -> Any:
    """Return `value` as data that fits into JSON, shortened; of texts what `shown` makes of them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        text = shown(str(value))
        return value if text == str(value) else text
    if isinstance(value, str):
        value = shown(value)
        return value if len(value) <= TEXT else value[: TEXT - 1] + "…"
    if depth < 5 and isinstance(value, Mapping):
        items = list(value.items())[:50]
        return {shown(str(key)): HIDDEN if key in SECRET else plain(each, shown, depth + 1) for key, each in items}
    if depth < 5 and isinstance(value, list | tuple):
        return [plain(each, shown, depth + 1) for each in value[:50]]
    if hasattr(value, "entity_id"):
        return {"entity_id": value.entity_id, "state": shown(value.state)}
    return plain(str(value), shown, depth)
