"""Decoders: bytes of one source codec, cut anywhere, into PCM of the rate and channels that they really have.

Each gives sound as soon as a frame, packet or block is whole, and skips what is damaged. What holds no sound at all is
an AudioError: past 64 KiB of it, or at the end.
"""

from __future__ import annotations

from typing import Protocol

from mynah.audio import adpcm
from mynah.audio.formats import AudioFormat
from mynah.audio.mp3 import FrameReader, Mp3Frame
from mynah.audio.opus_decode import OpusDecoder, ogg_opus_decoder, webm_opus_decoder
from mynah.audio.packets import Evidence, decode_packet, open_decoder
from mynah.audio.pcm import Pcm
from mynah.audio.wav import WavReader


class Decoder(Protocol):
    """What every source codec offers."""

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM as far as it is whole; AudioError for what cannot be decoded at all."""

    def flush(self) -> list[Pcm]:
        """Return what is left at the end; AudioError if nothing could be decoded of what came."""


def decoder(source: AudioFormat) -> Decoder:
    """Return the decoder for a format."""
    match source.codec:
        case "pcm_s16le":
            return PcmDecoder(source)
        case "wav":
            return WavReader()
        case "mp3":
            return Mp3Decoder()
        case "opus":
            return OpusDecoder(source.channels)
        case "ogg_opus":
            return ogg_opus_decoder()
        case "webm_opus":
            return webm_opus_decoder()
        case "ima_adpcm":
            return AdpcmDecoder(source)


class PcmDecoder:
    """Raw PCM: only brings cuts to whole frames."""

    def __init__(self, source: AudioFormat) -> None:
        self._source = source
        self._rest = b""

    def feed(self, data: bytes) -> list[Pcm]:
        """Return the whole frames."""
        if self._rest:
            data = self._rest + data
        odd = len(data) % self._source.frame_bytes
        self._rest = data[len(data) - odd :] if odd else b""
        if odd:
            data = data[:-odd]
        return [Pcm(data, self._source.rate, self._source.channels)] if data else []

    def flush(self) -> list[Pcm]:
        """Half a frame is no sound."""
        self._rest = b""
        return []


class Mp3Decoder:
    """MP3: each frame is decoded the moment it is whole."""

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._codec = open_decoder("mp3")
        self._evidence = Evidence("mp3")
        self._refused = 0

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM of the frames that `data` completes."""
        out = self._decode(self._reader.feed(data))
        self._evidence.check(data, self._reader.junk + self._refused)
        return out

    def flush(self) -> list[Pcm]:
        """End the stream: a frame that was cut short is left out."""
        out = self._decode(self._reader.flush())
        self._evidence.finish()
        return out

    def _decode(self, frames: list[Mp3Frame]) -> list[Pcm]:
        out: list[Pcm] = []
        for frame in frames:
            pcm = decode_packet(self._codec, frame.data)
            if pcm:
                self._evidence.found()
            else:
                self._refused += len(frame.data)
            out += pcm
        return out


class AdpcmDecoder:
    """IMA ADPCM blocks."""

    def __init__(self, source: AudioFormat) -> None:
        adpcm.check_channels(source.channels)
        self._rate = source.rate
        self._inner = adpcm.Decoder(source.rate)
        self._evidence = Evidence("ima_adpcm")

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM of the blocks that `data` completes."""
        out = self._pcm(self._inner.feed(data))
        self._evidence.check(data, self._inner.junk)
        return out

    def flush(self) -> list[Pcm]:
        """PCM of a last, shorter block."""
        out = self._pcm(self._inner.flush())
        self._evidence.finish()
        return out

    def _pcm(self, data: bytes) -> list[Pcm]:
        if not data:
            return []
        self._evidence.found()
        return [Pcm(data, self._rate, 1)]
