"""`mynah say`: have speakers announce something, and tell who heard it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from mynah.cli.running import add_hub_arguments, running_hub
from mynah.specs import CommandSpec

NOT_ALL: Final = 3
"""The exit status where not everybody heard it."""

WITHIN_S: Final = 960.0
"""The hub gives an announcement up after a quarter of an hour."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("where", metavar="WHERE", help="a speaker, a group, an area, or all")
    parser.add_argument("text", metavar="TEXT", help="what to say")
    parser.add_argument("--volume", type=_volume, metavar="N", help="how loud, 0 to 100, for as long as it sounds")
    parser.add_argument("--no-chime", action="store_true", help="no chime before it")
    parser.add_argument("--language", metavar="L", help="the language of the text, such as en")
    parser.add_argument("--alarm", action="store_true", help="before everything else, and not stopped by who speaks")
    parser.add_argument("--json", action="store_true", help="print one JSON object: heard, and missed with the reasons")
    add_hub_arguments(parser)


def _volume(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no volume; give a number from 0 to 100")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {"where": arguments.where, "text": arguments.text, "chime": not arguments.no_chime}
    if arguments.volume is not None:
        body["volume"] = arguments.volume
    if arguments.language is not None:
        body["language"] = arguments.language
    if arguments.alarm:
        body["urgency"] = "alarm"
    report = running_hub(arguments).post("announcements", body=body, within_s=WITHIN_S)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        for speaker in report["heard"]:
            print(f"{speaker} heard it")
        for speaker, why in report["missed"].items():
            print(f"{speaker} did not hear it: {why}", file=sys.stderr)
        if not report["heard"] and not report["missed"]:
            print(f"nobody belongs to {arguments.where}", file=sys.stderr)
    return 0 if report["heard"] and not report["missed"] else NOT_ALL


COMMAND = CommandSpec(
    name="say",
    run=_run,
    arguments=_arguments,
    description="Say something on speakers, and tell who heard it (exit status 3: not everybody did).",
)
