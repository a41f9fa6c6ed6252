"""`mynah token`: who may talk to a hub that is open to the network."""

from __future__ import annotations

import argparse
from pathlib import Path

from mynah.cli.prepare import add_config_argument, prepare
from mynah.specs import CommandSpec
from mynah.storage import Storage


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument("name", nargs="?", help="whose token to make anew; without it, list who has one")
    parser.add_argument("--role", choices=("speaker", "viewer", "admin"), default="speaker")


def _run(arguments: argparse.Namespace) -> int:
    config = prepare(arguments.config).config
    storage = Storage(Path(config.values["data"]))
    try:
        if arguments.name is None:
            for name, role in storage.credentials().items():
                print(f"{name}\t{role}")
            return 0
        token = storage.issue_token(arguments.name, arguments.role)
        print(f"{arguments.name} ({arguments.role}): {token}")
        print("It is shown this once only; an earlier token of that name is void now.")
        return 0
    finally:
        storage.close()


COMMAND = CommandSpec(
    name="token", run=_run, arguments=_arguments, description="Make or list tokens for speakers and people."
)
