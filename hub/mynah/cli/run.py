"""`mynah run`: the hub, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import signal
from pathlib import Path
from typing import Any, TypeVar

from mynah.cli.prepare import Prepared, add_config_argument, prepare
from mynah.errors import MynahError
from mynah.hub import MynahHub
from mynah.logs import set_up_logs
from mynah.loop import run_loop, settle
from mynah.specs import CommandSpec

log = logging.getLogger(__name__)
T = TypeVar("T")


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument(
        "--lan", action="store_true", help="open the hub to the network, with a token for each speaker, and announce it"
    )
    parser.add_argument(
        "--port", type=_port, metavar="N", help="listen on this port instead of the configured one (0: any free one)"
    )


def _run(arguments: argparse.Namespace) -> int:
    http: dict[str, Any] = {}
    if arguments.lan:
        http["host"] = "0.0.0.0"
    if arguments.port is not None:
        http["port"] = arguments.port
    prepared = prepare(arguments.config, {"http": http} if http else None)
    log_settings = prepared.config.values["log"]
    set_up_logs(
        level=log_settings["level"],
        format=log_settings["format"],
        file=Path(log_settings["file"]) if log_settings["file"] else None,
        secrets=prepared.config.secrets,
    )
    for warning in prepared.config.warnings:
        log.warning("%s", warning)
    for plugin in prepared.plugins.problems:
        log.warning("plugin %s cannot be used: %s", plugin.name, plugin.error)
    host = prepared.config.values.get("http", {}).get("host", "localhost")
    return run_loop(_serve(prepared, lan=not _loopback(host)))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(prepared: Prepared, *, lan: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    hub = MynahHub(prepared.config, prepared.plugins, prepared.personas)
    async with hub.running():
        with contextlib.suppress(NotImplementedError, AttributeError):  # there is no such signal on Windows
            loop.add_signal_handler(signal.SIGHUP, _reload, hub)
        _say_hello(hub, lan=lan)
        settle()
        await stop.wait()
        log.info("stopping; a reply that is being spoken may finish")
    return 0


def _reload(hub: MynahHub) -> None:
    try:
        done = hub.reload()
    except MynahError as error:
        log.error("the configuration has mistakes; nothing has changed:\n%s", error)  # noqa: TRY400  # it says all
    else:
        log.info("configuration read again: %s", done)


def _say_hello(hub: MynahHub, *, lan: bool) -> None:
    for name, url in hub.addresses.items():
        print(f"Mynah listens: {name} at {url}", flush=True)
    if not lan:
        return
    known = hub.storage.credentials()
    wanted = {
        "admin": "admin",
        **{str(speaker["id"]): "speaker" for speaker in hub.speakers() if speaker["configured"]},
    }
    for name, role in wanted.items():
        if name not in known:
            token = hub.storage.issue_token(name, role)
            print(f"Token of {name} ({role}), shown this once only: {token}", flush=True)
    print("Make further tokens with: mynah token NAME", flush=True)


COMMAND = CommandSpec(name="run", run=_run, arguments=_arguments, description="Start the hub.")
