"""The hub's own broker, from its ports to its end."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mynah import Hub, MynahError
from mynah.ports import LOOPBACK, name_in_network, server_tls, why_not_listening
from mynah_mqtt.accounts import HUB, Accounts
from mynah_mqtt.broker import Doors, HubBroker
from mynah_mqtt.gate import Gate
from mynah_mqtt.topics import Topics
from mynah_mqtt.troubles import own_expiry

log = logging.getLogger(__name__)

PORT: Final = 1883
SETTING: Final = "mqtt: {embedded: {%s: …}}"
CONNECTIONS: Final = 1000
BACKLOG: Final = 256
LIBRARIES: Final = ("amqtt", "transitions")
"""Loggers whose every-day remarks are not for people."""


@dataclass(frozen=True, slots=True)
class Inside:
    """How the hub itself connects to its own broker."""

    port: int
    username: str = HUB
    password: str = field(default="", repr=False)


@asynccontextmanager
async def embedded_broker(
    hub: Hub, config: Mapping[str, Any], topics: Topics, too_large: Callable[[str, int], None]
) -> AsyncIterator[Inside]:
    """Run the broker; give the hub's own way in. Raises `MynahError` where it cannot listen."""
    quiet()
    host = listening_host(hub, config)
    tls = await asyncio.to_thread(tls_context, config["tls"], hub.folder) if "tls" in config else None
    accounts, doors = Accounts(hub, topics), Doors()
    broker = HubBroker(topics, doors)
    gate = Gate(accounts, broker, doors, too_large, CONNECTIONS)
    await broker.start()
    servers: list[asyncio.Server] = []
    try:
        servers.append(await listen(gate, host, config["port"], tls))
        servers.append(await asyncio.start_server(gate.inside, LOOPBACK, 0))
        port = servers[0].sockets[0].getsockname()[1]
        hub.addresses["mqtt"] = f"{'mqtts' if tls else 'mqtt'}://{name_in_network(host)}:{port}"
        log.info("the embedded broker listens at %s", hub.addresses["mqtt"])
        yield Inside(servers[1].sockets[0].getsockname()[1], password=accounts.own)
    finally:
        hub.addresses.pop("mqtt", None)
        for server in servers:
            server.close()
        await gate.close()
        await broker.shutdown()


def quiet() -> None:
    """Keep the libraries' remarks out of the log; what matters is logged here, in the words of the hub."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening_host(hub: Hub, config: Mapping[str, Any]) -> str:
    """Return the address to listen on: the configured one, or that of the web server."""
    own: str | None = config["host"]
    return own or str(hub.config.get("http", {}).get("host", LOOPBACK))


async def listen(gate: Gate, host: str, port: int | None, tls: ssl.SSLContext | None) -> asyncio.Server:
    """Begin to accept connections. Without a `port` it is 1883, or on a loopback address any if that is taken."""
    try:
        return await _start(gate, host, PORT if port is None else port, tls)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or port is not None or not is_loopback(host):
            raise MynahError(why_not_listening(error, host, PORT if port is None else port, SETTING)) from error
    log.info("port %d is taken by another program; the embedded broker takes another one", PORT)
    return await _start(gate, host, 0, tls)


async def _start(gate: Gate, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
    return await asyncio.start_server(gate.outside, host, port, ssl=tls, backlog=BACKLOG)


def tls_context(files: Mapping[str, str], folder: Path) -> ssl.SSLContext:
    """Return the broker's TLS context. Raises `MynahError` for files that cannot be used."""
    context = server_tls(files, folder, "mqtt: embedded: tls")
    if expired := own_expiry(folder / files["certificate"]):
        log.warning("the embedded broker's certificate expired on %s; nobody who checks it will connect", expired)
    return context
