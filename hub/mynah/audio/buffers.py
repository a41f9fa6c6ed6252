"""A bounded ring of PCM: what a microphone said last."""

from __future__ import annotations

from collections import deque

from mynah.audio.formats import AudioFormat
from mynah.errors import AudioError


class AudioRing:
    """Keeps the newest `capacity_ms` of PCM; the oldest goes, to the sample, and is counted.

    For pre-roll (sound from before speech was recognised) and for live microphones that nobody may hold up. A push
    costs about a microsecond and copies only at the edge where it cuts.
    """

    def __init__(self, format: AudioFormat, capacity_ms: float) -> None:
        if not format.is_pcm:
            raise AudioError(f"a ring holds PCM only, not {format}")
        self.format = format
        self._capacity = format.pcm_bytes(capacity_ms)
        if self._capacity <= 0:
            raise AudioError(f"a ring of {capacity_ms} ms holds nothing; give it at least one sample")
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0

    def __len__(self) -> int:
        """Bytes held."""
        return self._size

    @property
    def ms(self) -> float:
        """Milliseconds held."""
        return self.format.pcm_ms(self._size)

    @property
    def dropped_ms(self) -> float:
        """Milliseconds dropped since the ring was made."""
        return self.format.pcm_ms(self._dropped)

    def push(self, data: bytes) -> None:
        """Add whole frames of PCM, dropping the oldest beyond the capacity."""
        if not data:
            return
        self._pieces.append(data)
        self._size += len(data)
        while self._size > self._capacity:
            excess = self._size - self._capacity
            oldest = self._pieces.popleft()
            gone = min(excess, len(oldest))
            if gone < len(oldest):
                self._pieces.appendleft(oldest[gone:])
            self._size -= gone
            self._dropped += gone

    def pop(self) -> bytes:
        """Return the oldest piece as it was pushed (or what was left of it), taken out; empty if there is none."""
        if not self._pieces:
            return b""
        data = self._pieces.popleft()
        self._size -= len(data)
        return data

    def peek(self) -> bytes:
        """All that is held, oldest first; it stays."""
        return b"".join(self._pieces)

    def drain(self) -> bytes:
        """All that is held, oldest first; the ring is empty then, and nothing counts as dropped."""
        data = self.peek()
        self.clear()
        return data

    def clear(self) -> None:
        """Forgets all that is held; it does not count as dropped."""
        self._pieces.clear()
        self._size = 0
