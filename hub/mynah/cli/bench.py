"""`mynah bench`: what the hub adds to its engines."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mynah.bench.plan import Plan, Times
from mynah.bench.scenarios import OWN, Scenario, all_scenarios, chosen
from mynah.cli.prepare import add_config_argument, chosen_file
from mynah.config.check import plugin_settings
from mynah.errors import InputError, MynahError, cause
from mynah.loop import run_loop
from mynah.plugins import load_plugins
from mynah.specs import CommandSpec

FIGURES: Final = ("critical_ms", "p50_ms", "p95_ms", "own_p50_ms", "own_p95_ms", "ratio")
WIDTHS: Final = {"sessions": 8, **dict.fromkeys(FIGURES, 11), "own_p50_ms": 15, "ratio": 15}
LIMITS: Final = {"own_p50_ms": "own_limit_ms", "ratio": "ratio_limit"}
"""Figures that are coloured, and what in a row says their limit."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(scenario.name for scenario in OWN)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{names}, or one of a plugin; none: all")
    parser.add_argument(
        "--sessions", type=_counts, default=(1, 50), metavar="N,M", help="sessions at once, one row each (1,50)"
    )
    parser.add_argument("--runs", type=_count, default=30, metavar="N", help="how often each thing is measured (30)")
    parser.add_argument("--json", action="store_true", help="print one JSON list and nothing else")
    parser.add_argument("--real", action="store_true", help="the configured engines instead of scripted ones")
    for kind, example in (("stt", "final=0"), ("llm", "first=95,each=40"), ("tts", "first=50,total=100")):
        parser.add_argument(
            f"--{kind}", type=_times(kind), default={}, metavar="TIMES",
            help=f"what the scripted {kind} engine takes, in ms ({example})",
        )  # fmt: skip
    add_config_argument(parser)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.ERROR)
    file = chosen_file(arguments.config)
    settings = plugin_settings(file)
    known = all_scenarios(load_plugins(settings.disabled, settings.folder).benchmarks)
    try:
        scenarios = chosen(arguments.scenarios, known)
    except InputError as error:
        print(f"mynah: {error}", file=sys.stderr)
        return 2  # as argparse ends where an argument is wrong
    with tempfile.TemporaryDirectory(prefix="mynah-bench-") as folder:
        plan = Plan(
            runs=arguments.runs,
            sessions=arguments.sessions,
            folder=Path(folder),
            times=replace(Times(), **arguments.stt, **arguments.llm, **arguments.tts),
            real=arguments.real,
            file=file,
        )
        rows, troubles = _measured(scenarios, plan)
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        _show(rows)
    for trouble in troubles:
        print(f"mynah: {trouble}", file=sys.stderr)
    return 1 if troubles else 0


def _measured(scenarios: Sequence[Scenario], plan: Plan) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Run one scenario after the other; return their rows, and what became of those that failed."""
    rows: list[Mapping[str, Any]] = []
    troubles: list[str] = []
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("measuring", total=len(scenarios))
        for scenario in scenarios:
            progress.update(task, description=escape(scenario.name))
            try:
                found = run_loop(_one(scenario, replace(plan, tell=_teller(progress, task))))
                rows += [{"scenario": scenario.name, **row} for row in found]
            except Exception as failure:  # noqa: BLE001  # a scenario may be a stranger's; the others are worth having
                error = cause(failure)
                known = isinstance(error, MynahError | TimeoutError)
                troubles.append(f"{scenario.name}: {error if known else f'{type(error).__name__}: {error}'}")
            progress.advance(task)
    return rows, troubles


async def _one(scenario: Scenario, plan: Plan) -> Sequence[Mapping[str, Any]]:
    return await scenario.run(plan)


def _teller(progress: Progress, task: Any) -> Callable[[str], None]:
    return lambda text: progress.update(task, description=escape(text))


# ---------------------------------------------------------------- the table


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the figures, and below each row in small what else its scenario knows."""
    console = Console(highlight=False)
    width = max((len(_name(row)) for row in rows), default=8)
    heads = (f"{name:>{WIDTHS[name]}}" for name in ("sessions", *FIGURES))
    console.print(
        f"{'measure':<{width}} {' '.join(heads).replace('_ms', '   ').replace('_', ' ')}", style="bold", soft_wrap=True
    )
    for row in rows:
        sessions = f"{row.get('sessions') or '':>{WIDTHS['sessions']}}"
        figures = " ".join(_figure(row, name) for name in FIGURES)
        console.print(f"{escape(_name(row)):<{width}} {sessions} {figures}", soft_wrap=True)
        if more := _more(row):
            console.print(f"[dim]  {escape(more)}[/]", soft_wrap=True)
    console.print("[dim]In milliseconds; own is what the hub added to its engines.[/]", soft_wrap=True)


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("measure", row["scenario"]))


def _figure(row: Mapping[str, Any], name: str) -> str:
    value, limit = row.get(name), row.get(LIMITS.get(name, ""))
    shown = "–" if value is None else f"{value:.3f}" if name == "ratio" else f"{value:.1f}"
    if value is None or limit is None:
        return f"{shown:>{WIDTHS[name]}}"
    bound = f" ≤ {limit:g}"
    return f"[{'green' if value <= limit else 'red'}]{shown:>{WIDTHS[name] - len(bound)}}[/][dim]{bound}[/]"


def _more(row: Mapping[str, Any]) -> str:
    known = {"scenario", "measure", "sessions", "runs", "pause_s", *FIGURES, *LIMITS.values()}
    return ", ".join(f"{name} {_plain(value)}" for name, value in row.items() if name not in known)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name} {each}" for name, each in value.items())
    return "–".join(map(str, value)) if isinstance(value, list) else str(value)


# ---------------------------------------------------------------- arguments


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_count(part.strip()) for part in text.split(","))


def _times(kind: str) -> Callable[[str], dict[str, float]]:
    """Return what reads `first=95,each=40` as fields of `Times`."""
    names = [field.name.removeprefix(f"{kind}_") for field in fields(Times) if field.name.startswith(f"{kind}_")]

    def read(text: str) -> dict[str, float]:
        found = {}
        for part in text.split(","):
            name, _, value = part.partition("=")
            try:
                found[f"{kind}_{name.strip()}"] = float(value)
            except ValueError:
                raise argparse.ArgumentTypeError(f"{part!r} should read like {names[0]}=50, in milliseconds") from None
            if name.strip() not in names or not 0 <= float(value) <= 60_000:
                raise argparse.ArgumentTypeError(f"{part!r}: known are {', '.join(names)}, from 0 to 60000 ms")
        return found

    return read


COMMAND = CommandSpec(
    name="bench", run=_run, arguments=_arguments, description="Measure what the hub adds to its engines."
)
