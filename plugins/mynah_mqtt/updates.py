"""Updates of speakers: packed and signed by the hub, fetched by the speaker with its own token."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from mynah import Hub, InputError, MynahError, RouteSpec
from mynah_mqtt.devices import Devices
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.reading import Refusal
from mynah_mqtt.topics import Topics

PATH: Final = "/api/v1/speakers/{id}/firmware/{architecture}"
LATEST: Final = "latest"

ARCHITECTURES: Final[Mapping[int, str]] = {2: "x64", 10: "xtensawin", 11: "rv32imc"}
"""By the number in bits 10 to 13 of MicroPython's `sys.implementation._mpy`."""


class Updates:
    """Has speakers load the hub's firmware."""

    def __init__(self, hub: Hub, topics: Topics, outbox: Outbox, devices: Devices) -> None:
        self._hub = hub
        self._topics = topics
        self._outbox = outbox
        self._devices = devices

    async def send(self, id: str, version: str = LATEST) -> str:
        """Send a speaker the command to update itself; return the version. Raises `Refusal`."""
        device = self._devices.get(id)
        if device is None and id not in {speaker["id"] for speaker in self._hub.speakers()}:
            raise Refusal("unknown", f"there is no speaker {id[:64]!a}")
        if device is None or not device.info.get("firmware"):
            raise Refusal("failed", f"{id} has no firmware that the hub could update")
        if not device.online:
            raise Refusal("offline", f"{id} is not connected")
        if version not in (LATEST, self._hub.firmware_version):
            raise Refusal("unknown", f"the hub has no firmware {version!a}, only {self._hub.firmware_version}")
        architecture = ARCHITECTURES.get(device.info.get("mpy", 0) >> 10 & 15)
        if architecture is None:
            raise Refusal("failed", f"{id} does not say for which chip its firmware is")
        try:
            firmware = await self._hub.firmware(id, architecture)
        except InputError as error:
            raise Refusal("refused", str(error)) from None
        except MynahError as error:
            raise Refusal("failed", str(error)) from None
        self._outbox.send(
            self._topics.speaker(id, "cmd"),
            {
                "id": f"update-{secrets.token_hex(6)}",
                "command": "update",
                "url": PATH.format(id=id, architecture=architecture),
                "version": firmware.version,
                "size": len(firmware.data),
                "mac": firmware.mac,
            },
        )
        return firmware.version


async def serve_firmware(hub: Hub, request: Any) -> Any:
    """Give a speaker its firmware; the token must be its own, though this machine's user may do all else."""
    from aiohttp import web

    id, architecture = request.match_info["id"], request.match_info["architecture"]
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or hub.access(token.strip()) != ("speaker", id):
        raise web.HTTPForbidden(text=f"the firmware of {id} is for the token of {id} alone")
    firmware = await hub.firmware(id, architecture)
    return web.Response(body=firmware.data, content_type="application/octet-stream")


ROUTE: Final = RouteSpec(
    name="speaker_firmware",
    method="GET",
    path=PATH,
    handle=serve_firmware,
    access="speaker",
    summary="The firmware of a speaker, for its own token alone",
)
