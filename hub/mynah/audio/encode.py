"""Encoders: 16-bit PCM of the target's rate and channels in, chunks of the target's codec out.

Each gives a chunk as soon as a frame, packet or block is whole; what its chunks' `ms` add up to is how long they sound.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Final, Protocol, cast

from mynah.audio import adpcm
from mynah.audio.formats import AudioChunk, AudioFormat
from mynah.audio.ogg import FIRST, LAST, make_page
from mynah.audio.opus import ENCODER_RATES, OPUS_RATE, OpusHead, parse_head
from mynah.audio.pcm import Pcm, make_frame
from mynah.audio.wav import wav_header
from mynah.errors import AudioError

if TYPE_CHECKING:
    from av import AudioCodecContext

MP3_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
OPUS_MS: Final = 20

_MP3_BITS = 64_000
_MP3_BITS_LOW = 32_000  # LAME's limit for two channels below 16 kHz is 64 kbit/s
_OPUS_BITS = 32_000
# Of 0 to 10; 5 takes a third of the time of 10 and, at 32 kbit/s, sounds the same for speech.
_OPUS_COMPLEXITY = 5


class Encoder(Protocol):
    """What every target codec offers."""

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """Chunks that `pcm` (whole frames) completes."""

    def flush(self) -> list[AudioChunk]:
        """Return the rest; the encoder is done."""


def encoder(target: AudioFormat) -> Encoder:
    """Return the encoder for a format; AudioError names what the codec can do if it cannot do this."""
    match target.codec:
        case "pcm_s16le":
            return PcmEncoder(target)
        case "wav":
            return WavEncoder(target)
        case "mp3":
            return Mp3Encoder(target)
        case "opus":
            return OpusEncoder(target)
        case "ogg_opus":
            return OggOpusEncoder(target)
        case "ima_adpcm":
            return AdpcmEncoder(target)
        case "webm_opus":
            raise AudioError("WebM is only read, never written; use ogg_opus, opus, mp3, wav, ima_adpcm or pcm_s16le")


def check_rate(target: AudioFormat, name: str, rates: tuple[int, ...]) -> None:
    """AudioError with the rates that a codec knows unless the target's is one of them."""
    if target.rate not in rates:
        raise AudioError(f"{name} cannot be made at {target.rate} Hz; use one of {', '.join(map(str, rates))}")


class PcmEncoder:
    """PCM as it is."""

    def __init__(self, target: AudioFormat) -> None:
        self._target = target

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """Return the same bytes."""
        return [AudioChunk(pcm, self._target, self._target.pcm_ms(len(pcm)))] if pcm else []

    def flush(self) -> list[AudioChunk]:
        """Nothing is held back."""
        return []


class WavEncoder:
    """PCM behind a header whose sizes say "until the end"; the header comes with the first sound."""

    def __init__(self, target: AudioFormat) -> None:
        self._target = target
        self._header = wav_header(target, None)

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """Return the same bytes, the first time behind the header."""
        return [self._chunk(pcm)] if pcm else []

    def flush(self) -> list[AudioChunk]:
        """Return the header alone if there was no sound."""
        return [self._chunk(b"")] if self._header else []

    def _chunk(self, pcm: bytes) -> AudioChunk:
        header, self._header = self._header, b""
        return AudioChunk(header + pcm, self._target, self._target.pcm_ms(len(pcm)))


class AdpcmEncoder:
    """IMA ADPCM, whole blocks of 505 samples."""

    def __init__(self, target: AudioFormat) -> None:
        adpcm.check_channels(target.channels)
        self._target = target
        self._inner = adpcm.Encoder(target.rate)

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """One chunk of the blocks that are full."""
        return self._chunk(self._inner.feed(pcm))

    def flush(self) -> list[AudioChunk]:
        """Return the last, shorter block."""
        return self._chunk(self._inner.flush())

    def _chunk(self, data: bytes) -> list[AudioChunk]:
        ms = adpcm.samples_in(len(data)) * 1000 / self._target.rate
        return [AudioChunk(data, self._target, ms)] if data else []


class Mp3Encoder:
    """MP3 by LAME without a bit reservoir, so that each frame can be decoded by itself.

    64 kbit/s a channel, 32 below 16 kHz. The first frame comes after 60 to 80 ms of sound (160 at 8 kHz), and as much
    silence is in front of the sound when it is decoded; `ms` counts it, as a player plays it.
    """

    def __init__(self, target: AudioFormat) -> None:
        check_rate(target, "MP3", MP3_RATES)
        bits = _MP3_BITS if target.rate >= 16_000 else _MP3_BITS_LOW
        self._target = target
        self._codec = _open("libmp3lame", target, "s16p", bits, {"reservoir": "0"})
        self._ms = self._codec.frame_size * 1000 / target.rate

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """One chunk of the frames that are full."""
        return self._chunk(_encode(self._codec, self._target, pcm, "s16p")) if pcm else []

    def flush(self) -> list[AudioChunk]:
        """Return the frames with the rest, filled with silence."""
        return self._chunk(_encode(self._codec, self._target, None, "s16p"))

    def _chunk(self, frames: list[bytes]) -> list[AudioChunk]:
        return [AudioChunk(b"".join(frames), self._target, self._ms * len(frames))] if frames else []


class OpusPackets:
    """PCM into Opus packets of 20 ms, 32 kbit/s a channel, each the moment its 20 ms are there."""

    def __init__(self, target: AudioFormat) -> None:
        check_rate(target, "Opus", ENCODER_RATES)
        self._target = target
        options = {"frame_duration": str(OPUS_MS), "compression_level": str(_OPUS_COMPLEXITY)}
        self._codec = _open("libopus", target, "s16", _OPUS_BITS, options)
        self.head: OpusHead = parse_head(self._codec.extradata or b"")
        self.samples = 0  # fed so far, at 48 kHz
        self._size = target.pcm_bytes(OPUS_MS)
        self._rest = b""

    def feed(self, pcm: bytes) -> list[bytes]:
        """Return the packets that are full."""
        data = self._rest + pcm
        whole = len(data) - len(data) % self._size
        self._rest = data[whole:]
        self.samples += len(pcm) // self._target.frame_bytes * OPUS_RATE // self._target.rate
        return [packet for at in range(0, whole, self._size) for packet in self._packet(data[at : at + self._size])]

    def flush(self) -> list[bytes]:
        """Return the rest and as much silence as the codec delays sound, in whole packets; none if it never got any."""
        if not self.samples:
            return []
        delay = self.head.pre_skip * self._target.rate // OPUS_RATE * self._target.frame_bytes
        data = self._rest + bytes(delay)
        data += bytes(-len(data) % self._size)
        self._rest = b""
        return [packet for at in range(0, len(data), self._size) for packet in self._packet(data[at : at + self._size])]

    def _packet(self, pcm: bytes) -> list[bytes]:
        return _encode(self._codec, self._target, pcm, "s16")


class OpusEncoder:
    """Raw Opus packets, one a chunk, 20 ms each."""

    def __init__(self, target: AudioFormat) -> None:
        self._target = target
        self._packets = OpusPackets(target)

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """Return the packets that are full."""
        return [AudioChunk(packet, self._target, OPUS_MS) for packet in self._packets.feed(pcm)]

    def flush(self) -> list[AudioChunk]:
        """Return the rest, filled with silence."""
        return [AudioChunk(packet, self._target, OPUS_MS) for packet in self._packets.flush()]


class OggOpusEncoder:
    """Opus in Ogg, a page for every 20 ms; the two header pages come with the first."""

    def __init__(self, target: AudioFormat) -> None:
        self._target = target
        self._packets = OpusPackets(target)
        self._serial = random.getrandbits(32)  # differs, so that streams may be put in a row (RFC 3533 section 4)
        self._sequence = 0
        self._coded = 0
        self._told = 0

    def feed(self, pcm: bytes) -> list[AudioChunk]:
        """One chunk of the pages that are full."""
        packets = self._packets.feed(pcm)
        return self._chunk(b"".join(self._page(packet) for packet in packets)) if packets else []

    def flush(self) -> list[AudioChunk]:
        """Return the pages with the rest; the last says where the sound ends."""
        packets = self._packets.flush()
        pages = [self._page(packet) for packet in packets[:-1]]
        end = self._packets.head.pre_skip + self._packets.samples
        pages.append(self._make_page(packets[-1:], end if packets else 0, LAST))
        return self._chunk(b"".join(pages), last=True)

    def _page(self, packet: bytes) -> bytes:
        self._coded += OPUS_MS * OPUS_RATE // 1000
        return self._make_page([packet], self._coded, 0)

    def _make_page(self, packets: list[bytes], granule: int, flags: int) -> bytes:
        head = b""
        if self._sequence == 0:
            vendor = b"Mynah"
            tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + bytes(4)
            head = make_page([self._packets.head.data], granule=0, serial=self._serial, sequence=0, flags=FIRST)
            head += make_page([tags], granule=0, serial=self._serial, sequence=1)
            self._sequence = 2
        page = make_page(packets, granule=granule, serial=self._serial, sequence=self._sequence, flags=flags)
        self._sequence += 1
        return head + page

    def _chunk(self, data: bytes, *, last: bool = False) -> list[AudioChunk]:
        heard = self._packets.samples if last else max(0, self._coded - self._packets.head.pre_skip)
        ms, self._told = (heard - self._told) * 1000 / OPUS_RATE, heard
        return [AudioChunk(data, self._target, ms)]


def _open(name: str, target: AudioFormat, kind: str, bits: int, options: dict[str, str]) -> AudioCodecContext:
    from av import CodecContext

    codec = cast("AudioCodecContext", CodecContext.create(name, "w"))
    codec.rate = target.rate
    codec.layout = "mono" if target.channels == 1 else "stereo"
    codec.format = kind
    codec.bit_rate = bits * target.channels
    codec.options = options
    codec.open()
    return codec


def _encode(codec: AudioCodecContext, target: AudioFormat, pcm: bytes | None, kind: str) -> list[bytes]:
    frame = None if pcm is None else make_frame(Pcm(pcm, target.rate, target.channels), kind)
    return [bytes(packet) for packet in codec.encode(frame)]
