"""Long stretches of audio, cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator

from mynah.audio import AudioChunk


def pieces(audio: AudioChunk, longest_ms: float) -> Iterator[AudioChunk]:
    """Cut `audio` into pieces of `longest_ms` at most, PCM between samples; a packet of raw Opus stays whole.

    Of no bytes there are no pieces.
    """
    if not audio.data:
        return
    if audio.ms <= longest_ms or audio.format.codec == "opus":
        yield audio
        return
    whole = audio.format.frame_bytes if audio.format.is_pcm else 1
    size = max(whole, int(len(audio.data) * longest_ms / audio.ms) // whole * whole)
    for start in range(0, len(audio.data), size):
        data = audio.data[start : start + size]
        yield AudioChunk(data, audio.format, audio.ms * len(data) / len(audio.data))
