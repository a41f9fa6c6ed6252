"""A speech for many: made once, read by the turn of every session that says it, and converted once for each format."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final

from mynah.audio import AudioChunk
from mynah.audio.chime import chime
from mynah.conversation.encodings import Encodings
from mynah.conversation.measure import Measure
from mynah.conversation.persona import Persona
from mynah.conversation.phrasing import PhraseSplitter
from mynah.conversation.pieces import Item, beginning_of, item_ms
from mynah.conversation.playback import ROUNDING_MS
from mynah.conversation.saying import TakeBack, say_phrase
from mynah.conversation.speech import PARALLEL
from mynah.engines.chain import Chain, Meter, OpenEngine, closing
from mynah.errors import EngineError, MynahError
from mynah.outputs import Boundary

Make = Callable[[TakeBack, Meter], AsyncIterator[Item]]
"""Gives the audio of a phrase, and its words' marks, once; notes in the meter which engine it was."""

AHEAD_MS: Final = 60_000.0
"""How far a recording is made ahead of the reader that has come furthest."""

LAG_MS: Final = 60_000.0
"""How far a reader may be behind the one that has come furthest."""

TOO_SLOW: Final = "it was too slow for the others"


class Recording:
    """The audio of one phrase, made once; everybody who reads gets all of it, each at their own pace.

    What is too far behind the furthest reader is let go of, and whoever comes there later is a laggard.
    """

    def __init__(self, text: str, make: Make, *, boundary: Boundary = "sentence", chime: bool = False) -> None:
        self.text = text
        self.chime = chime
        self.boundary: Boundary = boundary
        self.meter = Meter()
        self.ms = 0.0
        self.complete = False
        self.audible = asyncio.Event()
        self._make = make
        self._trouble = ""
        self._items: deque[Item] = deque()
        self._gone = 0
        self._gone_ms = 0.0
        self._furthest = 0
        self._furthest_ms = 0.0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def record(self) -> None:
        """Make the audio; a failure is kept for those who read."""
        measure = Measure()
        self._trouble = "it was stopped"
        try:
            async with closing(self._make(self._take_back, self.meter)) as source:
                async for item in source:
                    for piece in measure.take(item) if isinstance(item, AudioChunk) else (item,):
                        await self._put(piece)
            self._trouble = "" if self.ms else "the voice gave no audio"
        except MynahError as error:
            self._trouble = str(error)
        finally:
            self.complete = True
            self.audible.set()
            self._arrived.set()

    async def read(self) -> AsyncIterator[Item]:
        """Yield all of it as it is made. Raises `EngineError` where the recording fails, and for a laggard."""
        index = 0
        while True:
            while index < self._gone + len(self._items):
                if index < self._gone:
                    raise EngineError(TOO_SLOW)
                item = self._items[index - self._gone]
                index += 1
                self._note_read(index, item)
                yield item
            if self.complete:
                break
            self._arrived.clear()
            await self._arrived.wait()
        if self._trouble:
            raise EngineError(self._trouble)

    def _note_read(self, index: int, item: Item) -> None:
        if index <= self._furthest:
            return
        self._furthest = index
        self._furthest_ms += item_ms(item)
        while self._furthest_ms - self._gone_ms - item_ms(self._items[0]) > LAG_MS:
            self._gone_ms += item_ms(self._items.popleft())
            self._gone += 1
        self._room.set()

    async def _put(self, item: Item) -> None:
        while self.ms - self._furthest_ms > AHEAD_MS:
            self._room.clear()
            await self._room.wait()
        self._items.append(item)
        self.ms += item_ms(item)
        if isinstance(item, AudioChunk):
            self.audible.set()
        self._arrived.set()

    def _take_back(self, from_ms: float) -> float | None:
        """Drop what nobody has read yet, from that millisecond on; see `TakeBack`."""
        if from_ms < self._furthest_ms - ROUNDING_MS:
            return None
        if (cut := beginning_of(self._items, self._gone_ms, from_ms)) is None:
            return None
        self._items, self.ms = cut
        return self.ms


class SharedSpeech:
    """The recordings of one speech, in order, and their conversions. `text` is all that is said in it.

    Nothing is given out before `begin`; `start_at` is then the time of the hub's clock, in milliseconds, at which the
    first sample shall sound everywhere, or None for at once.
    """

    def __init__(self, text: str, recordings: Sequence[Recording]) -> None:
        self.text = text
        self.recordings = recordings
        self.encodings = Encodings(len(recordings))
        self.start_at: float | None = None
        self._begun = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def ms(self) -> float:
        """How long it lasts, as far as it was made."""
        return sum(recording.ms for recording in self.recordings)

    @property
    def complete(self) -> bool:
        """Whether all was made that will be."""
        return all(recording.complete for recording in self.recordings)

    async def ready(self) -> None:
        """Make the beginning, and wait for the first audio of it that is not a chime."""
        for number in range(1, min(PARALLEL, len(self.recordings)) + 1):
            self._record(number)
        first = next((recording for recording in self.recordings if not recording.chime), self.recordings[0])
        await first.audible.wait()

    def begin(self, start_at: float | None) -> None:
        """Let it go out."""
        if not self._begun.is_set():
            self.start_at = start_at
            self._begun.set()

    async def read(self, number: int) -> AsyncIterator[Item]:
        """Yield the audio of the recording of that number, from 1 on, once the speech has begun."""
        self._record(number)
        await self._begun.wait()
        async with closing(self.recordings[number - 1].read()) as items:
            async for item in items:
                yield item

    def stop(self) -> None:
        """Make nothing more: nobody listens."""
        for task in self._tasks.values():
            task.cancel()

    async def stopped(self) -> None:
        """Stop, and wait for the engines to let go."""
        self.stop()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    def _record(self, number: int) -> None:
        if number not in self._tasks:
            self._tasks[number] = asyncio.get_running_loop().create_task(
                self.recordings[number - 1].record(), name=f"recording {number}"
            )


def spoken(text: str, chain: Chain, persona: Persona, language: str, *, early: bool, total: float) -> list[Recording]:
    """Return the recordings of `text` in a persona's voice, phrase by phrase; `total` limits each, in seconds.

    `early` is that of `PhraseSplitter`.
    """
    failed: set[OpenEngine] = set()

    def say(phrase: str) -> Make:
        return lambda take_back, meter: say_phrase(
            chain, phrase, voice=persona.spec.voice, language=language, total=total, meter=meter,
            take_back=take_back, avoid=failed,
        )  # fmt: skip

    splitter = PhraseSplitter(persona.spec.first_phrase_words, language, early=early)
    phrases = [*splitter.feed(text), *splitter.flush()]
    return [Recording(phrase.text, say(phrase.text), boundary=phrase.boundary) for phrase in phrases]


def sound(make: Callable[[], AsyncIterator[AudioChunk]]) -> Recording:
    """Return the recording of a sound without words."""
    return Recording("", lambda take_back, meter: make())


def attention() -> Recording:
    """Return the recording of the chime that comes before an announcement."""
    return Recording("", lambda take_back, meter: _given([chime("attention")]), chime=True)


async def _given(chunks: Iterable[AudioChunk]) -> AsyncIterator[AudioChunk]:
    for chunk in chunks:
        yield chunk
