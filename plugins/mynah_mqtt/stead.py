"""The topics of speakers without MQTT, published by the hub in their stead; and what is heard and said anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mynah import Event, Heard, Hub, Replied, ReplyFailed, ReplyInterrupted, SessionClosed, SessionOpened, TurnStarted
from mynah_mqtt.devices import Devices
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.topics import Topics

TICK_S: Final = 0.5
"""How often states are looked at."""

REST_S: Final = 0.1
GRACE_S: Final = 3.0
"""How long a speaker that has a session may take to come to the broker before the hub stands in for it."""


REPEAT_S: Final = 60.0
TEXT_CHARS: Final = 1000


@dataclass(slots=True)
class Stood:
    """A speaker for which the hub stands in: since when, and what its turns are doing."""

    since: float = field(default_factory=time.monotonic)
    thinking: set[str] = field(default_factory=set)
    turn: str = ""
    published: float = 0.0


class Stead:
    """Stands in for speakers that have a session and no MQTT. `run` it once.

    `told(id, event)` is called with what is heard and said at any speaker.
    """

    def __init__(self, hub: Hub, topics: Topics, outbox: Outbox, devices: Devices) -> None:
        self.told: Callable[[str, Mapping[str, Any]], None] = lambda id, event: None
        self._hub = hub
        self._topics = topics
        self._outbox = outbox
        self._devices = devices
        self._stood: dict[str, Stood] = {}
        self._first_seen: dict[str, float] = {}
        self._speakers: dict[str, str] = {}
        self._languages: dict[tuple[str, str], str] = {}
        self._came_or_went = asyncio.Event()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="mqtt: events")
            group.create_task(self._look(), name="mqtt: states")

    def farewell(self) -> None:
        """Say of every speaker that the hub stands in for that it is gone, as the hub stops."""
        for id in tuple(self._stood):
            self._end(id)

    # ------------------------------------------------------------ states

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._came_or_went.wait()
            self._came_or_went.clear()
            self.look()
            await asyncio.sleep(REST_S)

    def look(self) -> None:
        """Bring what is published up to what is."""
        sessions = {session["id"]: session for session in self._hub.sessions()}
        talking = {
            str(each["id"]): sessions[each["session"]]
            for each in self._hub.speakers()
            if each["session"] in sessions and self._devices.get(each["id"]) is None
        }
        waiting = set(talking)
        talking = {id: session for id, session in talking.items() if id in self._stood or self._waited(id)}
        for id, session in talking.items():
            self._publish(id, session)
        for id in [id for id in self._stood if id not in talking]:
            self._end(id)
        self._first_seen = {id: at for id, at in self._first_seen.items() if id in waiting}
        self._tidy(talking)

    def _waited(self, id: str) -> bool:
        """Whether a speaker had the time to come to the broker by itself."""
        return time.monotonic() - self._first_seen.setdefault(id, time.monotonic()) >= GRACE_S

    def _tidy(self, talking: Container[str]) -> None:
        """Set right what an earlier run of the hub left there: it may have been killed, or had other speakers."""
        known = {each["id"] for each in self._hub.speakers()}
        for device in self._devices:
            if not self._devices.stood_in_for(device.id) or device.id in talking:
                continue
            here = self._topics.speaker(device.id, "availability")
            if device.id not in known:
                self._devices.forget(device.id)
                for leaf in ("info", "state", "availability"):
                    self._outbox.erase(self._topics.speaker(device.id, leaf))
            elif device.online:
                device.online = False
                self._outbox.keep(here, "offline")
                self._outbox.repeat(here)

    def _publish(self, id: str, session: Mapping[str, Any]) -> None:
        stood = self._stood.get(id)
        if stood is None:
            stood = self._stood[id] = Stood()
            self._outbox.keep(self._topics.speaker(id, "info"), {"id": id, "by": "hub", "protocol": 1})
        topic = self._topics.speaker(id, "state")
        self._outbox.keep(topic, self._state(id, stood, session))
        self._outbox.keep(self._topics.speaker(id, "availability"), "online")
        now = time.monotonic()
        if now - stood.published > REPEAT_S:
            stood.published = now
            self._outbox.repeat(topic)

    def _state(self, id: str, stood: Stood, session: Mapping[str, Any]) -> dict[str, Any]:
        phase = "idle" if not session["busy"] else "thinking" if stood.thinking else "speaking"
        if not session["busy"]:
            stood.thinking.clear()
        state = {
            "phase": phase,
            "volume": session["volume"],
            "mute": session["muted"],
            "hub": True,
        }
        return state | ({"turn": stood.turn} if stood.turn else {})

    def _end(self, id: str) -> None:
        self._stood.pop(id, None)
        if self._devices.get(id) is not None:
            # It has MQTT of its own by now: what is retained there is its own.
            for leaf in ("info", "state", "availability"):
                self._outbox.drop(self._topics.speaker(id, leaf))
            return
        self._outbox.keep(self._topics.speaker(id, "availability"), "offline")

    # ------------------------------------------------------------ events

    async def _listen(self) -> None:
        with self._hub.bus.subscribe(Event, name="mqtt: events", maxsize=4096) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case SessionOpened(session_id=session):
                self._speaker(session)
                self._came_or_went.set()
            case SessionClosed(session_id=session):
                self._came_or_went.set()
                self._speakers.pop(session, None)
                self._languages = {key: each for key, each in self._languages.items() if key[0] != session}
            case TurnStarted(session_id=session, turn_id=turn):
                if (stood := self._stood.get(self._speaker(session))) is not None:
                    stood.thinking.add(turn)
            case Heard():
                self._heard(event)
            case Replied():
                self._said(event)
            case ReplyFailed(session_id=session, turn_id=turn) | ReplyInterrupted(session_id=session, turn_id=turn):
                self._made(session, turn)

    def _speaker(self, session_id: str) -> str:
        """Return whose session it is, or nothing."""
        if session_id not in self._speakers:
            session = next((each for each in self._hub.sessions() if each["id"] == session_id), None)
            if session is None:
                return ""
            self._speakers[session_id] = session["speaker"] or ""
        return self._speakers[session_id]

    def _made(self, session_id: str, turn_id: str) -> None:
        self._languages.pop((session_id, turn_id), None)
        if (stood := self._stood.get(self._speaker(session_id))) is not None:
            stood.thinking.discard(turn_id)
            stood.turn = turn_id

    def _heard(self, event: Heard) -> None:
        if event.language:
            self._languages[event.session_id, event.turn_id] = event.language
        self._tell(event.session_id, {"event": "heard", "turn": event.turn_id, "text": event.text}, event.language)

    def _said(self, event: Replied) -> None:
        language = self._languages.get((event.session_id, event.turn_id))
        self._made(event.session_id, event.turn_id)
        first = event.timeline.get("first_audio")
        told: dict[str, Any] = {"event": "said", "turn": event.turn_id, "text": event.text}
        self._tell(event.session_id, told | ({"ms": round(first)} if first is not None else {}), language)

    def _tell(self, session_id: str, event: dict[str, Any], language: str | None) -> None:
        id = self._speaker(session_id)
        if id:
            event["text"] = event["text"][:TEXT_CHARS]
            more = {"language": language} if language else {}
            self.told(id, event)
            self._outbox.send(self._topics.speaker(id, "event"), event | more, qos=0)
