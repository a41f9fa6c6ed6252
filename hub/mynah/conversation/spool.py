"""The spool: a session's outputs on their way to its outlet, and those sent but not yet heard, for resuming."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from mynah.audio import AudioChunk
from mynah.outputs import Output, PhraseFailed, SpeechChunk, SpeechEnded, SpeechStarted, TurnFinished

MAX_OUTPUTS: Final = 20_000
"""Outputs that wait at most; an outlet that never reads must not cost more memory than that."""

_KEPT: Final = (SpeechStarted, SpeechChunk, SpeechEnded, PhraseFailed, TurnFinished)
"""What is kept after sending until it was heard: all that a client needs to play the rest."""


class Spool:
    """Outputs in order: `waiting` for the outlet, and `sent` to it but not yet heard.

    Putting waits while more than `ahead_ms` of audio is waiting.
    """

    def __init__(self, ahead_ms: float) -> None:
        self._ahead_ms = ahead_ms
        self._waiting: deque[Output] = deque()
        self._sent: deque[Output] = deque()
        self._waiting_ms = 0.0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def waiting_ms(self) -> float:
        """Milliseconds of audio that the outlet has not taken yet."""
        return self._waiting_ms

    async def put(self, output: Output) -> None:
        """Add an output; waits while too much is waiting."""
        while self._waiting_ms > self._ahead_ms or len(self._waiting) >= MAX_OUTPUTS:
            self._room.clear()
            await self._room.wait()
        self.put_now(output)

    def put_now(self, output: Output) -> None:
        """Add an output at once."""
        self._waiting.append(output)
        self._waiting_ms += _ms(output)
        self._arrived.set()

    async def take(self, stopped: Callable[[], bool]) -> Output | None:
        """Wait for the next output and return it, or None once `stopped`; what may be asked for again is kept."""
        while not stopped() and not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        if stopped():
            return None
        output = self._waiting.popleft()
        self._waiting_ms -= _ms(output)
        self._room.set()
        if isinstance(output, _KEPT):
            self._sent.append(output)
        return output

    def wake(self) -> None:
        """Make whoever takes look whether it was stopped."""
        self._arrived.set()

    def purge(self, turn_id: str) -> None:
        """Drop everything of that turn, waiting or sent."""
        self._waiting = deque(output for output in self._waiting if output.turn_id != turn_id)
        self._sent = deque(output for output in self._sent if output.turn_id != turn_id)
        self._waiting_ms = sum(map(_ms, self._waiting))
        self._room.set()

    def forget_heard(self, heard_ms: Callable[[str], float]) -> None:
        """Drop sent phrases that were heard to their end; `heard_ms` gives the milliseconds heard of a turn."""
        while self._sent and (end := self._end_of_first_phrase()) is not None:
            last = self._sent[end]
            until = max((_end_ms(output) for output in list(self._sent)[: end + 1]), default=0.0)
            if until > heard_ms(last.turn_id):
                return
            for _ in range(end + 1):
                self._sent.popleft()

    def rewind(self, heard_ms: Callable[[str], float]) -> None:
        """Put what was sent but not heard before what is waiting, cut to the very sample where it is PCM."""
        again = [rest for output in self._sent if (rest := _unheard(output, heard_ms(output.turn_id))) is not None]
        self._sent.clear()
        self._waiting.extendleft(reversed(again))
        self._waiting_ms = sum(map(_ms, self._waiting))
        if self._waiting:
            self._arrived.set()

    def _end_of_first_phrase(self) -> int | None:
        for index, output in enumerate(self._sent):
            if isinstance(output, SpeechEnded | PhraseFailed | TurnFinished):
                return index
        return None


def _ms(output: Output) -> float:
    return output.audio.ms if isinstance(output, SpeechChunk) else 0.0


def _end_ms(output: Output) -> float:
    return output.at_ms + output.audio.ms if isinstance(output, SpeechChunk) else 0.0


def _unheard(output: Output, heard_ms: float) -> Output | None:
    if not isinstance(output, SpeechChunk) or output.at_ms >= heard_ms:
        return output
    if _end_ms(output) <= heard_ms:
        return None
    audio = output.audio
    if not audio.format.is_pcm:
        return output
    cut = audio.format.pcm_bytes(heard_ms - output.at_ms)
    skipped = audio.format.pcm_ms(cut)
    rest = AudioChunk(audio.data[cut:], audio.format, audio.ms - skipped)
    return replace(output, audio=rest, at_ms=output.at_ms + skipped)
