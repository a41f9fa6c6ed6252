"""When things happened in a turn: monotonic marks, set in one place, read by every wire, the log and the bench."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mynah.errors import Refusal

MARKS: Final = (
    "opened",        # the turn began: speech started, or text was submitted
    "speech_end",    # the last audio of the utterance arrived; for text, its submission
    "transcript",    # the words are known
    "acknowledged",  # the audio of an acknowledgement is ready to be sent: the reply is long in coming
    "first_token",   # the reply's first token
    "first_word",    # the reply's first whole word
    "first_phrase",  # the reply's first phrase is complete
    "first_audio",   # the first audio of the reply is ready to be sent
    "last_token",
    "last_audio",
    "finished",
)  # fmt: skip
"""Every mark, in the order in which they fall."""


STAGES: Final = {
    "listening": ("opened", "speech_end", "speech_end"),
    "transcribing": ("speech_end", "transcript", "transcript"),
    "thinking": ("transcript", "first_token", "last_token"),
    "speaking": ("first_phrase", "first_audio", "last_audio"),
}
"""Of each stage the marks of its beginning, its first result and its end."""


def now() -> float:
    """Return the monotonic clock that every mark, limit and pace is measured by, in seconds."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class StageTimes:
    """When a stage began, had its first result, and ended, in milliseconds since the end of speech."""

    begin: float
    first: float
    end: float


def stages(ms: Mapping[str, float], engines: Collection[str] = ()) -> dict[str, StageTimes]:
    """Return the times of each stage that had a result, from marks in milliseconds as `Timeline.ms` gives them.

    A turn that was asked in writing has no listening and no transcribing; one that had a translator among its `engines`
    has translating in the place of thinking.
    """
    marks = dict(ms)
    spoken = "transcript" in marks
    if "speech_end" in marks:
        marks.setdefault("transcript", marks["speech_end"])
    found = {}
    for stage, (begin, first, end) in STAGES.items():
        if begin in marks and first in marks and (spoken or stage not in ("listening", "transcribing")):
            name = "translating" if stage == "thinking" and "translate" in engines else stage
            found[name] = StageTimes(marks[begin], marks[first], max(marks[first], marks.get(end, marks[first])))
    return found


@dataclass(slots=True)
class Timeline:
    """The marks of one turn, in seconds of a monotonic clock, and the time its engines took inside their own calls.

    The first call of `mark` for a name counts; `last_*` marks move. `engine_ms` is, for each stage, what the path to
    the first audio waited inside an engine: the rest is the hub's own. `engines` names
    the one of each stage that answered, `troubles` says why those before it in the chain did not, and `kept` has the
    stages whose first answer was not made for this turn, but kept from before.
    """

    marks: dict[str, float] = field(default_factory=dict)
    engine_ms: dict[str, float] = field(default_factory=dict)
    engines: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    def mark(self, name: str, at: float | None = None) -> None:
        """Set mark `name` to `at` or to now."""
        if name not in MARKS:
            raise ValueError(f"no such mark: {name}")
        if name.startswith("last_") or name not in self.marks:
            self.marks[name] = now() if at is None else at

    def engine(self, stage: str, name: str, ms: float, troubles: Sequence[str] = (), *, kept: bool = False) -> None:
        """Note that engine `name` kept the way to the first audio waiting for `ms` in `stage`; once a stage.

        `troubles` says why the engines tried before it did not answer, each as "name: reason".
        """
        if kept and stage not in self.engines:
            self.kept.add(stage)
        self.engines.setdefault(stage, name)
        if len(troubles) > len(self.troubles.get(stage, ())):
            self.troubles[stage] = tuple(troubles)  # an engine may be replaced in the middle of its work
        self.engine_ms.setdefault(stage, ms)

    def ms(self) -> Mapping[str, float]:
        """Return every mark in milliseconds since the end of speech (before it: negative), rounded to 0.1."""
        zero = self.marks.get("speech_end", self.marks.get("opened", 0.0))
        return {name: round((self.marks[name] - zero) * 1000, 1) for name in MARKS if name in self.marks}

    def __str__(self) -> str:
        """Return the line that the log has of a turn."""
        marks = ", ".join(f"{name} {ms:g}" for name, ms in self.ms().items() if name not in ("opened", "speech_end"))
        engines = ", ".join(f"{self.engines[stage]} {ms:.1f}" for stage, ms in self.engine_ms.items())
        troubles = "; ".join(f"{stage} not by {trouble}" for stage, each in self.troubles.items() for trouble in each)
        return f"ms: {marks}; engines: {engines or 'none'}" + (f"; {troubles}" if troubles else "")

    @property
    def failovers(self) -> list[str]:
        """The stages in which an engine failed, so that another had to answer; a refusal is no failure."""
        return [
            stage
            for stage, troubles in self.troubles.items()
            if not all(isinstance(trouble, Refusal) for trouble in troubles)
        ]

    @property
    def own_ms(self) -> float | None:
        """Milliseconds from the end of speech to the first audio that no engine took; None without audio."""
        first = self.ms().get("first_audio")
        return None if first is None else round(first - sum(self.engine_ms.values()), 1)
