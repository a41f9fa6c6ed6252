"""A loudspeaker that makes no sound, but takes as long over it as a real one, or no time at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from mynah.testing.received import Received, ReceivedAudio

Playback = Literal["virtual", "real_time", "silent"]
REPORT_S: Final = 0.1
REPORT_MS: Final = 200.0


@dataclass(slots=True)
class _Reel:
    """The audio of one turn: how much has arrived, and when all of that will have sounded."""

    arrived_ms: float = 0.0
    through_at: float = 0.0


class Loudspeaker:
    """Plays turns one after the other. In real time audio takes as long as it lasts; else it has sounded at once.

    `gap_ms` is for how long it had nothing to play in the middle of a turn.
    """

    def __init__(self, *, real_time: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.gap_ms = 0.0
        self._real_time = real_time
        self._clock = clock
        self._free_at = clock()
        self._reels: dict[str, _Reel] = {}

    def place(self, turn: str, at_ms: float) -> None:
        """Note that the next audio of the turn is from `at_ms` on; a resumed reply begins in its middle."""
        self._reels.setdefault(turn, _Reel()).arrived_ms = at_ms

    def take(self, turn: str, ms: float) -> None:
        """Take `ms` of the turn's audio, to be played after all that is held."""
        reel = self._reels.setdefault(turn, _Reel())
        now = self._clock()
        if reel.through_at and now > self._free_at:
            self.gap_ms += (now - self._free_at) * 1000
        self._free_at = max(now, self._free_at) + ms / 1000
        reel.arrived_ms += ms
        reel.through_at = self._free_at

    def played_ms(self, turn: str) -> float:
        """Return how much of the turn's audio has sounded."""
        reel = self._reels.get(turn)
        if reel is None:
            return 0.0
        left_ms = (reel.through_at - self._clock()) * 1000 if self._real_time else 0.0
        return max(0.0, reel.arrived_ms - max(0.0, left_ms))

    def stop(self, turn: str | None = None) -> None:
        """Throw away what is held of a turn, or of all."""
        now = self._clock()
        for name in [turn] if turn is not None else list(self._reels):
            if name in self._reels:
                self._reels[name].arrived_ms = self.played_ms(name)
                self._reels[name].through_at = min(now, self._reels[name].through_at)
        self._free_at = max((reel.through_at for reel in self._reels.values()), default=now)


class Player:
    """Plays the audio of track 0 and reports by `tell(turn, ms)` how much of it has sounded.

    `mode` is "virtual" (audio has sounded when it arrives), "real_time" (it takes as long as it lasts; `report` must
    run) or "silent" (it has sounded when it arrives, but nobody is told).
    """

    def __init__(self, mode: Playback, tell: Callable[[str, float], Awaitable[None]]) -> None:
        self.mode = mode
        self.loudspeaker = Loudspeaker(real_time=mode == "real_time")
        self._tell = tell
        self._told: dict[str, float] = {}
        self._compressed: dict[str, bool] = {}

    async def play(self, audio: ReceivedAudio) -> None:
        """Play the audio of one frame."""
        if audio.track == 0:
            self._compressed[audio.turn] = not audio.format.is_pcm
            if audio.format.is_pcm:
                self.loudspeaker.take(audio.turn, audio.format.pcm_ms(len(audio.data)))
                await self._acknowledge(audio.turn, REPORT_MS)

    async def follow(self, message: Received) -> None:
        """Do what a message says of the audio."""
        turn, data = str(message.data.get("turn")), message.data
        if message.name == "interrupted":
            self.loudspeaker.stop(turn)
        elif data.get("track") == 0 and message.name == "speech_started":
            self.loudspeaker.place(turn, data["at_ms"])
        elif data.get("track") == 0 and message.name == "speech_ended":
            if self._compressed.get(turn):  # how long compressed audio sounds is known at its end only
                self.loudspeaker.take(turn, data["ms"])
            await self._acknowledge(turn, 0.0)

    async def report(self) -> None:
        """Report, in real time, what has sounded; runs until cancelled."""
        while True:
            await asyncio.sleep(REPORT_S)
            for turn in list(self._compressed):
                await self._tell_played(turn, 1.0)

    async def _acknowledge(self, turn: str, least_ms: float) -> None:
        if self.mode == "virtual":
            await self._tell_played(turn, least_ms)

    async def _tell_played(self, turn: str, least_ms: float) -> None:
        """Report what has sounded where it is at least `least_ms` more than was reported."""
        ms = self.loudspeaker.played_ms(turn)
        more = ms - self._told.get(turn, 0.0)
        if more > 0 and more >= least_ms:
            self._told[turn] = ms
            with suppress(ConnectionError):
                await self._tell(turn, ms)
