"""The matrix: what breaks, in which engine, when, and whether another engine stands by behind it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

Fault = Literal["refuse", "kill", "hang", "drip", "garbage"]
When = Literal["before", "amid"]

STAGES: Final = ("edge_tts tts", "openai tts", "worker tts", "openai llm", "openai stt", "whisper stt")
"""An engine and its kind; `worker` is a voice that computes in a worker process and holds Python's lock there."""

STANDBY: Final = {"tts": "espeak", "llm": "facts", "stt": "pocketsphinx"}
SERVED: Final = ("edge_tts tts", "openai tts", "openai llm", "openai stt")

FAULTS: Final[dict[Fault, str]] = {
    "refuse": "says no",
    "kill": "is killed",
    "hang": "falls silent",
    "drip": "is slow",
    "garbage": "gives garbage",
}
WHEN: Final[dict[When, str]] = {"before": "before it begins", "amid": "in the middle"}

# The limits in every cell's configuration: of the first output, of each further one, and of the whole stage.
FIRST_S: Final = 0.5
NEXT_S: Final = 0.5
TOTAL_S: Final = {"tts": 1.6, "llm": 1.6, "stt": 3.0}
DRIP_S: Final = 0.3
"""How far apart the outputs of an engine come that is slow but within the limit of each."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault. `standby`: the embedded engine of that kind stands by."""

    stage: str
    fault: Fault
    when: When
    standby: bool

    @property
    def kind(self) -> str:
        return self.stage.split()[1]

    @property
    def engine(self) -> str:
        return self.stage.split()[0]

    def __str__(self) -> str:
        return "-".join([*self.stage.split(), self.fault, self.when, "standby" if self.standby else "alone"])


def faults_of(stage: str) -> list[tuple[Fault, When]]:
    """Return what can go wrong in a stage; only who is asked can refuse, and only at once."""
    every: list[tuple[Fault, When]] = [("refuse", "before")] if stage in SERVED else []
    return every + [(fault, when) for when, fault in product(WHEN, ("kill", "hang", "drip", "garbage"))]


NO_MARKS: Final = ("openai",)
"""Voices that do not say where in their audio a word ends."""

UNNOTICED: Final = "its beginning: samples have no mark by which garbage could be told"
SORRY: Final = "“Sorry, I did not understand that.”"


def expected(cell: Cell) -> str:
    """Return what the listener should get: the rules of docs/architecture.md."""
    match cell.kind, cell.when:
        case "stt", _:
            return _understood(cell)
        case "tts", "amid":
            return _voiced_in_part(cell)
        case "llm", "amid":
            return "its beginning, then the chime"
    return f"all of it, by {STANDBY[cell.kind]}" if cell.standby else "the chime"


def _understood(cell: Cell) -> str:
    if cell.engine == "whisper" and cell.fault == "garbage":
        return SORRY
    if cell.engine == "whisper" and (cell.fault, cell.when) == ("drip", "amid"):
        return "the answer: understood by whisper"
    return "the answer: understood by pocketsphinx" if cell.standby else "the chime"


def _voiced_in_part(cell: Cell) -> str:
    pauses = " with pauses" if cell.fault == "drip" else ""
    if cell.engine in NO_MARKS and cell.fault == "garbage":
        return UNNOTICED
    # What Edge's service gives slowly was sent in the middle of a word by the time that it is given up.
    if cell.standby and cell.engine not in NO_MARKS and not (cell.engine == "edge_tts" and pauses):
        return f"all of it{pauses}, begun by {cell.engine}, the rest by espeak"
    return f"its beginning{pauses}, then the chime"


def is_logged(cell: Cell) -> bool:
    """Return whether there is a failure at all."""
    return expected(cell) not in (UNNOTICED, SORRY, "the answer: understood by whisper")


def bound_s(cell: Cell) -> float:
    """Return within what time of the failure, or of the limit, the next engine is heard or the failure told."""
    return 1.0 if cell.kind == "stt" and cell.standby else 0.3


MATRIX: Final = tuple(
    Cell(stage, fault, when, standby)
    for stage in STAGES
    for standby in (True, False)
    for fault, when in faults_of(stage)
)

QUICK: Final = tuple(
    cell
    for cell in MATRIX
    if (cell.fault, cell.when) in (("kill", "before"), ("hang", "amid"))
    and (cell.standby or cell.stage in ("edge_tts tts", "openai llm"))
)
"""Those that the ordinary tests run: two in each hub."""
