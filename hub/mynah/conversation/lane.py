"""The audio of one phrase on its way from its synthesis to its turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from mynah.conversation.pieces import Item, beginning_of, item_ms
from mynah.conversation.playback import VoicedPhrase
from mynah.engines.chain import close
from mynah.errors import EngineError
from mynah.loop import wake
from mynah.outputs import PhraseReady

SLOW_CHARACTER_MS: Final = (130.0, 400.0)
"""No voice takes longer than this for a character, in scripts with spaces and without them."""

LONGEST_MS: Final = 60_000.0
"""What a lane holds of a phrase however long its text is."""


class Lane:
    """The audio of one phrase, made and not yet given out; bounded in milliseconds.

    There is always room for a whole phrase of usual speed: an engine that serves only so many at once is done with it
    however slow the listener is. What is longer waits. `reader` is done when there is something to `peek` at.
    """

    def __init__(self, phrase: PhraseReady, limit_ms: float, reader: asyncio.Future[None] | None = None) -> None:
        self.phrase = phrase
        self.record = VoicedPhrase(phrase.text)
        self.trouble = ""
        self.given_ms = 0.0
        each_ms = SLOW_CHARACTER_MS[" " not in phrase.text]
        self._limit_ms = max(limit_ms, min(len(phrase.text) * each_ms, LONGEST_MS))
        self._items: deque[Item] = deque()
        self._held_ms = 0.0
        self._closed = False
        self._reader = reader
        self._writer: asyncio.Future[None] | None = None

    @property
    def held_ms(self) -> float:
        """Milliseconds of audio that it holds."""
        return self._held_ms

    async def fill(self, items: AsyncIterator[Item]) -> None:
        """Take everything that `items` gives, which is measured; a failure is kept for the one who reads."""
        try:
            async for item in items:
                while self._held_ms > self._limit_ms:
                    self._writer = asyncio.get_running_loop().create_future()
                    await self._writer
                self._items.append(item)
                self._held_ms += item_ms(item)
                wake(self._reader)
        except EngineError as error:
            self.trouble = str(error)
        finally:
            try:
                await close(items)
            finally:
                self._closed = True
                wake(self._reader)

    async def peek(self) -> Item | None:
        """Wait for the next item and return it without taking it; None once the synthesis has ended."""
        while not self._items and not self._closed:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._items[0] if self._items else None

    def pop(self) -> None:
        """Take the next item away: it is given out."""
        ms = item_ms(self._items.popleft())
        self.given_ms += ms
        self._held_ms = self._held_ms - ms if self._items else 0.0
        wake(self._writer)

    def cut(self, from_ms: float) -> float | None:
        """Drop what it holds from that millisecond of the phrase on; return where the phrase now ends.

        None, and nothing dropped, where its audio cannot be cut.
        """
        if (cut := beginning_of(self._items, self.given_ms, from_ms)) is None:
            return None
        self._items, end_ms = cut
        self._held_ms = end_ms - self.given_ms
        wake(self._writer)
        return end_ms

    def clear(self, given_ms: float) -> None:
        """Drop all that it holds; of what was given out, `given_ms` are left."""
        self._items.clear()
        self.given_ms, self._held_ms = given_ms, 0.0
        wake(self._writer)
