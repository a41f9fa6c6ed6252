"""The `mynah` program."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from mynah import __version__
from mynah.cli.prepare import chosen_file
from mynah.cli.running import add_hub_arguments, running_hub
from mynah.config.check import plugin_settings
from mynah.errors import MynahError
from mynah.plugins import load_plugins
from mynah.specs import CommandSpec

OWN: Final = (
    "run",
    "ask",
    "demo",
    "check-config",
    "reload",
    "plugins",
    "speakers",
    "say",
    "speaker",
    "sessions",
    "token",
    "bench",
)
"""The commands that come with the hub, each in a module of its name, in the order of the help."""


def own_commands(*names: str) -> tuple[CommandSpec, ...]:
    """Return the commands of these `names`, of none all; only what is named is imported: `mynah run` needs no bench."""
    modules = (importlib.import_module(f"mynah.cli.{name.replace('-', '_')}") for name in names or OWN)
    return tuple(module.COMMAND for module in modules)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        commands = own_commands(given[0]) if given and given[0] in OWN else _with_plugins()
        arguments = _parser(commands).parse_args(given)
        if arguments.asks_hub:
            arguments.hub = running_hub(arguments)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except MynahError as error:
        print(f"mynah: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; that is no error. Python writes what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    else:
        return code


def _with_plugins() -> tuple[CommandSpec, ...]:
    # Only for help and for commands that are not built in: loading plugins takes a moment.
    try:
        settings = plugin_settings(chosen_file(None))
    except MynahError:
        found = load_plugins()  # what is wrong with the configuration is told by the commands that need it
    else:
        found = load_plugins(settings.disabled, settings.folder)
    return (*own_commands(), *(spec for spec in found.commands if spec.name not in OWN and _usable(spec)))


def _usable(spec: CommandSpec) -> bool:
    """Whether a plugin's command declares its arguments; one that cannot must not break the others."""
    try:
        spec.arguments(argparse.ArgumentParser(prog=spec.name))
    except Exception as error:  # noqa: BLE001  # the loader's duty: one broken plugin must not stop the others
        print(f"mynah: the command {spec.name} cannot be used: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True


def _parser(commands: Sequence[CommandSpec]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mynah", description="A hub that gives rooms a voice.")
    parser.add_argument("--version", action="version", version=f"mynah {__version__}")
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for spec in commands:
        command = choices.add_parser(spec.name, help=spec.description, description=spec.description)
        spec.arguments(command)
        if spec.asks_hub:
            add_hub_arguments(command)
        command.set_defaults(run=spec.run, asks_hub=spec.asks_hub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
