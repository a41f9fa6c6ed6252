"""`mynah check-config`: every mistake at once, or a summary; and the JSON Schema for editors."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mynah.cli.prepare import Prepared, add_config_argument, chosen_file, prepare
from mynah.config.check import plugin_settings
from mynah.config.json_schema import json_schema
from mynah.errors import ConfigError, InputError
from mynah.plugins import load_plugins
from mynah.specs import CommandSpec


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="the configuration (the same as -c FILE)")
    add_config_argument(parser)
    parser.add_argument(
        "--json-schema", action="store_true", help="print a JSON Schema of the whole configuration, for your editor"
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.config and arguments.file:
        raise InputError("give the configuration once, either as FILE or as -c FILE")
    file = arguments.config or arguments.file
    if arguments.json_schema:
        settings = plugin_settings(chosen_file(file))
        print(json.dumps(json_schema(load_plugins(settings.disabled, settings.folder).specs), indent=2))
        return 0
    try:
        prepared = prepare(file)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        count = len(error.problems)
        print(f"{count} mistake{'s' if count != 1 else ''}; nothing was started", file=sys.stderr)
        return 1
    for problem in prepared.config.warnings:
        print(problem, file=sys.stderr)
    print(_summary(prepared))
    return 0


def _summary(prepared: Prepared) -> str:
    values = prepared.config.values
    count = len(prepared.config.warnings)
    but = f", but for {count} warning{'s' if count != 1 else ''}" if count else ""
    lines = [f"{prepared.config.file or 'no file: the embedded defaults'}: fine{but}"]
    for kind in ("stt", "llm", "tts", "translator", "vad"):
        names = [entry["engine"] for entry in values["engines"][kind]]
        if names:
            lines.append(f"  {kind}: {', then '.join(names)}")
    lines.append(f"  personas: {', '.join(prepared.personas) or 'none'}")
    lines.append(f"  speakers: {', '.join(values['speakers']) or 'none'}")
    lines.append(f"  components: {', '.join(spec.name for spec in prepared.plugins.components) or 'none'}")
    lines.extend(f"  plugin {p.name} failed: {p.error}" for p in prepared.plugins.problems)
    return "\n".join(lines)


COMMAND = CommandSpec(
    name="check-config", run=_run, arguments=_arguments, description="Check the configuration without starting."
)
