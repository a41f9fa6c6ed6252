"""What one person says in one go, as audio that grows while it is spoken and can be read more than once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from mynah.errors import LimitError
from mynah.timeline import now


class Utterance:
    """PCM in the format `LISTENING`, bounded to `max_bytes`; audio beyond that ends it and sets `cut`.

    Every reader gets the whole of it from the beginning, so that a second recogniser can start over. One that
    `forgets` goes on instead: the oldest audio that its readers have taken goes first, and is missing to later ones.
    """

    def __init__(self, max_bytes: int, *, forgets: bool = False) -> None:
        self.cut = False
        self.ended_at: float | None = None
        self.size = 0
        self._max_bytes = max_bytes // 2 * 2
        self._forgets = forgets
        self._half = b""
        self._chunks: deque[bytes] = deque()
        self._forgotten = 0
        self._places: dict[object, int] = {}
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def ended(self) -> bool:
        """Whether the person has finished."""
        return self.ended_at is not None

    @property
    def pieces(self) -> int:
        """In how many pieces it is there."""
        return len(self._chunks)

    def append(self, pcm: bytes) -> None:
        """Add audio, cut anywhere; readers get whole samples. After the end it is ignored.

        Raises `LimitError` where it `forgets` and what its readers have not taken yet leaves no room.
        """
        pcm = self._half + pcm
        self._half = pcm[len(pcm) // 2 * 2 :]
        pcm = pcm[: len(pcm) // 2 * 2]
        if self.ended or not pcm:
            return
        if self._forgets:
            self._make_room(len(pcm))
        room = self._max_bytes - self.size
        self._chunks.append(pcm[:room])
        self.size += min(room, len(pcm))
        self._wake()
        if len(pcm) >= room and not self._forgets:
            self.cut = True
            self.end()

    def _make_room(self, size: int) -> None:
        taken = min(self._places.values(), default=self._forgotten)
        while self.size + size > self._max_bytes and self._forgotten < taken:
            self.size -= len(self._chunks.popleft())
            self._forgotten += 1
        if self.size + size > self._max_bytes:
            raise LimitError(f"{self._max_bytes >> 20} MiB of audio wait for their transcription; it is too slow")

    def beginning(self, size: int) -> bytes:
        """Return what there is of the first `size` bytes."""
        found = bytearray()
        for chunk in self._chunks:
            if len(found) >= size:
                break
            found += chunk
        return bytes(found[:size])

    def end(self) -> None:
        """Note that the person has finished, now."""
        if self.ended_at is None:
            self.ended_at = now()
            self._wake()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield the audio from the beginning, as it comes, until the end."""
        reader = object()
        self._places[reader] = self._forgotten
        try:
            while True:
                while (place := self._places[reader]) < self._forgotten + len(self._chunks):
                    chunk = self._chunks[place - self._forgotten]
                    self._places[reader] = place + 1
                    yield chunk
                if self.ended:
                    return
                await self._more()
        finally:
            del self._places[reader]

    async def _more(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
