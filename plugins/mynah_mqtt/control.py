"""Speakers with MQTT, as the rest of the hub tells them what to do: a `mynah.Control`."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any, Final

from mynah import Hub
from mynah_mqtt.desk import Desk
from mynah_mqtt.devices import Devices
from mynah_mqtt.kinds import check
from mynah_mqtt.payloads import COMMANDS
from mynah_mqtt.reading import Command

TOLD: Final = ("volume", "mute", "stop", "listen", "reboot")


class MqttControl:
    """Tells speakers over MQTT, and waits for their replies."""

    def __init__(self, hub: Hub, devices: Devices, desk: Desk) -> None:
        self._hub = hub
        self._devices = devices
        self._desk = desk

    def commands(self, speaker: str) -> Collection[str]:
        """Return what a speaker can be told at present."""
        device = self._devices.get(speaker)
        if device is None or not device.online:
            return ()
        return (*TOLD, "update") if device.info.get("firmware") else TOLD

    def state(self, speaker: str) -> Mapping[str, Any]:
        """Return what is known of a speaker; how it is only while it is there."""
        device = self._devices.get(speaker)
        if device is None:
            return {}
        shown = ("phase", "volume", "mute") if device.online else ()
        known = {name: device.state[name] for name in shown if name in device.state}
        latest = (self._hub.firmware_version or None) if device.info.get("firmware") else None
        return {**known, "latest": latest, "update": device.update}

    async def command(self, speaker: str, command: str, fields: Mapping[str, Any]) -> None:
        """Have a speaker do a command. Raises `Refusal` where it does not."""
        if command == "update":
            await self._desk.updates.send(speaker)
            return
        given = check(COMMANDS[command].fields, fields)
        await self._desk.tell(speaker, Command(f"hub-{secrets.token_hex(6)}", command, given))
