"""Everything of the plugin put together, from the start to the end of the hub."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mynah import Hub, MynahError, __version__
from mynah.ports import LOOPBACK
from mynah_mqtt.alarms import Alarms
from mynah_mqtt.config import EMBEDDED, PORTS
from mynah_mqtt.control import MqttControl
from mynah_mqtt.desk import Desk
from mynah_mqtt.devices import Devices
from mynah_mqtt.followed import offered
from mynah_mqtt.home_assistant import DiscoveryOptions
from mynah_mqtt.introducing import Introducing
from mynah_mqtt.known import Known
from mynah_mqtt.link import Link, Target
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.sounding import Sounding
from mynah_mqtt.speaking import Speaking
from mynah_mqtt.stead import Stead
from mynah_mqtt.topics import Topics

log = logging.getLogger(__name__)

FAREWELL_S: Final = 2.0


async def serve(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Do all that docs/mqtt.md has the hub do, until cancelled. Raises `MynahError` where that is impossible."""
    topics, outbox, devices = Topics(config["base"]), Outbox(), Devices()
    sounding = Sounding(hub)
    speaking = Speaking(hub, topics, outbox, devices, sounding)
    stead = Stead(hub, topics, outbox, devices)
    alarms = Alarms(hub, speaking)
    known = Known(hub, topics, outbox, devices, alarms)
    stead.told = known.note
    desk = Desk(hub, topics, outbox, devices, speaking, alarms)
    introducing = Introducing(hub, topics, devices, DiscoveryOptions.of(config["home_assistant"]))

    def receive(topic: str, payload: bytes, retained: bool) -> None:
        if not introducing.take(topic, payload, retained) and topics.read(topic) is not None:
            desk.receive(topic, payload, retained)

    async with AsyncExitStack() as stack:
        if config["broker"] == EMBEDDED:
            from mynah_mqtt.embedded import embedded_broker

            inside = await stack.enter_async_context(
                embedded_broker(hub, config["embedded"], topics, lambda topic, size: desk.too_large(topic, size))
            )
            name = inside.username
            shown = hub.addresses["mqtt"]
            target = Target(LOOPBACK, inside.port, name, name, inside.password, persistent=False, shown=shown)
            stamp = None
        else:
            folder = await asyncio.to_thread(own_folder, hub)
            target = await asyncio.to_thread(other_broker, config, hub.folder, client_id(folder))
            stamp = folder / "connected"
            hub.addresses["mqtt"] = target.url
            stack.callback(hub.addresses.pop, "mqtt", None)
        link = Link(target, topics, outbox, receive, stamp, offered(hub, outbox), beside=introducing.run)
        desk.late = lambda: link.catching_up
        introduce(hub, topics, outbox)
        control = MqttControl(hub, devices, desk)
        hub.controls.append(control)
        stack.callback(hub.controls.remove, control)
        ready()
        try:
            await run(link, outbox, topics, stead, sounding, known, desk)
        finally:
            await alarms.close()


async def run(
    link: Link, outbox: Outbox, topics: Topics, stead: Stead, sounding: Sounding, known: Known, desk: Desk
) -> None:
    """Run all parts until cancelled, and say goodbye."""
    linked = asyncio.get_running_loop().create_task(link.run(), name="mqtt: link")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(stead.run(), name="mqtt: stead")
            group.create_task(sounding.run(), name="mqtt: sounding")
            group.create_task(known.run(), name="mqtt: known")
            group.create_task(_as_long_as(linked), name="mqtt: linked")
    finally:
        await desk.close()
        if link.connected:
            stead.farewell()
            outbox.keep(topics.hub("availability"), "offline")
            await outbox.emptied(FAREWELL_S)
        linked.cancel()
        await asyncio.wait({linked}, timeout=FAREWELL_S)


async def _as_long_as(task: asyncio.Task[None]) -> None:
    """Wait for a task without ending it, and raise what it raised."""
    await asyncio.wait({task})
    task.result()


def introduce(hub: Hub, topics: Topics, outbox: Outbox) -> None:
    """Put what the hub tells of itself into the outbox."""
    info: dict[str, Any] = {"version": __version__, "protocol": 1, "base": topics.base}
    if "http" in hub.addresses:
        info["http"] = hub.addresses["http"]
    outbox.keep(topics.hub("info"), info)
    outbox.keep(topics.hub("availability"), "online")


def own_folder(hub: Hub) -> Path:
    """Return the plugin's folder in the data folder."""
    folder = hub.folder / "mqtt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def client_id(folder: Path) -> str:
    """Return the hub's client id at another broker: made once, so that the broker knows it again."""
    file = folder / "client-id"
    try:
        known = file.read_text(encoding="ascii").strip()
    except OSError:
        known = ""
    if not known:
        known = f"mynah-{secrets.token_hex(6)}"
        file.write_text(known + "\n", encoding="ascii")
    return known


def other_broker(config: Mapping[str, Any], folder: Path, client_id: str) -> Target:
    """Return where and how a broker by URL is reached. Raises `MynahError` for files that cannot be used."""
    parts = urlsplit(config["broker"])
    files = config["tls"]
    return Target(
        parts.hostname or "",
        parts.port or PORTS[parts.scheme],
        client_id,
        config["username"],
        config["password"],
        client_tls(files, folder) if parts.scheme == "mqtts" else None,
        certificate=folder / files["certificate"] if "certificate" in files else None,
    )


def client_tls(files: Mapping[str, str], folder: Path) -> ssl.SSLContext:
    """Return a client's TLS context. Raises `MynahError` for files that cannot be used."""
    for name in files.values():
        if not (folder / name).is_file():
            raise MynahError(f"mqtt: tls: there is no file {folder / name}")
    try:
        context = ssl.create_default_context(cafile=folder / files["ca"] if "ca" in files else None)
        if "certificate" in files:
            key = folder / files["key"] if "key" in files else None
            context.load_cert_chain(folder / files["certificate"], key, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise MynahError(f"mqtt: tls: the files cannot be used: {error}") from error
    return context
