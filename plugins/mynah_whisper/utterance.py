"""The audio of one utterance as it comes: kept as long as it may be decoded, with where somebody speaks in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from mynah import LISTENING
from mynah_whisper.pace import BEFORE_S, Speech
from mynah_whisper.settling import REACH_S
from mynah_whisper.voice import VoiceTrack

BYTES_PER_S: Final = LISTENING.rate * LISTENING.frame_bytes
PIECE: Final = BYTES_PER_S // 2
"""Audio that the detector is fed at a time: 1.5 ms of work."""
HELD: Final = int(2 * REACH_S * BYTES_PER_S)
"""Audio that waits to be decoded; a source that is quicker than the decoder has to wait beyond that."""


class Utterance:
    """Filled by `read`, in a task of its own. Times are seconds from its beginning."""

    def __init__(self, voice: VoiceTrack) -> None:
        self.ended = asyncio.Event()
        self._voice = voice
        self._audio = bytearray()
        self._gone = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def now(self) -> float:
        """How long it is so far."""
        return (self._gone + len(self._audio)) / BYTES_PER_S

    @property
    def speech(self) -> Speech:
        """Where in it somebody speaks."""
        return self._voice.speech

    @property
    def silence(self) -> float:
        """How sure it is, 0 to 1, that nobody has spoken."""
        return 0.0 if self.speech.first is not None else 1.0 - self._voice.peak

    @property
    def begin(self) -> float:
        """Where its speech begins, and what is to be decoded."""
        return max(0.0, (self.speech.first or 0.0) - BEFORE_S)

    async def read(self, audio: AsyncIterator[bytes]) -> None:
        """Take all audio; `ended` is set at its end, whatever it ends by."""
        try:
            async for chunk in audio:
                for at in range(0, len(chunk), PIECE):
                    if at:
                        await asyncio.sleep(0)  # so that a whole recording in one chunk holds up nobody
                    await self._add(chunk[at : at + PIECE])
        finally:
            self.ended.set()
            self._news.set()

    async def more(self) -> None:
        """Wait until there is more audio, or no more to come."""
        if not self.ended.is_set():
            self._news.clear()
            await self._news.wait()

    def cut(self, begin: float, end: float) -> bytes:
        """Return the audio between two times."""
        return bytes(self._audio[self._place(begin) : self._place(end)])

    def forget(self, before: float) -> None:
        """Let go of the audio before a time."""
        place = self._place(before)
        if place > 0:
            del self._audio[:place]
            self._gone += place
            self._room.set()

    async def _add(self, piece: bytes) -> None:
        while len(self._audio) > HELD:
            self._room.clear()
            await self._room.wait()
        self._voice.feed(piece)
        self._audio += piece
        if self.speech.first is None:
            self.forget(self.now - 1.0)
        self._news.set()

    def _place(self, seconds: float) -> int:
        place = int(seconds * LISTENING.rate) * LISTENING.frame_bytes - self._gone
        return min(max(0, place), len(self._audio))
