"""Decoders of Opus: raw packets, in Ogg, in WebM (see `mynah.audio.decode` for what they have in common)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mynah.audio.ogg_opus import OggOpusReader, OpusPage
from mynah.audio.opus import OPUS_RATE, OpusHead, packet_samples, parse_head
from mynah.audio.packets import Evidence, decode_packet, open_decoder
from mynah.audio.pcm import Pcm
from mynah.audio.webm import OpusTrack, WebmPacket, WebmReader

if TYPE_CHECKING:
    from av import AudioCodecContext


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


class OggOpusDecoder:
    """Opus in Ogg: skips what the header says, cuts the end where the last page says; follows chained streams."""

    def __init__(self) -> None:
        self._reader = OggOpusReader()
        self._head: OpusHead | None = None
        self._codec: AudioCodecContext | None = None
        self._evidence = Evidence("ogg_opus")

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM of the pages that `data` completes."""
        out = self._decode(self._reader.feed(data))
        self._evidence.check(data, self._reader.junk)
        return out

    def flush(self) -> list[Pcm]:
        """End the stream: a page that was cut short is left out."""
        out = self._decode(self._reader.flush())
        self._evidence.finish()
        return out

    def _decode(self, pages: list[OpusPage]) -> list[Pcm]:
        if self._reader.head is not None:
            self._evidence.found()
        out: list[Pcm] = []
        for page in pages:
            codec = self._codec_for(page.head)
            out += _trim_end([pcm for packet in page.packets for pcm in decode_packet(codec, packet)], page.excess)
        return out

    def _codec_for(self, head: OpusHead) -> AudioCodecContext:
        if self._codec is None or head is not self._head:
            self._head = head
            self._codec = open_decoder("libopus", OPUS_RATE, head.channels, head.data)
        return self._codec


class WebmOpusDecoder:
    """Opus in WebM."""

    def __init__(self) -> None:
        self._reader = WebmReader()
        self._track: OpusTrack | None = None
        self._codec: AudioCodecContext | None = None
        self._evidence = Evidence("webm_opus")

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM of the blocks that `data` completes."""
        out = self._decode(self._reader.feed(data))
        self._evidence.check(data, self._reader.junk)
        return out

    def flush(self) -> list[Pcm]:
        """End the stream: a block that was cut short is left out."""
        out = self._decode(self._reader.flush())
        self._evidence.finish()
        return out

    def _decode(self, packets: list[WebmPacket]) -> list[Pcm]:
        if self._reader.track is not None:
            self._evidence.found()
        out: list[Pcm] = []
        for packet in packets:
            pcm = decode_packet(self._codec_for(packet.track), packet.data)
            out += _trim_end(pcm, packet.padding_ns * OPUS_RATE // 1_000_000_000)
        return out

    def _codec_for(self, track: OpusTrack) -> AudioCodecContext:
        if self._codec is None or track is not self._track:
            self._track = track
            channels = parse_head(track.head).channels if track.head else track.channels
            self._codec = open_decoder("libopus", OPUS_RATE, channels, track.head)
        return self._codec


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
