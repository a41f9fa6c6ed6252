"""Entities of the hub itself: speakers, what phase they are in, and the number of sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from mynah import (
    Event,
    Heard,
    Hub,
    Replied,
    ReplyFailed,
    ReplyInterrupted,
    SessionClosed,
    SessionOpened,
    TurnEvent,
    TurnStarted,
)
from mynah_automation.house import LiveHouse
from mynah_automation.names import slug

LOOK_S: Final = 0.5
IDLE_S: Final = 20.0
PHASES: Final = {TurnStarted: "thinking", Heard: "thinking", Replied: "speaking", ReplyFailed: "idle",
                 ReplyInterrupted: "idle"}  # fmt: skip


class Entities:
    """Keeps `speaker.*`, `sensor.*_phase` and `session.count` as the hub is."""

    def __init__(self, house: LiveHouse) -> None:
        self._house = house
        self._hub: Hub = house.hub
        self._phases: dict[str, str] = {}
        self._shown: set[str] = set()
        self._stirred = asyncio.Event()

    def look(self) -> None:
        """Show what the hub is like now."""
        sessions = {str(session["id"]): session for session in self._hub.sessions()}
        self._house.set_state("session.count", str(len(sessions)))
        shown = set()
        for speaker in self._hub.speakers():
            session = sessions.get(str(speaker["session"]))
            shown |= self._show(speaker, session)
        for entity_id in self._shown - shown:
            self._house.set_state(entity_id, None)
        self._shown = shown
        self._phases = {id: phase for id, phase in self._phases.items() if id in sessions}

    def _show(self, speaker: Mapping[str, Any], session: Mapping[str, Any] | None) -> set[str]:
        name = slug(str(speaker["id"]))
        phase = "idle"
        if session is not None:
            phase = self._phases.get(str(session["id"]), "idle")
            if not session["busy"]:
                phase = self._phases[str(session["id"])] = "idle"
            elif phase == "idle":
                phase = "listening"
        state = "unavailable" if not speaker["online"] and session is None else "idle" if phase == "idle" else "busy"
        attributes = {"friendly_name": speaker["name"], "id": speaker["id"], "area": speaker["area"],
                      "persona": session["persona"] if session else speaker["persona"],
                      "volume": session["volume"] if session else None, "session": speaker["session"],
                      "context": dict(session["context"] if session else speaker["context"])}  # fmt: skip
        self._house.set_state(f"speaker.{name}", state, attributes)
        self._house.set_state(f"sensor.{name}_phase", phase, {"friendly_name": f"{speaker['name']} phase"})
        return {f"speaker.{name}", f"sensor.{name}_phase"}

    async def run(self) -> None:
        """Follow the hub until cancelled."""
        with self._hub.bus.subscribe(Event, name="automation entities", maxsize=1024) as events:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(events), name="automations: turns")
                group.create_task(self._look_again(), name="automations: speakers")

    async def _follow(self, events: Any) -> None:
        async for event in events:
            if isinstance(event, SessionOpened | SessionClosed | TurnEvent):
                phase = PHASES.get(type(event))
                if phase is not None and isinstance(event, TurnEvent):
                    self._phases[event.session_id] = phase
                self._stirred.set()

    async def _look_again(self) -> None:
        """Look while somebody is busy, as nothing tells of the end of sound; else now and then, for who is there."""
        while True:
            self._stirred.clear()
            self.look()
            busy = any(phase != "idle" for phase in self._phases.values())
            if busy:
                await asyncio.sleep(LOOK_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._stirred.wait()
