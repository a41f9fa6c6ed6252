"""Home Assistant's states, as its MQTT statestream tells them: `BASE/DOMAIN/OBJECT/state` and its attributes."""

from __future__ import annotations

import logging
from typing import Any

from mynah import Messages, MynahError, Stop
from mynah_automation.config import HELPERS
from mynah_automation.house import LiveHouse
from mynah_automation.names import MIRRORED
from mynah_automation.triggers.mqtt import as_json

log = logging.getLogger(__name__)

OWN = (*HELPERS, "automation", "script", "speaker", "session", "calendar")
"""Domains that are the hub's own; Home Assistant's of the same name get `ha_` before their object."""

TIMES = ("last_changed", "last_updated")


class Mirror:
    """Shows Home Assistant's entities as the house's own."""

    def __init__(self, house: LiveHouse, base: str) -> None:
        self._house = house
        self._base = base.strip("/")

    def begin(self, messages: Messages) -> Stop:
        """Follow the stream."""
        return messages.follow(f"{self._base}/+/+/+", self.receive)

    def receive(self, topic: str, payload: str) -> None:
        """Take one message."""
        domain, name, leaf = topic[len(self._base) + 1 :].split("/")
        if not (domain.replace("_", "").isalnum() and name.replace("_", "").isalnum()) or leaf in TIMES:
            return
        entity_id = f"{domain}.{MIRRORED if domain in OWN else ''}{name}".lower()
        known = self._house.state(entity_id)
        try:
            if leaf == "state":
                self._house.set_state(entity_id, payload or None)
            else:
                value: Any = as_json(payload)
                attributes = {**(known.attributes if known else {}), leaf: payload if value is None else value}
                self._house.set_state(entity_id, known.state if known else "unknown", attributes)
        except MynahError as error:
            log.warning("%s is not mirrored: %s", entity_id, error)
