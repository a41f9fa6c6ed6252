"""What the hub knows: of itself, on `hub/state`, and of each speaker, on `speaker/<id>/hub`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mynah import Hub
from mynah_mqtt.alarms import Alarms
from mynah_mqtt.devices import Devices
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.topics import Topics

TICK_S: Final = 0.5
"""How often it is looked at."""

FORGET_S: Final = 5.0
"""How long what is retained of a speaker outlives it: what shows it is to be told first that it is gone."""

STATUSES: Final = ("starting", "healthy")
"""Those of the hub's health that are told as they are."""


@dataclass(frozen=True, slots=True)
class Words:
    """The last turn of a speaker, what was heard and said in it, and its latency."""

    turn: str | None = None
    heard: str | None = None
    said: str | None = None
    ms: int | None = None


class Known:
    """Keeps both topics up to what is. `run` it once, and tell it of what is heard and said by `note`."""

    def __init__(self, hub: Hub, topics: Topics, outbox: Outbox, devices: Devices, alarms: Alarms) -> None:
        self._hub = hub
        self._topics = topics
        self._outbox = outbox
        self._devices = devices
        self._alarms = alarms
        self._words: dict[str, Words] = {}
        self._last_ms: int | None = None
        self._shown: set[str] = set()
        self._gone: dict[str, float] = {}

    async def run(self) -> None:
        """Publish until cancelled."""
        try:
            while True:
                self.look()
                await asyncio.sleep(TICK_S)
        finally:
            self._erase(self._gone)

    def note(self, id: str, event: Mapping[str, Any]) -> None:
        """Note what was heard or said at a speaker: the event of docs/mqtt.md."""
        words = self._words.get(id, Words())
        if event["event"] == "heard":
            self._words[id] = replace(words, turn=event["turn"], heard=event["text"])
        else:
            self._last_ms = event.get("ms", self._last_ms)
            self._words[id] = replace(words, turn=event["turn"], said=event["text"], ms=event.get("ms", words.ms))

    def look(self) -> None:
        """Bring what is published up to what is."""
        speakers = self._hub.speakers()
        sessions = {session["id"]: session for session in self._hub.sessions()}
        for speaker in speakers:
            self._outbox.keep(
                self._topics.speaker(speaker["id"], "hub"), self._speaker(speaker, sessions.get(speaker["session"]))
            )
        known = {str(speaker["id"]) for speaker in speakers}
        self._forget(known)
        status = str(self._hub.health()["status"])
        state = {
            "status": status if status in STATUSES else "degraded",
            "online": sum(bool(speaker["online"]) for speaker in speakers),
            "alarm": any(self._alarms.sounds(id) for id in known),
            "ms": self._last_ms,
        }
        self._outbox.keep(self._topics.hub("state"), state)

    def _speaker(self, speaker: Mapping[str, Any], session: Mapping[str, Any] | None) -> dict[str, Any]:
        id = str(speaker["id"])
        words = self._words.get(id, Words())
        device = self._devices.get(id)
        updates = device is not None and bool(device.info.get("firmware"))
        return {
            "persona": session["persona"] if session else speaker["persona"],
            "voice": session["voice"] if session else None,
            "language": session["language"] if session else None,
            "turn": words.turn,
            "heard": words.heard,
            "said": words.said,
            "ms": words.ms,
            "alarm": self._alarms.sounds(id),
            "latest": (self._hub.firmware_version or None) if updates else None,
        }

    def _forget(self, known: set[str]) -> None:
        """Forget the speakers that the hub has forgotten, and have the broker do so a little later."""
        now = time.monotonic()
        for id in self._shown - known:
            self._words.pop(id, None)
            self._devices.forget(id)
            self._gone[id] = now + FORGET_S
        for id in self._gone.keys() & known:
            del self._gone[id]
        self._erase([id for id, due in self._gone.items() if now >= due])
        self._shown = known

    def _erase(self, ids: Iterable[str]) -> None:
        for id in list(ids):
            self._gone.pop(id, None)
            for leaf in ("hub", "info", "state", "availability"):
                self._outbox.erase(self._topics.speaker(id, leaf))
