"""`mynah token`: who may talk to a hub that is open to the network."""

from __future__ import annotations

import argparse
from pathlib import Path

from mynah.cli.prepare import add_config_argument, prepare
from mynah.errors import InputError
from mynah.specs import CommandSpec
from mynah.storage import Storage


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument("name", nargs="?", help="whose token to make anew; without it, list who has one")
    parser.add_argument(
        "--role",
        choices=("speaker", "viewer", "admin"),
        help="what it allows; the role it had, or for a new name speaker",
    )


def _run(arguments: argparse.Namespace) -> int:
    config = prepare(arguments.config).config
    storage = Storage(Path(config.values["data"]))
    try:
        if arguments.name is None:
            for name, role in storage.credentials().items():
                print(f"{name}\t{role}")
            return 0
        name = _name(arguments.name)
        role = arguments.role or storage.credentials().get(name) or ("admin" if name == "admin" else "speaker")
        if role == "speaker" and name not in config.values["speakers"]:
            raise InputError(
                f"no speaker named {name!r} is configured; add it with `mynah speaker add`, or give another --role"
            )
        token = storage.issue_token(name, role)
        print(f"{name} ({role}): {token}")
        print("It is shown this once only; an earlier token of that name is void now.")
        return 0
    finally:
        storage.close()


def _name(given: str) -> str:
    if not given.strip() or not given.isprintable():
        raise InputError(f"{given!r} is no name for a token; give the id of a speaker, or a person's name")
    return given


COMMAND = CommandSpec(
    name="token", run=_run, arguments=_arguments, description="Make or list tokens for speakers and people."
)
