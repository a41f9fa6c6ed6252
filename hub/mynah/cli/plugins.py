"""`mynah plugins`: what is installed, what it contributes, and what failed and why."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mynah.cli.prepare import add_config_argument, chosen_file
from mynah.config.check import plugin_settings
from mynah.plugins import LoadedPlugin, load_plugins
from mynah.specs import CommandSpec, EngineSpec, RouteSpec, Spec


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _run(arguments: argparse.Namespace) -> int:
    settings = plugin_settings(chosen_file(arguments.config))
    plugins = load_plugins(settings.disabled, settings.folder)
    if arguments.json:
        print(json.dumps({"plugins": [_as_data(p) for p in plugins.loaded], "disabled": list(plugins.disabled)}))
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("plugin", "contributes", "from"):
        table.add_column(column, overflow="fold")
    for plugin in plugins.loaded:
        failed = f"[red]failed:[/red] {escape(plugin.error)}"
        contributes = failed if plugin.error else escape("\n".join(_contributions(plugin)))
        table.add_row(escape(plugin.name), contributes, escape(plugin.origin))
    for name in plugins.disabled:
        table.add_row(escape(name), "[dim]disabled[/dim]", "")
    Console().print(table)
    return 0


def _as_data(plugin: LoadedPlugin) -> Mapping[str, Any]:
    return {
        "name": plugin.name,
        "origin": plugin.origin,
        "contributes": [{"kind": kind(spec), "name": label(spec)} for spec in plugin.specs],
        "error": plugin.error or None,
    }


def _contributions(plugin: LoadedPlugin) -> list[str]:
    return [f"{kind(spec)} {label(spec)}" for spec in plugin.specs]


def kind(spec: Spec) -> str:
    """Return what `spec` is, in a word or two: "stt engine", "persona", "route"."""
    if isinstance(spec, EngineSpec):
        return f"{spec.kind} engine"
    return type(spec).__name__.removesuffix("Spec").lower()


def label(spec: Spec) -> str:
    """Return what `spec` is called."""
    return f"{spec.method} {spec.path}" if isinstance(spec, RouteSpec) else spec.name


COMMAND = CommandSpec(
    name="plugins", run=_run, arguments=_arguments, description="List plugins, what they bring, and what failed."
)
