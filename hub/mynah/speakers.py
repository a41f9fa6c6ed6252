"""The registry of speakers: devices that play and may listen, their areas and groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mynah.errors import InputError

ALL: Final = "all"
"""Every speaker, where no speaker, area or group has that name."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A device in a room: who speaks there, in what language, and what is around it.

    `formats` it plays and the version of its `firmware`, as it told; `last_seen` in seconds since the epoch, None:
    never.
    """

    id: str
    name: str = ""
    area: str | None = None
    persona: str | None = None
    language: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    firmware: str = ""
    configured: bool = True
    last_seen: float | None = None


class Speakers:
    """Every speaker, configured or noted since, and every group."""

    def __init__(self, speakers: Mapping[str, Mapping[str, Any]], groups: Mapping[str, list[str]]) -> None:
        self._speakers = {
            id: Speaker(id, **{key: value for key, value in entry.items() if value is not None})
            for id, entry in speakers.items()
        }
        self._groups = {name: tuple(members) for name, members in groups.items()}

    def __iter__(self) -> Iterator[Speaker]:
        return iter(tuple(self._speakers.values()))

    def get(self, id: str) -> Speaker:
        """Return the speaker of that id. Raises `InputError` where there is none."""
        try:
            return self._speakers[id]
        except KeyError:
            known = ", ".join(self._speakers) or "none; add it under 'speakers:'"
            raise InputError(f"no speaker named {id!r}; known are {known}") from None

    def area_of(self, id: str) -> str | None:
        """Return where a speaker stands, if that is known."""
        speaker = self._speakers.get(id)
        return speaker.area if speaker is not None else None

    def note(self, speaker: Speaker) -> Speaker:
        """Put in a speaker that came by itself, or what is new of one; return it as it now is.

        What the configuration says stays. Raises `InputError` where a name is taken.
        """
        known = self._speakers.get(speaker.id)
        if known is not None and known.configured:
            speaker = replace(known, formats=speaker.formats, firmware=speaker.firmware, last_seen=speaker.last_seen)
        if not speaker.configured:
            self._require_free(speaker)
        self._speakers[speaker.id] = speaker
        return speaker

    def _require_free(self, speaker: Speaker) -> None:
        """Raise `InputError` where the id or the area of a speaker is the name of something else."""
        others = [each for each in self if each.id != speaker.id]
        areas, ids = {each.area for each in others}, {each.id for each in others}
        if speaker.id in {*self._groups, *areas, ALL}:
            raise InputError(f"a speaker cannot be named {speaker.id!r}: a group or an area has that name")
        if speaker.area is not None and speaker.area in {*ids, *self._groups, speaker.id, ALL}:
            raise InputError(f"the area of {speaker.id} cannot be {speaker.area!r}: a speaker or a group has that name")

    def forget(self, id: str) -> None:
        """Forget a speaker that came by itself; of a configured one, what was noted. Raises `InputError`."""
        known = self.get(id)
        if known.configured:
            self._speakers[id] = replace(known, formats=(), firmware="", last_seen=None)
        else:
            del self._speakers[id]

    def groups(self) -> dict[str, frozenset[str]]:
        """Return the ids of every group's speakers."""
        areas: dict[str, set[str]] = {}
        for speaker in self:
            areas.setdefault(speaker.area or "", set()).add(speaker.id)
        return {
            name: frozenset(id for part in parts for id in areas.get(part, {part}))
            for name, parts in self._groups.items()
        }

    def members(self, name: str) -> tuple[Speaker, ...]:
        """Return the speakers of a group, of an area, or the one speaker of that name; "all" is every one.

        Raises `InputError` where nothing has that name.
        """
        if name in self._groups:
            found = {speaker.id: speaker for part in self._groups[name] for speaker in self.members(part)}
            return tuple(found.values())
        inside = tuple(speaker for speaker in self if speaker.area == name)
        if inside or name in self._speakers:
            return inside or (self._speakers[name],)
        if name == ALL:
            return tuple(self)
        areas = {speaker.area for speaker in self if speaker.area}
        known = ", ".join(sorted({*self._speakers, *self._groups, *areas, ALL}))
        raise InputError(f"no speaker, area or group named {name!r}; known are {known}")
