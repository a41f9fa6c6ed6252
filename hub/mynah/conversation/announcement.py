"""Announcements: one speech on many loudspeakers, begun together, and a report of who heard it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mynah.conversation.media import repeated
from mynah.conversation.session import Conversation, check_volume
from mynah.conversation.sessions import Sessions
from mynah.conversation.shared_speech import Recording, SharedSpeech, attention, sound, spoken
from mynah.conversation.surroundings import Surroundings
from mynah.conversation.turn import Turn
from mynah.conversation.turns import ANNOUNCEMENT
from mynah.errors import InputError
from mynah.hub_protocol import AnnouncementReport
from mynah.session_protocol import Urgency
from mynah.speakers import Speakers
from mynah.timeline import now

log = logging.getLogger(__name__)

LEAD_MS: Final = 250.0
"""From when the first audio is there to when it sounds everywhere: the way to the loudspeakers, and their decoding."""

LONGEST_LEAD_MS: Final = 2_000.0
"""A loudspeaker that holds more than this of something else is not waited for."""

READY_WITHIN_S: Final = 15.0
"""How long the voice is waited for before an announcement begins, with the chime alone if need be."""

LATE_S: Final = 10.0
"""How much later than it should have been at its end a loudspeaker may be before it is stopped as a laggard."""

LONGEST_S: Final = 900.0
POLL_S: Final = 0.05
"""How often it is looked how far the loudspeakers are; by their reports, or by the clock."""

NOT_CONNECTED: Final = "it is not connected"
LAGGARD: Final = "it was too slow for the others"


@dataclass(slots=True)
class Part:
    """What one session has of an announcement. `volume_before` is what its loudspeaker is set back to."""

    speaker: str
    session: Conversation
    turn: Turn
    volume_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How something is announced: how urgently, how loud, and whether what it interrupts goes on after it."""

    urgency: Urgency = "announcement"
    volume: int | None = None
    resume: bool = True
    repeat_s: float = 0.0
    """How long it is repeated."""


@dataclass(slots=True, eq=False)
class Announcing:
    """An announcement that is under way; see `mynah.hub_protocol.Announcement`."""

    speech: SharedSpeech
    manner: Manner
    parts: list[Part] = field(default_factory=list)
    heard: dict[str, None] = field(default_factory=dict)
    missed: dict[str, str] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    taken: tuple[str, ...] = ()
    _begun_at: float = 0.0

    def stop(self, reason: str = "stop", *, speaker: str | None = None) -> None:
        """Stop it everywhere, or on one speaker."""
        for part in self.parts:
            if speaker in (None, part.speaker):
                part.session.stop(part.turn, reason)

    async def finished(self) -> AnnouncementReport:
        """Wait until it has sounded, and return who heard it."""
        await self.ended.wait()
        return self.report

    @property
    def report(self) -> AnnouncementReport:
        """Who has heard it so far, and who will not."""
        missed = {speaker: why for speaker, why in self.missed.items() if speaker not in self.heard}
        return AnnouncementReport(heard=tuple(self.heard), missed=missed)

    def offer(self, speaker: str, sessions: Sequence[Conversation]) -> None:
        """Have the sessions of a speaker take it."""
        if not sessions:
            self.missed[speaker] = NOT_CONNECTED
        for session in sessions:
            try:
                if not self.manner.resume:
                    session.interrupt(ANNOUNCEMENT)
                turn = session.recite(self.speech, self.manner.urgency)
            except InputError as error:  # one that is too busy must not keep the others from hearing it
                log.warning("%s does not say it: %s", speaker, error)
                self.missed[speaker] = str(error)
            else:
                self.parts.append(Part(speaker, session, turn))
        self.taken = tuple(dict.fromkeys(part.speaker for part in self.parts))

    async def run(self) -> None:
        """Begin, and follow it until it has sounded everywhere, or will not any more."""
        try:
            if self.parts:
                await self._begin()
                await self._follow()
        finally:
            for part in tuple(self.parts):
                self._settle(part, "the hub stopped")
            self.ended.set()
            self.speech.stop()
        await self.speech.stopped()
        missed = "; ".join(f"{speaker}: {why}" for speaker, why in self.report.missed.items())
        log.info("announced; heard by %d speakers; missed by %s", len(self.heard), missed or "none")

    async def _begin(self) -> None:
        start_at = None
        if len(self.parts) > 1:
            try:
                async with asyncio.timeout(READY_WITHIN_S):
                    await self.speech.ready()
            except TimeoutError:
                log.warning("the voice has said nothing for %g s; the announcement begins without it", READY_WITHIN_S)
            held_ms = max(min(part.session.held_ms, LONGEST_LEAD_MS) for part in self.parts)
            start_at = now() * 1000 + LEAD_MS + held_ms
        self._begun_at = now() if start_at is None else start_at / 1000
        for part in self.parts:
            self._turn_to_volume(part)
        self.speech.begin(start_at)

    async def _follow(self) -> None:
        deadline = now() + LONGEST_S + self.manner.repeat_s
        while self.parts:
            await asyncio.sleep(POLL_S)
            late = self.speech.complete and now() > self._begun_at + self.speech.ms / 1000 + LATE_S
            for part in tuple(self.parts):
                why = part.session.outcome(part.turn)
                if why is None and (now() > deadline or (late and part.session.has_waiting(part.turn))):
                    why = LAGGARD if part.session.attached else NOT_CONNECTED
                    log.warning("%s misses the announcement: %s", part.speaker, why)
                    part.session.stop(part.turn, why)
                if why is not None:
                    self._settle(part, why)

    def _settle(self, part: Part, why: str) -> None:
        self.parts.remove(part)
        if why:
            self.missed[part.speaker] = why
        else:
            self.heard[part.speaker] = None
        before, part.volume_before = part.volume_before, None
        if before is not None and not part.session.closed and part.session.volume == self.manner.volume:
            part.session.set_volume(before)

    def _turn_to_volume(self, part: Part) -> None:
        """Set the volume for the announcement where the present one is known, so that it can be set back."""
        volume, session = self.manner.volume, part.session
        if volume is not None and session.volume_known and session.volume != volume and not session.closed:
            part.volume_before = session.volume
            session.set_volume(volume)


class Announcements:
    """Every announcement that is under way."""

    def __init__(self, around: Surroundings, speakers: Speakers, sessions: Sessions) -> None:
        self._around = around
        self._speakers = speakers
        self._sessions = sessions
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self, text: str, where: str, manner: Manner, *, play: str | None, language: str | None, chime: bool,
        voice_of: str | None,
    ) -> Announcing:  # fmt: skip
        """Begin one on the speakers of that name, area or group; see `mynah.hub_protocol.Hub.announce`."""
        speakers = [speaker.id for speaker in self._speakers.members(where)]
        check_volume(manner.volume)
        if play is not None and text.strip():
            raise InputError("an announcement is a text or a sound to play, not both")
        said = self._spoken(text, language, voice_of) if play is None else [self._played(play, manner.repeat_s)]
        announcing = Announcing(SharedSpeech(text.strip(), [attention(), *said] if chime else said), manner)
        by_speaker = _by_speaker(self._sessions)
        for speaker in speakers:
            announcing.offer(speaker, by_speaker.get(speaker, ()))
        task = asyncio.get_running_loop().create_task(announcing.run(), name="announcement")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return announcing

    def _played(self, source: str, repeat_s: float) -> Recording:
        make = self._around.media.open(source)
        return sound(lambda: repeated(make, repeat_s))

    def _spoken(self, text: str, language: str | None, voice_of: str | None) -> list[Recording]:
        self._around.limits.check_text(text)
        persona = self._sessions.persona(voice_of)
        return spoken(
            text.strip(), self._around.chains["tts"], persona,
            persona.language_of(text, language or persona.spec.language),
            early=self._around.latency.early_phrase, total=self._around.turn_limits.speak,
        )  # fmt: skip

    async def close(self) -> None:
        """End every announcement."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


def _by_speaker(sessions: Iterable[Conversation]) -> Mapping[str, Sequence[Conversation]]:
    """Return the sessions of each speaker: those that somebody listens to, or where there is none all of them."""
    found: dict[str, list[Conversation]] = {}
    for session in sessions:
        if session.speaker is not None:
            found.setdefault(session.speaker, []).append(session)
    return {speaker: [session for session in each if session.attached] or each for speaker, each in found.items()}
