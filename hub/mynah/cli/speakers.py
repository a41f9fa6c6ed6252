"""`mynah speakers`: who is there."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mynah.cli.running import add_hub_arguments, running_hub
from mynah.specs import CommandSpec


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list and nothing else")
    add_hub_arguments(parser)


def _run(arguments: argparse.Namespace) -> int:
    speakers = running_hub(arguments).get("speakers")
    if arguments.json:
        print(json.dumps(speakers, ensure_ascii=False))
        return 0
    if not speakers:
        print("The hub knows no speaker yet; add one with `mynah speaker add ID`.")
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "area", "online", "session", "plays", "last seen", "firmware"):
        table.add_column(column, overflow="fold")
    for speaker in speakers:
        table.add_row(*(escape(cell) for cell in _cells(speaker)))
    Console().print(table)
    return 0


def _cells(speaker: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(speaker["id"]),
        str(speaker["name"]),
        str(speaker["area"] or "–"),
        "yes" if speaker["online"] else "no",
        "open" if speaker["session"] else "–",
        "\n".join(speaker["formats"]) or "–",
        "now" if speaker["online"] else ago(speaker["last_seen"]),
        str(speaker.get("firmware") or "–"),
    )


def ago(seen: float | None) -> str:
    """Return how long ago a time (seconds since the epoch) was, such as "5 min ago"."""
    if seen is None:
        return "never"
    seconds = max(0.0, time.time() - seen)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


COMMAND = CommandSpec(
    name="speakers", run=_run, arguments=_arguments, description="List the speakers of a running hub."
)
