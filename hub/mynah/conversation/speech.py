"""Speech: phrases are voiced side by side and heard one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

from mynah.audio import AudioChunk
from mynah.conversation.lane import Lane
from mynah.conversation.playback import ROUNDING_MS, VoicedPhrase
from mynah.conversation.saying import TakeBack
from mynah.loop import begin, wake
from mynah.outputs import Output, PhraseFailed, PhraseReady, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.values import WordMark

Synthesize = Callable[[PhraseReady, TakeBack], AsyncIterator[AudioChunk | WordMark]]
Emit = Callable[[Output], Awaitable[None]]

PARALLEL: Final = 3
"""Phrases in the making at once: one that sounds, one ready, one to spare."""

PHRASES_AHEAD: Final = 8
"""Phrases that may wait for their synthesis; then the language model is not read any further."""

TakeBackSent = Callable[[str, int, int, float], float | None]
"""Drops what was emitted of a turn's phrase of a track, from that millisecond of the track's audio on; returns where it
now ends, None where it cannot be dropped any more."""


class Voicing:
    """Voices the phrases of one track of one turn: made in parallel, given out in order, both in `tasks`.

    A phrase is begun in the moment in which it is taken, where less than `parallel` are in the making. `voiced` grows
    as audio is given out. `take_back` reaches what was emitted already.
    """

    def __init__(
        self,
        turn_id: str,
        tasks: asyncio.TaskGroup,
        synthesize: Synthesize,
        emit: Emit,
        *,
        ahead_ms: float = 20_000,
        start_at: float | None = None,
        track: int = 0,
        parallel: int = PARALLEL,
        take_back: TakeBackSent = lambda *place: None,
    ) -> None:
        self.turn_id = turn_id
        self.synthesize = synthesize
        self.emit = emit
        self.ahead_ms = ahead_ms
        self.start_at = start_at
        self.track = track
        self.parallel = parallel
        self.take_back = take_back
        self.voiced: list[VoicedPhrase] = []
        self.failed = 0
        self.position_ms = 0.0
        self._tasks = tasks
        self._lanes: deque[Lane] = deque()
        self._room = asyncio.Event()
        self._waiting: deque[Lane] = deque()
        self._in_making = 0
        self._giving_out = False
        self._first: asyncio.Future[None] | None = None

    def stand_by(self) -> None:
        """Have what gives out ready before the first phrase is there: a listener waits for that. Until `stand_down`."""
        if not self._giving_out:
            self._giving_out = True
            self._first = asyncio.get_running_loop().create_future()
            self._tasks.create_task(self._run(self._first))

    def stand_down(self) -> None:
        """Wait for no phrase any more."""
        wake(self._first)

    async def take(self, phrase: PhraseReady) -> None:
        """Voice a phrase after those before it. Waits while there are too many."""
        while len(self._lanes) >= PHRASES_AHEAD + self.parallel:
            self._room.clear()
            await self._room.wait()
        self.take_now(phrase)

    def take_now(self, phrase: PhraseReady) -> None:
        """Voice a phrase after those before it, however many there are."""
        first, self._first = self._first, None
        lane = Lane(phrase, self.ahead_ms / self.parallel, first)
        self._lanes.append(lane)
        self._waiting.append(lane)
        self._begin()
        if not self._giving_out:
            self._giving_out = True
            self._tasks.create_task(self._run())

    async def _run(self, first: asyncio.Future[None] | None = None) -> None:
        """Give out every phrase that was taken, once there is something of the first."""
        if first is not None:
            await first
        while self._lanes:
            lane = self._lanes.popleft()
            self._room.set()
            await self._give_out(lane)
            self._in_making -= 1
            self._begin()
        self._giving_out = False

    def _begin(self) -> None:
        while self._waiting and self._in_making < self.parallel:
            lane = self._waiting.popleft()
            self._in_making += 1
            begin(lane.fill(self.synthesize(lane.phrase, partial(self._take_back, lane))), self._tasks.create_task)

    async def _give_out(self, lane: Lane) -> None:
        phrase, record = lane.phrase, lane.record
        record.start_ms = self.position_ms
        begun = False
        while (item := await lane.peek()) is not None:
            if isinstance(item, AudioChunk) and not begun:
                begun = True
                self.voiced.append(record)
                await self._announce(phrase, item)
                continue  # it may have been taken back meanwhile
            lane.pop()
            if isinstance(item, WordMark):
                record.marks.append(item)
                continue
            at_ms, self.position_ms = self.position_ms, self.position_ms + item.ms
            record.ms += item.ms
            await self.emit(
                SpeechChunk(turn_id=self.turn_id, phrase=phrase.phrase, track=self.track, audio=item, at_ms=at_ms)
            )
        trouble = lane.trouble or ("" if record.ms else "the voice gave no audio")
        if trouble:
            self.failed += 1
            failed = PhraseFailed(turn_id=self.turn_id, phrase=phrase.phrase, track=self.track, message=trouble)
            await self.emit(failed)
        else:
            record.complete = True
            ended = SpeechEnded(turn_id=self.turn_id, phrase=phrase.phrase, track=self.track, ms=record.ms)
            await self.emit(ended)

    def _take_back(self, lane: Lane, from_ms: float) -> float | None:
        """Cut the phrase in `lane`, which is still being made: in the lane, and in what was emitted of it."""
        if from_ms >= lane.given_ms - ROUNDING_MS:
            return lane.cut(from_ms)
        record = lane.record
        end_ms = self.take_back(self.turn_id, lane.phrase.phrase, self.track, record.start_ms + from_ms)
        if end_ms is None:
            return None
        record.ms, self.position_ms = end_ms - record.start_ms, end_ms
        record.marks[:] = [mark for mark in record.marks if mark.end_ms <= record.ms + ROUNDING_MS]
        lane.clear(record.ms)
        return record.ms

    async def _announce(self, phrase: PhraseReady, first: AudioChunk) -> None:
        first_of_all = len(self.voiced) == 1
        await self.emit(
            SpeechStarted(
                turn_id=self.turn_id,
                phrase=phrase.phrase,
                track=self.track,
                text=phrase.text,
                format=first.format,
                at_ms=self.position_ms,
                start_at=self.start_at if first_of_all else None,
            )
        )
