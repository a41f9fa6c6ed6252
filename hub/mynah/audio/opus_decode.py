"""Decoders of Opus: raw packets, in Ogg, in WebM (see `mynah.audio.decode` for what they have in common)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mynah.audio.ogg_opus import OggOpusReader, OpusPage
from mynah.audio.opus import OPUS_RATE, packet_samples, parse_head
from mynah.audio.packets import Evidence, decode_packet, open_decoder
from mynah.audio.pcm import Pcm
from mynah.audio.webm import WebmPacket, WebmReader

if TYPE_CHECKING:
    from av import AudioCodecContext

T = TypeVar("T")


class OpusDecoder:
    """Raw Opus packets, one each feed. What an encoder puts in front (6.5 ms with libopus) is not known and stays."""

    def __init__(self, channels: int) -> None:
        self._codec = open_decoder("libopus", OPUS_RATE, channels)
        self._evidence = Evidence("opus")
        self._refused = 0

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM of one packet; a damaged one gives nothing."""
        pcm = decode_packet(self._codec, data) if packet_samples(data) else []
        if pcm:
            self._evidence.found()
        else:
            self._refused += len(data)
        self._evidence.check(data, self._refused)
        return pcm

    def flush(self) -> list[Pcm]:
        """Nothing is held back."""
        self._evidence.finish()
        return []


@dataclass(frozen=True, slots=True)
class OpusSound:
    """Packets of one stream; `excess` samples at 48 kHz of their end are padding. A new `stream` begins a new one."""

    stream: object
    channels: int
    head: bytes
    packets: tuple[bytes, ...]
    excess: int


class OpusReader(Protocol[T]):
    """Takes a container apart. `junk` counts the bytes that were passed over."""

    @property
    def junk(self) -> int: ...  # noqa: D102  # above
    def feed(self, data: bytes) -> list[T]: ...  # noqa: D102  # what `data` completes
    def flush(self) -> list[T]: ...  # noqa: D102  # what the end completes


class ContainedOpusDecoder(Generic[T]):
    """Opus in a container; `sound` says what the reader's items hold, `begun` whether it has seen a header."""

    def __init__(
        self, name: str, reader: OpusReader[T], sound: Callable[[T], OpusSound], begun: Callable[[], bool]
    ) -> None:
        self._reader = reader
        self._sound = sound
        self._begun = begun
        self._stream: object = None
        self._codec: AudioCodecContext | None = None
        self._evidence = Evidence(name)

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM of what `data` completes."""
        out = self._decode(self._reader.feed(data))
        self._evidence.check(data, self._reader.junk)
        return out

    def flush(self) -> list[Pcm]:
        """End the stream: what was cut short is left out."""
        out = self._decode(self._reader.flush())
        self._evidence.finish()
        return out

    def _decode(self, items: list[T]) -> list[Pcm]:
        if self._begun():
            self._evidence.found()
        out: list[Pcm] = []
        for sound in map(self._sound, items):
            if self._codec is None or sound.stream is not self._stream:
                self._stream = sound.stream
                self._codec = open_decoder("libopus", OPUS_RATE, sound.channels, sound.head)
            pcm = [piece for packet in sound.packets for piece in decode_packet(self._codec, packet)]
            out += _trim_end(pcm, sound.excess)
        return out


def ogg_opus_decoder() -> ContainedOpusDecoder[OpusPage]:
    """Opus in Ogg: skips what the header says, cuts the end where the last page says; follows chained streams."""

    def sound(page: OpusPage) -> OpusSound:
        return OpusSound(page.head, page.head.channels, page.head.data, page.packets, page.excess)

    reader = OggOpusReader()
    return ContainedOpusDecoder("ogg_opus", reader, sound, lambda: reader.head is not None)


def webm_opus_decoder() -> ContainedOpusDecoder[WebmPacket]:
    """Opus in WebM."""

    def sound(packet: WebmPacket) -> OpusSound:
        track = packet.track
        channels = parse_head(track.head).channels if track.head else track.channels
        excess = packet.padding_ns * OPUS_RATE // 1_000_000_000
        return OpusSound(track, channels, track.head, (packet.data,), excess)

    reader = WebmReader()
    return ContainedOpusDecoder("webm_opus", reader, sound, lambda: reader.track is not None)


def _trim_end(pieces: list[Pcm], samples: int) -> list[Pcm]:
    """Return the pieces without their last `samples` samples."""
    out = pieces[:]
    while samples and out:
        last = out.pop()
        frame = 2 * last.channels
        keep = max(0, len(last.data) // frame - samples)
        samples -= len(last.data) // frame - keep
        if keep:
            out.append(Pcm(last.data[: keep * frame], last.rate, last.channels))
    return out
