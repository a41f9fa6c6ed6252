"""A turn's timeline as a picture in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.table import Table

STEPS: Final = (
    ("words known", "speech_end", "transcript"),
    ("first token", "transcript", "first_token"),
    ("first phrase", "first_token", "first_phrase"),
    ("first audio", "first_phrase", "first_audio"),
    ("the rest", "first_audio", "last_audio"),
)
"""What happened between which marks."""

WIDTH: Final = 48


def draw_waterfall(console: Console, timeline: Mapping[str, float]) -> None:
    """Print `timeline` (mark: milliseconds since the end of speech) as bars, one under the other."""
    end = max([*timeline.values(), 1.0])
    table = Table(box=None, pad_edge=False, show_header=False)
    for title, start, stop in STEPS:
        begins = timeline.get(start, timeline.get("speech_end", 0.0))
        if stop not in timeline:
            continue
        left = round(begins / end * WIDTH)
        length = max(1, round((timeline[stop] - begins) / end * WIDTH))
        table.add_row(title, f"{' ' * max(0, left)}[cyan]{'█' * length}[/cyan]", f"{timeline[stop]:.1f} ms")
    console.print("[dim]after the end of the question:[/dim]")
    console.print(table)
