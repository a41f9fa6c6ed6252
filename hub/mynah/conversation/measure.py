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
            if not (chunk.format.is_pcm or chunk.ms):
                self._meter = converter(chunk.format, chunk.format)
        measured = self._whole(chunk) if chunk.format.is_pcm else self._measured(chunk)
        return pieces(measured, PIECE_MS)

    def _whole(self, chunk: AudioChunk) -> AudioChunk:
        data = self._half + chunk.data if self._half else chunk.data
        if over := len(data) % chunk.format.frame_bytes:
            data, self._half = data[:-over], data[-over:]
        else:
            self._half = b""
        ms = chunk.format.pcm_ms(len(data))
        same = data is chunk.data and ms == chunk.ms
        return chunk if same else AudioChunk(data, chunk.format, ms)

    def _measured(self, chunk: AudioChunk) -> AudioChunk:
        if self._meter is None:
            return chunk
        return replace(chunk, ms=sum(piece.ms for piece in self._meter.feed(chunk.data)))
