"""What speakers with MQTT of their own have told: who they are, whether they are there, and how they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voluptuous import Required

from mynah_mqtt.kinds import one_of
from mynah_mqtt.payloads import EVENTS, INFO, STATE
from mynah_mqtt.reading import Refusal, read_fields
from mynah_mqtt.said import Said

log = logging.getLogger(__name__)

MOST: Final = 2_000
TWINS_S: Final = 60.0


@dataclass(slots=True)
class Device:
    """A speaker as its retained topics show it.

    `own` says that it has MQTT itself, and the hub does not stand in; `told` is its `info` as it came; `update` is how
    its last update goes.
    """

    id: str
    online: bool = False
    own: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)
    told: bytes = b""
    state: Mapping[str, Any] = field(default_factory=dict)
    changes: list[float] = field(default_factory=list)
    update: Mapping[str, Any] | None = None


class Devices:
    """Every speaker that was heard of over MQTT; a bounded number."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        self._said = Said()

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._devices.values()))

    def forget(self, id: str) -> None:
        """Forget a speaker."""
        self._devices.pop(id, None)

    def get(self, id: str) -> Device | None:
        """Return a speaker that has MQTT of its own."""
        device = self._devices.get(id)
        return device if device is not None and device.own else None

    def stood_in_for(self, id: str) -> bool:
        """Whether a hub, perhaps before a restart, published this speaker's topics in its stead."""
        device = self._devices.get(id)
        return device is not None and not device.own and bool(device.info)

    def is_online(self, id: str) -> bool:
        """Whether a speaker with MQTT of its own is connected to the broker."""
        device = self.get(id)
        return device is not None and device.online

    def take(self, id: str, leaf: str, payload: bytes) -> bytes | None:
        """Note what a speaker published; what does not fit is passed over, with a line in the log.

        Returns what is to be published again, where the hub had published in the stead of a speaker that was just
        coming: whose message came last at the broker is chance.
        """
        if not payload and id not in self._devices:
            return None
        device = self._device(id)
        if device is None:
            return None
        try:
            match leaf:
                case "availability":
                    device.online = payload == b"online"
                case "info" if payload:
                    info = read_fields(payload, INFO)
                    if device.own and info.get("by") == "hub":
                        return device.told
                    device.told = payload
                    self._take_info(device, info)
                case "info":
                    self._devices.pop(id, None)
                case "state" if payload:
                    device.state = read_fields(payload, STATE)
        except Refusal as error:
            if not self._said.lately(f"{id} {leaf}"):
                log.warning("what %s published as %s does not fit: %s", id, leaf, error)
        return None

    def take_update(self, id: str, payload: bytes) -> None:
        """Note how a speaker's update goes, if that is what its event tells."""
        device = self.get(id)
        if device is None or b'"update"' not in payload:
            return
        try:
            told = read_fields(payload, {Required("event"): one_of("update"), **EVENTS["update"]})
        except Refusal:
            return
        device.update = {"status": told["status"], "version": told.get("version", "")}

    def _device(self, id: str) -> Device | None:
        if id not in self._devices:
            if len(self._devices) >= MOST:
                if not self._said.lately("many"):
                    log.warning("%d speakers are known over MQTT; %s is passed over", MOST, id)
                return None
            self._devices[id] = Device(id)
        return self._devices[id]

    def _take_info(self, device: Device, info: Mapping[str, Any]) -> None:
        device.own = info.get("by") != "hub"
        if device.own and device.info.get("mac", info.get("mac")) != info.get("mac"):
            now = time.monotonic()
            device.changes = [*(each for each in device.changes if now - each < TWINS_S), now]
            if len(device.changes) == 2:
                log.warning("two devices call themselves %s; give one of them another id", device.id)
        device.info = info
