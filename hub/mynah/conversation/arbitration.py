"""Who answers when several microphones of one area hear the same person: the one that heard them best."""

from __future__ import annotations

import asyncio
import logging
import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mynah.audio import LISTENING
from mynah.timeline import now

if TYPE_CHECKING:
    from mynah.conversation.session import Conversation
    from mynah.conversation.turn import Turn

log = logging.getLogger(__name__)

HEARD_BETTER: Final = "another speaker heard it better"
FRAME_BYTES: Final = LISTENING.pcm_bytes(20)
JUDGED_BYTES: Final = LISTENING.pcm_bytes(1_000)
"""Of an utterance that much is listened to; usually the window ends before."""

QUIETEST_DB: Final = -60.0
"""Rooms that are quieter than this, relative to full scale, are taken to be equally quiet."""

WAKE_S: Final = 2.0
"""How long the level that a speaker told with its wake event is good for."""

MOST_WAKES: Final = 2_000


@dataclass(slots=True)
class Contender:
    """A turn in a contest; `won` is called where it wins."""

    session: Conversation
    turn: Turn
    won: list[Callable[[], object]] = field(default_factory=list)


@dataclass(slots=True)
class Contest:
    """The turns that began in one area within a short time; once `decided` all but one are dropped."""

    area: str
    contenders: list[Contender] = field(default_factory=list)
    decided: asyncio.Event = field(default_factory=asyncio.Event)

    def when_won(self, turn: Turn, do: Callable[[], object]) -> None:
        """Call `do` where the turn wins; at once where it has."""
        if self.decided.is_set():
            do()
        for contender in self.contenders:
            if contender.turn is turn and not self.decided.is_set():
                contender.won.append(do)


class Arbitration:
    """Holds contests of `window_ms`; 0: none. With `buttons` microphones that somebody opened by hand take part.

    `area_of` tells where a speaker stands. An utterance is never kept waiting where no other microphone is open there.
    """

    def __init__(
        self, area_of: Callable[[str], str | None], *, window_ms: float = 250.0, buttons: bool = False
    ) -> None:
        self.buttons = buttons
        self._area_of = area_of
        self._window_s = window_ms / 1000
        self._open: dict[str, Conversation] = {}
        self._contests: dict[str, Contest] = {}
        self._wakes: dict[str, tuple[float, float]] = {}

    def opened(self, session: Conversation) -> None:
        """Note that a session's microphone is open."""
        self._open[session.id] = session

    def closed(self, session: Conversation) -> None:
        """Note that it is not any more."""
        self._open.pop(session.id, None)

    def note_wake(self, speaker: str, level: float) -> None:
        """Note how loud a speaker heard somebody, by its own account."""
        self._wakes.pop(speaker, None)
        while len(self._wakes) >= MOST_WAKES:
            del self._wakes[next(iter(self._wakes))]
        self._wakes[speaker] = (now(), level)

    def enter(self, session: Conversation, turn: Turn) -> Contest | None:
        """Have a turn that begins take part in its area's contest; None where there is none."""
        area = self._area_of(session.speaker) if session.speaker else None
        if area is None or not self._window_s:
            return None
        contest = self._contests.get(area)
        if contest is None:
            contest = self._contests[area] = Contest(area)
            asyncio.get_running_loop().call_later(self._window_s, self._decide, contest)
        contest.contenders.append(Contender(session, turn))
        return contest

    def hurry(self, session: Conversation, contest: Contest) -> None:
        """Decide at once where nobody else can hear that person: somebody waits for it."""
        if len(contest.contenders) == 1 and not self._has_rivals(session, contest.area):
            self._decide(contest)

    def _has_rivals(self, session: Conversation, area: str) -> bool:
        return any(
            other.speaker not in (None, session.speaker)
            and other.attached
            and self._area_of(other.speaker or "") == area
            for other in self._open.values()
        )

    def _decide(self, contest: Contest) -> None:
        if contest.decided.is_set():
            return
        del self._contests[contest.area]
        there = [each for each in contest.contenders if not each.turn.over and each.turn.ended is None]
        if there:
            told = [self._told(each) for each in there]
            levels = [level for level in told if level is not None]
            if len(levels) < len(there):
                levels = [heard_db(each.turn) for each in there]
            best = there[levels.index(max(levels))]
            if len(there) > 1:
                heard = ", ".join(
                    f"{one.session.speaker} {level:.1f}" for one, level in zip(there, levels, strict=True)
                )
                log.info("%s: %s answers (heard: %s)", contest.area, best.session.speaker, heard)
            for each in there:
                if each is not best and each.session.speaker != best.session.speaker:
                    each.session.give_way(each.turn, HEARD_BETTER)
            for do in best.won:
                do()
        contest.decided.set()

    def _told(self, contender: Contender) -> float | None:
        at, level = self._wakes.get(contender.session.speaker or "", (-math.inf, 0.0))
        return level if now() - at <= WAKE_S else None


def heard_db(turn: Turn) -> float:
    """Return how well a turn's utterance is heard so far, in dB: its level, and how far it stands out from the room.

    The level alone would favour a sensitive microphone in a noisy corner; where there is no pause to tell the room by,
    as when somebody speaks while a button is held, it is all there is.
    """
    pcm = turn.utterance.beginning(JUDGED_BYTES) if turn.utterance is not None else b""
    starts = range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)
    frames = sorted(_db(pcm[start : start + FRAME_BYTES]) for start in starts)
    if not frames:
        return -math.inf
    loudest = frames[-max(1, len(frames) // 3) :]
    level = sum(loudest) / len(loudest)
    return 2 * level - max(frames[len(frames) // 10], QUIETEST_DB)


def _db(frame: bytes) -> float:
    """Return the level of PCM relative to full scale."""
    samples = array("h", frame)
    energy = sum(sample * sample for sample in samples) / len(samples)
    return 10 * math.log10(energy / 32_768**2) if energy else 2 * QUIETEST_DB
