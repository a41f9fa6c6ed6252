"""Speech: phrases are voiced side by side and heard one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from mynah.audio import AudioChunk, converter
from mynah.conversation.playback import VoicedPhrase
from mynah.engines.chain import closing
from mynah.errors import EngineError
from mynah.outputs import Output, PhraseFailed, PhraseReady, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.values import WordMark

Synthesize = Callable[[PhraseReady], AsyncIterator[AudioChunk | WordMark]]
Emit = Callable[[Output], Awaitable[None]]

PARALLEL: Final = 3
"""Phrases in the making at once: one that sounds, one ready, one to spare."""


class Lane:
    """The audio of one phrase on its way from its synthesis to its turn; bounded in milliseconds."""

    def __init__(self, phrase: PhraseReady, limit_ms: float) -> None:
        self.phrase = phrase
        self.trouble = ""
        self._limit_ms = limit_ms
        self._items: list[AudioChunk | WordMark] = []
        self._held_ms = 0.0
        self._closed = False
        self._changed = asyncio.Condition()

    async def fill(self, items: AsyncIterator[AudioChunk | WordMark]) -> None:
        """Take everything that `items` gives; a failure is kept for the one who reads."""
        try:
            async with closing(items) as source:
                async for item in source:
                    await self._put(_measured(item) if isinstance(item, AudioChunk) else item)
        except EngineError as error:
            self.trouble = str(error)
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def read(self) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield what was put in, until the synthesis has ended."""
        while True:
            async with self._changed:
                while not self._items and not self._closed:
                    await self._changed.wait()
                items, self._items, self._held_ms = self._items, [], 0.0
                self._changed.notify_all()
            if not items:
                return
            for item in items:
                yield item

    async def _put(self, item: AudioChunk | WordMark) -> None:
        async with self._changed:
            while self._held_ms > self._limit_ms:
                await self._changed.wait()
            self._items.append(item)
            self._held_ms += item.ms if isinstance(item, AudioChunk) else 0.0
            self._changed.notify_all()


def _measured(chunk: AudioChunk) -> AudioChunk:
    """Return `chunk` with its length filled in where the engine left that out."""
    if chunk.ms or not chunk.data:
        return chunk
    pieces = converter(chunk.format, chunk.format).feed(chunk.data)
    return replace(chunk, ms=sum(piece.ms for piece in pieces))


@dataclass(slots=True)
class Voicing:
    """Voices the phrases of one track of one turn: made in parallel, given out in order.

    `voiced` grows as audio is given out. `on_first_audio` is called once, before the first chunk is.
    """

    turn_id: str
    synthesize: Synthesize
    emit: Emit
    ahead_ms: float = 20_000
    start_at: float | None = None
    track: int = 0
    parallel: int = PARALLEL
    on_first_audio: Callable[[], None] = lambda: None
    voiced: list[VoicedPhrase] = field(default_factory=list)
    failed: int = 0
    position_ms: float = 0.0

    async def run(self, phrases: asyncio.Queue[PhraseReady | None]) -> None:
        """Voice everything from `phrases` until None comes."""
        lanes: asyncio.Queue[Lane | None] = asyncio.Queue(maxsize=self.parallel)
        free = asyncio.Semaphore(self.parallel)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._start(phrases, lanes, free, group))
            while (lane := await lanes.get()) is not None:
                await self._give_out(lane)
                free.release()

    async def _start(
        self,
        phrases: asyncio.Queue[PhraseReady | None],
        lanes: asyncio.Queue[Lane | None],
        free: asyncio.Semaphore,
        group: asyncio.TaskGroup,
    ) -> None:
        while (phrase := await phrases.get()) is not None:
            await free.acquire()
            lane = Lane(phrase, self.ahead_ms / self.parallel)
            group.create_task(lane.fill(self.synthesize(phrase)))
            await lanes.put(lane)
        await lanes.put(None)

    async def _give_out(self, lane: Lane) -> None:
        phrase = lane.phrase
        record: VoicedPhrase | None = None
        async with closing(lane.read()) as items:
            async for item in items:
                if record is None:
                    record = VoicedPhrase(phrase.text, self.position_ms)
                    self.voiced.append(record)
                if isinstance(item, WordMark):
                    record.marks.append(item)
                    continue
                if record.ms == 0:
                    await self._announce(phrase, item)
                at_ms, self.position_ms = self.position_ms, self.position_ms + item.ms
                record.ms += item.ms
                await self.emit(
                    SpeechChunk(turn_id=self.turn_id, phrase=phrase.phrase, track=self.track, audio=item, at_ms=at_ms)
                )
        trouble = lane.trouble or ("" if record and record.ms else "the voice gave no audio")
        common = {"turn_id": self.turn_id, "phrase": phrase.phrase, "track": self.track}
        if trouble:
            self.failed += 1
            await self.emit(PhraseFailed(message=trouble, **common))  # type: ignore[arg-type]  # the keys' own types
        elif record:
            await self.emit(SpeechEnded(ms=record.ms, **common))  # type: ignore[arg-type]  # the keys' own types

    async def _announce(self, phrase: PhraseReady, first: AudioChunk) -> None:
        if self.position_ms == 0:
            self.on_first_audio()
        await self.emit(
            SpeechStarted(
                turn_id=self.turn_id,
                phrase=phrase.phrase,
                track=self.track,
                text=phrase.text,
                format=first.format,
                at_ms=self.position_ms,
                start_at=self.start_at if self.position_ms == 0 else None,
            )
        )
