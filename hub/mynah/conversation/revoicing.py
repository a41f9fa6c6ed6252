"""A phrase in the format of one loudspeaker, from where in its audio that is to begin."""

from __future__ import annotations

from typing import Final

from mynah.audio import AudioChunk, AudioFormat, Converter, converter
from mynah.conversation.playback import ROUNDING_MS

Placed = list[tuple[float, AudioChunk]]
"""Audio, each with the milliseconds in the turn's audio, as it was made, at which it begins."""

_SELF_CONTAINED: Final = ("mp3", "opus")
"""Compressed streams that can be played from any chunk on; the others need their beginning."""

LEAD_MS: Final = 60.0
"""What is sent again of such a stream, so that its decoder has found its feet where new audio begins."""


class Revoicing:
    """Converts one phrase of `source` to the first of `formats`, or passes it on where that is among them.

    What lies before `begin_ms` is left out: to the sample, where something can be cut to the sample. `end_ms` is up to
    where it was fed. Both are places in the turn's audio as it was made.
    """

    def __init__(self, source: AudioFormat, formats: tuple[AudioFormat, ...], begin_ms: float) -> None:
        self.target = played_as(source, formats)
        self.end_ms = begin_ms
        self._begin_ms = begin_ms
        self._passes = self.target == source
        # A compressed phrase that begins in its middle is decoded first: samples are easily left out.
        pcm = AudioFormat("pcm_s16le", self.target.rate, self.target.channels)
        self._decode = None if self._passes or source.is_pcm or not begin_ms else _Placing(converter(source, pcm))
        self._encode = _Placing(converter(pcm if self._decode else source, self.target))

    def feed(self, at_ms: float, audio: AudioChunk) -> Placed:
        """Return what the phrase's next audio completes, maybe nothing. Raises `AudioError`."""
        self.end_ms = at_ms + audio.ms
        if self._passes:
            return self._kept(at_ms, audio)
        if self._decode is not None:
            return self._encoded(self._decode.feed(at_ms, audio.data))
        return self._encoded([(at_ms, audio)])

    def flush(self) -> Placed:
        """Return what was held back. Raises `AudioError` where nothing of the phrase could be decoded."""
        if self._passes:
            return []
        return (self._encoded(self._decode.flush()) if self._decode is not None else []) + self._encode.flush()

    def _encoded(self, pieces: Placed) -> Placed:
        return [
            ready
            for piece_at_ms, piece in pieces
            for at_ms, audio in self._kept(piece_at_ms, piece)
            for ready in self._encode.feed(at_ms, audio.data)
        ]

    def _kept(self, at_ms: float, audio: AudioChunk) -> Placed:
        """Return what of `audio` is to be sent."""
        if at_ms >= self._begin_ms:
            return [(at_ms, audio)]
        if not audio.format.is_pcm:
            early = at_ms + audio.ms <= self._begin_ms - LEAD_MS and audio.format.codec in _SELF_CONTAINED
            return [] if early else [(at_ms, audio)]
        cut = audio.format.pcm_bytes(self._begin_ms - at_ms + ROUNDING_MS)
        if cut >= len(audio.data):
            return []
        skipped = audio.format.pcm_ms(cut)
        return [(at_ms + skipped, AudioChunk(audio.data[cut:], audio.format, audio.ms - skipped))]


def played_as(source: AudioFormat, formats: tuple[AudioFormat, ...]) -> AudioFormat:
    """Return in what format a loudspeaker that plays `formats`, the best first, is given audio of `source`."""
    return source if not formats or source in formats else formats[0]


class _Placing:
    """A converter that knows where in the turn's audio it has come to."""

    def __init__(self, inner: Converter) -> None:
        self._inner = inner
        self._at_ms: float | None = None

    def feed(self, at_ms: float, data: bytes) -> Placed:
        if self._at_ms is None:
            self._at_ms = at_ms
        return self._placed(self._inner.feed(data))

    def flush(self) -> Placed:
        return self._placed(self._inner.flush())

    def _placed(self, chunks: list[AudioChunk]) -> Placed:
        placed = []
        for chunk in chunks:
            at_ms = self._at_ms or 0.0
            placed.append((at_ms, chunk))
            self._at_ms = at_ms + chunk.ms
        return placed
