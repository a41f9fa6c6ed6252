"""A loudspeaker that makes no sound, but takes as long over it as a real one, or no time at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from mynah.audio import Converter, converter
from mynah.testing.received import Received, ReceivedAudio

Playback = Literal["virtual", "real_time", "silent"]
REPORT_S: Final = 0.1
REPORT_MS: Final = 200.0


@dataclass(slots=True)
class _Reel:
    """The audio of one turn: how much has arrived, and when all of that will have sounded."""

    arrived_ms: float = 0.0
    through_at: float = 0.0
    began_at: float | None = None


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
        self._waits: dict[str, float] = {}

    def wait_until(self, turn: str, at: float) -> None:
        """Have the turn's first sample sound at `at` of the loudspeaker's clock, in seconds, and not before."""
        self._waits[turn] = at

    def began_at(self, turn: str) -> float | None:
        """Return when the turn's first sample sounded, or will, in seconds of the loudspeaker's clock."""
        reel = self._reels.get(turn)
        return reel.began_at if reel is not None else None

    def through_at(self, turn: str) -> float:
        """Return when all that has come of the turn has sounded, in seconds of the loudspeaker's clock."""
        return self._reels[turn].through_at

    def place(self, turn: str, at_ms: float) -> None:
        """Note that the next audio of the turn is from `at_ms` on; a resumed reply begins in its middle."""
        self._reels.setdefault(turn, _Reel()).arrived_ms = at_ms

    def take(self, turn: str, ms: float) -> None:
        """Take `ms` of the turn's audio, to be played after all that is held."""
        reel = self._reels.setdefault(turn, _Reel())
        now = self._clock()
        if reel.through_at and now > self._free_at:
            self.gap_ms += (now - self._free_at) * 1000
        begins = max(now, self._free_at, self._waits.pop(turn, now))
        if reel.began_at is None:
            reel.began_at = begins
        self._free_at = begins + ms / 1000
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
    run) or "silent" (it has sounded when it arrives, but nobody is told). In real time a turn that has a `start_at`
    waits for it, where `hub_ahead_ms()` tells what the hub's clock is ahead of `clock`.
    """

    def __init__(
        self,
        mode: Playback,
        tell: Callable[[str, float], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
        hub_ahead_ms: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.mode = mode
        self.loudspeaker = Loudspeaker(real_time=mode == "real_time", clock=clock)
        self._hub_ahead_ms = hub_ahead_ms
        self._tell = tell
        self._told: dict[str, float] = {}
        self._compressed: dict[str, bool] = {}
        self._meters: dict[tuple[str, int], Converter] = {}

    async def play(self, audio: ReceivedAudio) -> None:
        """Play the audio of one frame."""
        if audio.track == 0:
            self._compressed[audio.turn] = not audio.format.is_pcm
            if self.mode == "real_time" and not audio.format.is_pcm:
                key = (audio.turn, audio.phrase)
                meter = self._meters.setdefault(key, converter(audio.format, audio.format))
                self.loudspeaker.take(audio.turn, sum(chunk.ms for chunk in meter.feed(audio.data)))
            elif audio.format.is_pcm:
                self.loudspeaker.take(audio.turn, audio.format.pcm_ms(len(audio.data)))
                await self._acknowledge(audio.turn, REPORT_MS)

    async def follow(self, message: Received) -> None:
        """Do what a message says of the audio."""
        turn, data = str(message.data.get("turn")), message.data
        if message.name == "interrupted":
            self.loudspeaker.stop(turn)
        elif data.get("track") == 0 and message.name == "speech_started":
            self.loudspeaker.place(turn, data["at_ms"])
            ahead_ms = self._hub_ahead_ms()
            if self.mode == "real_time" and ahead_ms is not None and data.get("start_at") is not None:
                self.loudspeaker.wait_until(turn, (data["start_at"] - ahead_ms) / 1000)
        elif data.get("track") == 0 and message.name == "speech_ended":
            meter = self._meters.pop((turn, int(data["phrase"])), None)
            if meter is not None:
                self.loudspeaker.take(turn, sum(chunk.ms for chunk in meter.flush()))
            elif self._compressed.get(turn):  # nobody measured it, as it has sounded when it arrives
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
