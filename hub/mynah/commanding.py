"""What speakers can be told to do: by their session, or by a way of their own that a component has to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mynah.conversation.session import Conversation
from mynah.errors import InputError
from mynah.hub_protocol import CommandReport, Control
from mynah.speakers import Speaker, Speakers

SETTINGS: Final = ("persona", "language", "voice", "context")
"""What is the session's, whoever plays it."""

SOUND: Final = ("volume", "mute", "stop")
"""What a session can do for a speaker that has nothing else."""

DEVICE: Final = ("listen", "reboot", "update")
STATE: Final[Mapping[str, Any]] = {"phase": None, "volume": None, "mute": False, "latest": None, "update": None}


class Commanding:
    """Has commands done. `controls` are asked in their order; the first one that reaches the speaker does it."""

    def __init__(self, speakers: Speakers, sessions: Iterable[Conversation]) -> None:
        self.controls: list[Control] = []
        self._speakers = speakers
        self._sessions = sessions

    def describe(self, speakers: Sequence[Speaker]) -> dict[str, dict[str, Any]]:
        """Return what is known of each speaker's state, its groups, and what it can be told; by their ids."""
        sessions = self._talking()
        groups = self._speakers.groups()
        return {
            each.id: {
                "groups": [name for name, ids in groups.items() if each.id in ids],
                **self._state(each.id, sessions.get(each.id)),
            }
            for each in speakers
        }

    async def command(self, where: str, command: str, fields: Mapping[str, Any]) -> CommandReport:
        """Have all speakers of that name do it, at once."""
        if command not in (*SETTINGS, *SOUND, *DEVICE):
            raise InputError(f"there is no command {command!r}; known are {', '.join((*SETTINGS, *SOUND, *DEVICE))}")
        if command not in (*DEVICE, "stop") and command not in fields:
            raise InputError(f"the command {command} needs '{command}'")
        ids = [speaker.id for speaker in self._speakers.members(where)]
        sessions = self._talking()
        whys = await asyncio.gather(*(self._try(id, sessions.get(id), command, fields) for id in ids))
        missed = {id: why for id, why in zip(ids, whys, strict=True) if why}
        return CommandReport(tuple(id for id in ids if id not in missed), missed)

    def _talking(self) -> dict[str, Conversation]:
        return {session.speaker: session for session in self._sessions if session.speaker}

    def _control(self, id: str) -> Control | None:
        return next((control for control in self.controls if control.commands(id)), None)

    def _state(self, id: str, session: Conversation | None) -> dict[str, Any]:
        control = self._control(id)
        found: dict[str, Any] = {**STATE}
        if session is not None:
            found |= {"phase": session.phase, "mute": session.muted}
            found |= {"volume": session.volume} if session.volume_known or session.attached else {}
        for each in reversed(self.controls):  # what the first one knows goes before what the others do
            found |= each.state(id)
        sound = control.commands(id) if control is not None else SOUND if session is not None else ()
        return found | {"commands": [*(SETTINGS if session is not None else ()), *sound]}

    async def _try(self, id: str, session: Conversation | None, command: str, fields: Mapping[str, Any]) -> str:
        """Have one speaker do it; return why it does not, or nothing."""
        try:
            await self._do(id, session, command, fields)
        except InputError as error:
            return str(error)
        return ""

    async def _do(self, id: str, session: Conversation | None, command: str, fields: Mapping[str, Any]) -> None:
        control = self._control(id) if command not in SETTINGS else None
        if control is not None:
            if command not in control.commands(id):
                raise InputError(f"it cannot be told to {command}")
            await control.command(id, command, fields)
            return
        if session is None:
            raise InputError("it is not connected")
        match command:
            case "volume":
                session.set_volume(fields["volume"])
            case "mute":
                session.set_mute(fields["mute"])
            case "stop":
                session.interrupt("stop")
            case name if name in SETTINGS:
                session.update(**{name: fields[name]})
            case _:
                raise InputError(f"it has no MQTT, by which alone a speaker can be told to {command}")
