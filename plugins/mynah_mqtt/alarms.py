"""Alarms: they go before all else on a speaker, and go on until they are over or somebody stops them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mynah import Announcement, AnnouncementReport, Hub, InputError
from mynah_mqtt.reading import Command, Refusal
from mynah_mqtt.speaking import Speaking


class Alarms:
    """Begins and ends alarms on speakers, and knows where one sounds."""

    def __init__(self, hub: Hub, speaking: Speaking) -> None:
        self._hub = hub
        self._speaking = speaking
        self._under_way: dict[Announcement, asyncio.Task[None]] = {}

    def sounds(self, id: str) -> bool:
        """Whether an alarm sounds on a speaker."""
        return any(id in _sounding(alarm) for alarm in self._under_way)

    def set(self, where: str, ids: Sequence[str], command: Command) -> AnnouncementReport:
        """Begin or end an alarm on the speakers `ids`, which `where` means; return who does it and who does not.

        Raises `Refusal` where nobody does it.
        """
        for alarm in self._under_way:
            for id in _sounding(alarm).intersection(ids):
                alarm.stop(speaker=id)
        return self._begin(where, ids, command) if command.fields["on"] else AnnouncementReport(tuple(ids), {})

    async def close(self) -> None:
        """Let go of what is under way."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2)

    def _begin(self, where: str, ids: Sequence[str], command: Command) -> AnnouncementReport:
        fields = command.fields
        self._speaking.turn_up(ids, command)
        once = fields["tone"] == "chime"
        try:
            alarm = self._hub.announce(
                "",
                where,
                play="chime:attention" if once else "chime:alarm",
                chime=False,
                urgency="alarm",
                repeat_s=0.0 if once else float(fields["seconds"]),
            )
        except InputError as error:
            self._speaking.turn_back(ids, command)
            raise Refusal("invalid", str(error)) from None
        self._under_way[alarm] = asyncio.get_running_loop().create_task(
            self._follow(alarm, ids, command), name=f"mqtt: alarm at {where}"
        )
        missed = {id: alarm.report.missed.get(id, "it is not connected") for id in ids if id not in alarm.taken}
        if not alarm.taken:
            raise Refusal("offline", next(iter(missed.values()), "no speaker is in it"))
        return AnnouncementReport(alarm.taken, missed)

    async def _follow(self, alarm: Announcement, ids: Sequence[str], command: Command) -> None:
        try:
            await alarm.finished()
        finally:
            self._under_way.pop(alarm, None)
            self._speaking.turn_back(ids, command)


def _sounding(alarm: Announcement) -> set[str]:
    """Return the speakers on which it has not ended yet."""
    over = alarm.report
    return {id for id in alarm.taken if id not in over.heard and id not in over.missed}
