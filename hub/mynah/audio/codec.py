"""Streaming conversion: chunks of one format in, chunks of another out, never a whole file.

    convert = converter(AudioFormat("mp3", 24_000), LISTENING)
    for data in pieces:
        for chunk in convert.feed(data):
            ...
    for chunk in convert.flush():
        ...

Synchronous and quick enough for the event loop. For 20 ms of one channel, on one core of a small server: passing
through 1 to 6 µs, PCM to and from WAV 2 µs, resampling 15 to 40 µs, decoding ADPCM 6 µs, MP3 8 to 18 µs, Opus 25 to
35 µs; encoding ADPCM 15 µs, Opus 60 to 80 µs, MP3 100 to 280 µs (the most at 48 kHz). Feed it pieces of some
kilobytes; the first real conversion in a process also imports PyAV (60 ms).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mynah.audio.decode import Decoder, decoder
from mynah.audio.encode import Encoder, encoder
from mynah.audio.formats import AudioChunk, AudioFormat
from mynah.audio.passthrough import PassThrough
from mynah.audio.pcm import Pcm, Resampler
from mynah.errors import AudioError


class Converter(Protocol):
    """Converts one stream; holds some milliseconds of sound, never the stream."""

    def feed(self, data: bytes) -> list[AudioChunk]:
        """Return the chunks that the stream's next bytes complete, maybe none.

        `data` is cut anywhere, except that `opus` takes exactly one packet. AudioError if it is plain that the stream
        is not of the source's format, or cannot be decoded.
        """

    def flush(self) -> list[AudioChunk]:
        """Return the last chunks, once the stream has ended; AudioError if nothing could be decoded of what came.

        A stream that was cut short gives what is there. An empty stream is not an error.
        """


def converter(source: AudioFormat, target: AudioFormat) -> Converter:
    """Make a converter for one stream; AudioError if the target's codec cannot be made at its rate or channels.

    Equal formats pass through: the same bytes objects, only measured. A rate or channels that the stream itself
    tells (WAV, MP3, Ogg, WebM) win over those of `source`.
    """
    if source == target:
        return PassThrough(target)
    return Transcoder(decoder(source), target)


class Transcoder:
    """Decoder, resampler, encoder in a row."""

    def __init__(self, source: Decoder, target: AudioFormat) -> None:
        self._decoder = source
        self._resampler = Resampler(target.rate, target.channels)
        self._encoder: Encoder = encoder(target)
        self._done = False

    def feed(self, data: bytes) -> list[AudioChunk]:
        """Return the chunks that `data` completes."""
        if self._done:
            raise AudioError("this converter was flushed; make a new one for another stream")
        return self._encode(self._decoder.feed(data)) if data else []

    def flush(self) -> list[AudioChunk]:
        """Return the last chunks; a second time none."""
        if self._done:
            return []
        self._done = True
        chunks = self._encode(self._decoder.flush())
        held = self._resampler.flush()
        return chunks + (self._encoder.feed(held) if held else []) + self._encoder.flush()

    def _encode(self, pieces: Iterable[Pcm]) -> list[AudioChunk]:
        data = b"".join(self._resampler.feed(pcm) for pcm in pieces)
        return self._encoder.feed(data) if data else []
