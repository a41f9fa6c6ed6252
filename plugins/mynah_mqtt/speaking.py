"""What the hub does for one speaker by its session, and for one without MQTT what its own device would do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from mynah import AnnouncementReport, Hub, InputError, LimitError, Session
from mynah_mqtt.devices import Devices
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.reading import Command, Refusal
from mynah_mqtt.sounding import Sounding
from mynah_mqtt.topics import Topics

log = logging.getLogger(__name__)

DEFAULT_VOICE: Final = "default"
"""What stands for the persona's own voice."""

ID_CHARS: Final = 36
LONG_ID: Final = 24


def session_of(hub: Hub, id: str) -> Session | None:
    """Return the session in which a speaker converses, where there is one."""
    for speaker in hub.speakers():
        if speaker["id"] == id and speaker["session"] is not None:
            try:
                return hub.session(speaker["session"])
            except InputError:
                return None
    return None


class Speaking:
    """Does commands for one speaker each. What cannot be done raises `Refusal`."""

    def __init__(self, hub: Hub, topics: Topics, outbox: Outbox, devices: Devices, sounding: Sounding) -> None:
        self._hub = hub
        self._topics = topics
        self._outbox = outbox
        self._devices = devices
        self._sounding = sounding
        self._raised: dict[str, dict[str | None, int | None]] = {}
        """By speaker: under None the volume that it had, then those of commands that sound, by their ids."""

    async def do(self, id: str, command: Command) -> None:
        """Do a command for a speaker, to its end."""
        session = session_of(self._hub, id)
        if session is None:
            raise Refusal("offline", f"{id} is not connected to the hub")
        try:
            await self._do(id, session, command)
        except LimitError as error:
            raise Refusal("failed", str(error)) from None
        except InputError as error:
            raise error if isinstance(error, Refusal) else Refusal("invalid", str(error)) from None

    def set(self, id: str, name: str, value: Any) -> None:
        """Set a property of a speaker."""
        session = session_of(self._hub, id)
        if session is None:
            raise Refusal("offline", f"{id} is not connected to the hub")
        match name:
            case "volume":
                session.set_volume(value)
            case "mute":
                session.set_mute(value)
            case "persona":
                self._set_persona(session, value)
            case "language":
                session.update(language=value)
            case "voice":
                session.update(voice="" if value == DEFAULT_VOICE else value)
            case _:
                raise Refusal("failed", f"{id} has no {name} that can be set from here")

    async def _do(self, id: str, session: Session, command: Command) -> None:
        fields = command.fields
        match command.name:
            case "say":
                await self._sound(session, lambda: session.say(fields["text"], language=fields.get("language")))
            case "announce" | "play":
                report = await self.announce(id, [id], command)
                if id not in report.heard:
                    raise Refusal("failed", report.missed.get(id, "nobody heard it"))
            case "persona":
                self._set_persona(session, fields["persona"])
            case "context":
                session.update(context=fields["context"])
            case "stop":
                session.interrupt("stop")
            case "volume" | "mute":
                self.set(id, command.name, fields[command.name])
            case other:
                raise Refusal("failed", f"{id} has no MQTT of its own, and the hub cannot do {other} for it")

    async def _sound(self, session: Session, begin: Callable[[], str]) -> None:
        await self._sounding.wait(self._sounding.follow(session.id, begin()))

    # ------------------------------------------------------------ announcements

    async def announce(self, where: str, ids: Sequence[str], command: Command) -> AnnouncementReport:
        """Have an announcement or a recording begin on a speaker, or all of a group, at once; return who heard it.

        `ids` are the speakers that `where` means. Raises `Refusal` for what cannot be said or played.
        """
        fields = command.fields
        self.turn_up(ids, command)
        try:
            announcement = self._hub.announce(
                fields.get("text", ""),
                where,
                play=fields.get("url"),
                language=fields.get("language"),
                chime=fields.get("chime", False),
                resume=fields.get("resume", True),
            )
            return await announcement.finished()
        except InputError as error:
            raise Refusal("invalid", str(error)) from None
        finally:
            self.turn_back(ids, command)

    def turn_up(self, ids: Sequence[str], command: Command) -> None:
        """Set the volume that a command asks for, until `turn_back`; of several at once the last one counts."""
        volume = command.fields.get("volume")
        for id in ids if volume is not None else ():
            raised = self._raised.setdefault(id, {None: self._volume(id)})
            raised[command.id] = volume
            self._turn_to(id, volume, f"{command.id[:LONG_ID]}.{id}")

    def turn_back(self, ids: Sequence[str], command: Command) -> None:
        """Set volumes back to what they were, or to what another command asked for that still sounds."""
        for number, id in enumerate(ids):
            raised = self._raised.get(id, {})
            if raised.pop(command.id, None) is None:
                continue
            if len(raised) == 1:
                del self._raised[id]
            self._turn_to(id, list(raised.values())[-1], f"{command.id[:LONG_ID]}..{number}")

    def _volume(self, id: str) -> int | None:
        """Return how loud a speaker is, if that is known."""
        if self._devices.is_online(id):
            device = self._devices.get(id)
            return device.state.get("volume") if device is not None else None
        session = session_of(self._hub, id)
        return session.volume if session is not None and not session.closed else None

    def _turn_to(self, id: str, volume: int | None, command_id: str) -> None:
        """Set the volume for a while, where the speaker is there; None: what it was is not known."""
        if volume is None:
            return
        if self._devices.is_online(id):
            order = {"id": command_id[:ID_CHARS], "command": "volume", "volume": volume, "keep": False}
            self._outbox.send(self._topics.speaker(id, "cmd"), order)
            return
        session = session_of(self._hub, id)
        if session is not None and not session.closed:
            session.set_volume(volume)

    # ------------------------------------------------------------ small things

    def _set_persona(self, session: Session, name: str) -> None:
        known = [persona.name for persona in self._hub.personas()]
        if name not in known:
            raise Refusal("unknown", f"no persona named {name!a}; known are {', '.join(known)}")
        session.update(persona=name)
