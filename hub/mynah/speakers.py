"""The registry of speakers: devices that play and may listen, their areas and groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mynah.errors import InputError

ALL: Final = "all"
"""Every speaker, where no speaker, area or group has that name."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A device in a room: who speaks there, in what language, and what is around it."""

    id: str
    name: str = ""
    area: str | None = None
    persona: str | None = None
    language: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


class Speakers:
    """Every configured speaker and group."""

    def __init__(self, speakers: Mapping[str, Mapping[str, Any]], groups: Mapping[str, list[str]]) -> None:
        self._speakers = {
            id: Speaker(id, **{key: value for key, value in entry.items() if value is not None})
            for id, entry in speakers.items()
        }
        self._groups = {name: tuple(members) for name, members in groups.items()}

    def __iter__(self) -> Iterator[Speaker]:
        return iter(self._speakers.values())

    def get(self, id: str) -> Speaker:
        """Return the speaker of that id. Raises `InputError` where there is none."""
        try:
            return self._speakers[id]
        except KeyError:
            known = ", ".join(self._speakers) or "none; add it under 'speakers:'"
            raise InputError(f"no speaker named {id!r}; known are {known}") from None

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
