"""Who is there: the configured speakers, and those that turned up by themselves and are remembered."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import voluptuous as vol

from mynah.config.schema import NAME
from mynah.errors import InputError
from mynah.hub_protocol import SpeakerSecrets
from mynah.speakers import Speaker, Speakers
from mynah.storage import SpeakerRow, Storage

log = logging.getLogger(__name__)

FACTS: Final = ("name", "area", "formats", "online", "firmware")
MOST: Final = 2_000
"""Speakers that are remembered; further ones are refused."""

WRITE_AFTER_S: Final = 60.0
"""A speaker of which nothing else is new is written down again after so long."""

NAME_CHARS: Final = 100
FORMATS: Final = 16


class Registry:
    """Keeps what is noted of speakers, in memory and in the database, and their tokens and keys."""

    def __init__(self, speakers: Speakers, storage: Storage) -> None:
        self._speakers = speakers
        self._storage = storage
        self._online: set[str] = set()
        self._written: dict[str, Speaker] = {}
        for row in storage.speakers():
            seen = row.last_seen or None  # 0: it was added, and has not come yet
            found = Speaker(row.id, row.name, row.area, formats=row.formats, last_seen=seen, configured=False)
            try:
                self._written[row.id] = speakers.note(found)
            except InputError as error:
                log.warning("the speaker %s, which came by itself, is passed over: %s", row.id, error)

    def is_online(self, id: str) -> bool:
        """Whether a transport says that the speaker is there."""
        return id in self._online

    def knows(self, id: str) -> bool:
        """Whether there is such a speaker, configured or not."""
        return any(speaker.id == id for speaker in self._speakers)

    def note(self, id: str, facts: Mapping[str, Any], *, seen_now: bool = True) -> None:
        """Note that a speaker is there, or that it will be, and what it is; see `mynah.hub_protocol.Hub.note_speaker`.

        Raises `InputError`.
        """
        _check(id, facts)
        known = next((speaker for speaker in self._speakers if speaker.id == id), None)
        if known is None and len(self._written) >= MOST:
            raise InputError(f"{MOST} speakers are known already; forget some before {id!r} is added")
        seen = known or Speaker(id, configured=False)
        seen = replace(seen, formats=tuple(facts.get("formats", seen.formats)))
        seen = replace(seen, firmware=facts.get("firmware", seen.firmware))
        if seen_now:
            seen = replace(seen, last_seen=round(time.time(), 1))
        if not seen.configured:
            seen = replace(seen, name=facts.get("name", seen.name), area=facts.get("area", seen.area))
        seen = self._speakers.note(seen)
        if "online" in facts:
            (self._online.add if facts["online"] else self._online.discard)(id)
        self._write(seen)

    def welcome(self, id: str) -> None:
        """Note that a speaker is there, if it is known or was given a token, which is as good as being configured."""
        if self.knows(id) or self._storage.credentials().get(id) == "speaker":
            self.note(id, {})

    def add(self, id: str, facts: Mapping[str, Any], *, renew: bool) -> SpeakerSecrets:
        """Make a speaker's token and key; see `mynah.hub_protocol.Hub.add_speaker`. Raises `InputError`."""
        role = self._storage.credentials().get(id)
        if role not in (None, "speaker"):
            raise InputError(f"{id!r} is the name of a person with a token; choose another id")
        if role is not None and not renew:
            raise InputError(f"{id} has a token already; if that one shall be void, renew it (--renew)")
        self.note(id, facts, seen_now=False)
        return SpeakerSecrets(self._storage.issue_token(id, "speaker"), self._storage.make_key(id))

    def forget(self, id: str) -> None:
        """Forget a speaker that came by itself; of a configured one, what was noted; of any, the token and the key.

        Raises `InputError` for one that is neither known nor was given a token.
        """
        role = self._storage.credentials().get(id)
        if self.knows(id) or role != "speaker":
            self._forget(id)
        if role in (None, "speaker"):
            self._storage.revoke(id)

    def _forget(self, id: str) -> None:
        self._speakers.forget(id)
        self._storage.forget_speaker(id)
        self._written.pop(id, None)
        self._online.discard(id)

    def _write(self, speaker: Speaker) -> None:
        last = self._written.get(speaker.id)
        same = last is not None and replace(last, last_seen=speaker.last_seen) == speaker
        if last is not None and same and (speaker.last_seen or 0.0) - (last.last_seen or 0.0) < WRITE_AFTER_S:
            return
        self._written[speaker.id] = speaker
        name, area = ("", None) if speaker.configured else (speaker.name, speaker.area)
        self._storage.keep_speaker(SpeakerRow(speaker.id, name, area, speaker.formats, speaker.last_seen or 0.0))


def _check(id: str, facts: Mapping[str, Any]) -> None:
    """Raise `InputError` for what cannot be noted."""
    name, area, formats = facts.get("name", ""), facts.get("area"), facts.get("formats", ())
    wrong = [fact for fact in facts if fact not in FACTS]
    if wrong:
        raise InputError(f"of a speaker only {', '.join(FACTS)} are noted, not {', '.join(map(str, wrong))}")
    if not is_name(id) or not (area is None or is_name(area)):
        raise InputError(
            f"ids and areas have only small letters, digits, '_' and '-' (64 at most), not {id!r}, {area!r}"
        )
    if not isinstance(name, str) or len(name) > NAME_CHARS:
        raise InputError(f"the name of {id} must be text of up to {NAME_CHARS} characters")
    if not isinstance(facts.get("firmware", ""), str) or len(facts.get("firmware", "")) > NAME_CHARS:
        raise InputError(f"the firmware of {id} must be a version of up to {NAME_CHARS} characters")
    if isinstance(formats, str) or len(formats) > FORMATS or not all(isinstance(each, str) for each in formats):
        raise InputError(f"the formats of {id} must be a list of up to {FORMATS} texts")


def is_name(value: object) -> bool:
    """Whether a speaker, an area or a group may have that name."""
    try:
        NAME(value)
    except vol.Invalid:
        return False
    return True
