"""Audio as engines give it, made whole and measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mynah.audio import AudioChunk, Converter, converter
from mynah.conversation.pieces import pieces

PIECE_MS: Final = 500.0
"""Audio comes in pieces of at most this length, so that an alarm need not wait for the end of a long one."""


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
