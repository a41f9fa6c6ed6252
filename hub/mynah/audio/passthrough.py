"""How long passing bytes sound, told without decoding them.

A meter never changes, holds up or refuses what it measures: what it does not understand counts as 0 ms.
"""

from __future__ import annotations

from collections.abc import Callable

from mynah.audio import adpcm
from mynah.audio.formats import AudioChunk, AudioFormat
from mynah.audio.mp3 import FrameReader
from mynah.audio.ogg_opus import OggOpusReader
from mynah.audio.opus import OPUS_RATE, OpusHead, packet_samples, parse_head
from mynah.audio.wav import WavPayload
from mynah.audio.webm import WebmReader
from mynah.errors import AudioError

Meter = Callable[[bytes], float]
"""Takes the stream's next bytes and gives the milliseconds of sound that they complete."""


class PassThrough:
    """The converter between equal formats: the same bytes objects, with their length in milliseconds."""

    def __init__(self, target: AudioFormat) -> None:
        self._target = target
        self._meter: Meter | None = meter(target)

    def feed(self, data: bytes) -> list[AudioChunk]:
        """Return the very same bytes."""
        return [AudioChunk(data, self._target, self._measure(data))] if data else []

    def flush(self) -> list[AudioChunk]:
        """Nothing is held back."""
        return []

    def _measure(self, data: bytes) -> float:
        if self._meter is None:
            return 0.0
        try:
            return self._meter(data)
        except AudioError:
            # Whoever plays it will judge it; it passes on unmeasured.
            self._meter = None
            return 0.0


def meter(format: AudioFormat) -> Meter:
    """Make a meter for one stream of a format."""
    match format.codec:
        case "pcm_s16le":
            return lambda data: format.pcm_ms(len(data))
        case "opus":
            return lambda data: packet_samples(data) * 1000 / OPUS_RATE
        case "wav":
            return _wav_meter()
        case "mp3":
            reader = FrameReader()
            return lambda data: sum(frame.ms for frame in reader.feed(data))
        case "ogg_opus":
            return OggMeter().measure
        case "webm_opus":
            return WebmMeter().measure
        case "ima_adpcm":
            return AdpcmMeter(format.rate).measure


def _wav_meter() -> Meter:
    reader = WavPayload()

    def measure(data: bytes) -> float:
        payload = reader.feed(data)
        return len(payload) / reader.info.frame_bytes * 1000 / reader.info.rate if reader.info else 0.0

    return measure


class AdpcmMeter:
    """Counts blocks."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = 0

    def measure(self, data: bytes) -> float:
        """Return the milliseconds that `data` completes."""
        before = adpcm.samples_in(self._size)
        self._size += len(data)
        return (adpcm.samples_in(self._size) - before) * 1000 / self._rate


class OggMeter:
    """Counts packets, less what is skipped at the start and cut at the end."""

    def __init__(self) -> None:
        self._reader = OggOpusReader()
        self._head: OpusHead | None = None
        self._skip = 0

    def measure(self, data: bytes) -> float:
        """Return the milliseconds that `data` completes."""
        samples = 0
        for page in self._reader.feed(data):
            if page.head is not self._head:
                self._head, self._skip = page.head, page.head.pre_skip
            skipped = min(self._skip, page.samples)
            self._skip -= skipped
            samples += page.samples - skipped
        return samples * 1000 / OPUS_RATE


class WebmMeter:
    """Counts packets, less what is skipped at the start and cut at the end."""

    def __init__(self) -> None:
        self._reader = WebmReader()
        self._skip: int | None = None

    def measure(self, data: bytes) -> float:
        """Return the milliseconds that `data` completes."""
        samples = 0
        for packet in self._reader.feed(data):
            if self._skip is None:
                self._skip = parse_head(packet.track.head).pre_skip if packet.track.head else 0
            length = packet_samples(packet.data) - packet.padding_ns * OPUS_RATE // 1_000_000_000
            skipped = min(self._skip, length)
            self._skip -= skipped
            samples += length - skipped
        return samples * 1000 / OPUS_RATE
