"""Speech: phrases are voiced side by side and heard one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from mynah.audio import AudioChunk, Converter, converter
from mynah.conversation.pieces import pieces
from mynah.conversation.playback import VoicedPhrase
from mynah.conversation.saying import TakeBack
from mynah.engines.chain import closing
from mynah.errors import EngineError
from mynah.outputs import Output, PhraseFailed, PhraseReady, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.values import WordMark

Synthesize = Callable[[PhraseReady, TakeBack], AsyncIterator[AudioChunk | WordMark]]
Emit = Callable[[Output], Awaitable[None]]

PARALLEL: Final = 3
"""Phrases in the making at once: one that sounds, one ready, one to spare."""

PIECE_MS: Final = 500.0
"""Audio comes in pieces of at most this length, so that an alarm need not wait for the end of a long one."""


class Lane:
    """The audio of one phrase on its way from its synthesis to its turn; bounded in milliseconds."""

    def __init__(self, phrase: PhraseReady, limit_ms: float) -> None:
        self.phrase = phrase
        self.trouble = ""
        self._limit_ms = limit_ms
        self._items: list[AudioChunk | WordMark] = []
        self._held_ms = 0.0
        self._closed = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def fill(self, items: AsyncIterator[AudioChunk | WordMark]) -> None:
        """Take everything that `items` gives; a failure is kept for the one who reads."""
        measure = Measure()
        try:
            async with closing(items) as source:
                async for item in source:
                    for piece in measure.take(item) if isinstance(item, AudioChunk) else (item,):
                        await self._put(piece)
        except EngineError as error:
            self.trouble = str(error)
        finally:
            self._closed = True
            self._arrived.set()

    async def read(self) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield what was put in, until the synthesis has ended."""
        while True:
            while not self._items and not self._closed:
                self._arrived.clear()
                await self._arrived.wait()
            if not self._items:
                return
            items, self._items, self._held_ms = self._items, [], 0.0
            self._room.set()
            for item in items:
                yield item

    async def _put(self, item: AudioChunk | WordMark) -> None:
        while self._held_ms > self._limit_ms:
            self._room.clear()
            await self._room.wait()
        self._items.append(item)
        self._held_ms += item.ms if isinstance(item, AudioChunk) else 0.0
        self._arrived.set()


class Measure:
    """Makes sure that the chunks of one phrase are whole samples and say how long they are.

    PCM is always measured; a compressed stream where its first chunk does not tell.
    """

    def __init__(self) -> None:
        self._meter: Converter | None = None
        self._begun = False
        self._half = b""

    def take(self, chunk: AudioChunk) -> Iterator[AudioChunk]:
        """Return what `chunk` completes, in pieces of `PIECE_MS` at most."""
        if chunk.data and not self._begun:
            self._begun = True
            if chunk.format.is_pcm or not chunk.ms:
                self._meter = converter(chunk.format, chunk.format)
        return pieces(self._measured(chunk), PIECE_MS)

    def _measured(self, chunk: AudioChunk) -> AudioChunk:
        if self._meter is None:
            return chunk
        data = chunk.data
        if chunk.format.is_pcm and (self._half or len(data) % chunk.format.frame_bytes):
            data = self._half + data
            whole = len(data) - len(data) % chunk.format.frame_bytes
            data, self._half = data[:whole], data[whole:]
        return replace(chunk, data=data, ms=sum(piece.ms for piece in self._meter.feed(data)))


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
            group.create_task(lane.fill(self.synthesize(phrase, lambda ms: False)))
            await lanes.put(lane)
        await lanes.put(None)

    async def _give_out(self, lane: Lane) -> None:
        phrase = lane.phrase
        record = VoicedPhrase(phrase.text, self.position_ms)
        begun = False
        async with closing(lane.read()) as items:
            async for item in items:
                if isinstance(item, WordMark):
                    record.marks.append(item)
                    continue
                if not begun:
                    begun = True
                    self.voiced.append(record)
                    await self._announce(phrase, item)
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

    async def _announce(self, phrase: PhraseReady, first: AudioChunk) -> None:
        first_of_all = len(self.voiced) == 1
        if first_of_all:
            self.on_first_audio()
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
