"""`mynah reload`: a running hub reads its configuration again."""

from __future__ import annotations

import argparse

from mynah.hub_protocol import Reloaded
from mynah.specs import CommandSpec


def _run(arguments: argparse.Namespace) -> int:
    done = arguments.hub.post("reload", body={})
    print(Reloaded(tuple(done["taken"]), tuple(done["waiting"])))
    return 0


COMMAND = CommandSpec(
    name="reload", run=_run, asks_hub=True, description="Have a running hub read its configuration again."
)
