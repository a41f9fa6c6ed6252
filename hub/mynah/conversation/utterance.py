"""What one person says in one go, as audio that grows while it is spoken and can be read more than once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from mynah.timeline import now


class Utterance:
    """PCM in the format `LISTENING`, bounded to `max_bytes`; audio beyond that ends it and sets `cut`.

    Every reader gets the whole of it from the beginning, so that a second recogniser can start over.
    """

    def __init__(self, max_bytes: int) -> None:
        self.cut = False
        self.ended_at: float | None = None
        self.size = 0
        self._max_bytes = max_bytes // 2 * 2
        self._half = b""
        self._chunks: list[bytes] = []
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def ended(self) -> bool:
        """Whether the person has finished."""
        return self.ended_at is not None

    def append(self, pcm: bytes) -> None:
        """Add audio, cut anywhere; readers get whole samples. After the end it is ignored."""
        pcm = self._half + pcm
        self._half = pcm[len(pcm) // 2 * 2 :]
        pcm = pcm[: len(pcm) // 2 * 2]
        if self.ended or not pcm:
            return
        room = self._max_bytes - self.size
        self._chunks.append(pcm[:room])
        self.size += min(room, len(pcm))
        self._wake()
        if len(pcm) >= room:
            self.cut = True
            self.end()

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
        position = 0
        while True:
            while position < len(self._chunks):
                position += 1
                yield self._chunks[position - 1]
            if self.ended:
                return
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
