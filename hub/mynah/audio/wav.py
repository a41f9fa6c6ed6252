"""WAV: a header to write, and a reader for a stream that is cut anywhere.

Format: RIFF WAVE as in Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" and
WAVEFORMATEXTENSIBLE. Sizes of 0 and 0xFFFFFFFF mean "until the end", as streaming writers leave them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from mynah.audio.formats import MAX_RATE, MIN_RATE, AudioFormat
from mynah.audio.pcm import Pcm
from mynah.errors import AudioError

UNKNOWN_SIZE: Final = 0xFFFFFFFF

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_INTEGER_BITS = (8, 16, 24, 32)
_FLOAT_BITS = (32, 64)
_MAX_FMT = 1024
_SIGNED = bytes(value ^ 0x80 for value in range(256))


def wav_header(format: AudioFormat, size: int | None) -> bytes:
    """Return the 44 bytes in front of `size` bytes of 16-bit PCM; None: a stream whose end is not known yet."""
    riff, data = (UNKNOWN_SIZE, UNKNOWN_SIZE) if size is None else (size + 36, size)
    if not 0 <= data <= UNKNOWN_SIZE or riff > UNKNOWN_SIZE:
        raise AudioError(f"a WAV cannot hold {size} bytes; the limit is 4 GiB")
    frame = format.frame_bytes
    fmt = struct.pack("<HHIIHH", _PCM, format.channels, format.rate, format.rate * frame, frame, 16)
    return struct.pack("<4sI4s4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16) + fmt + struct.pack("<4sI", b"data", data)


@dataclass(frozen=True, slots=True)
class WavInfo:
    """What a WAV's `fmt ` chunk says."""

    rate: int
    channels: int
    bits: int
    is_float: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels, as stored."""
        return self.bits // 8 * self.channels


def parse_fmt(chunk: bytes) -> WavInfo:
    """Parse the contents of a `fmt ` chunk; AudioError names what is not supported."""
    if len(chunk) < 16:
        raise AudioError("this WAV is damaged: its format chunk is too short")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if (tag, bits) not in {*((_PCM, bits) for bits in _INTEGER_BITS), *((_FLOAT, bits) for bits in _FLOAT_BITS)}:
        raise AudioError(f"this WAV holds {bits}-bit samples of kind 0x{tag:04X}; use PCM of 8, 16, 24 or 32 bits")
    if channels not in (1, 2):
        raise AudioError(f"this WAV has {channels} channels; use 1 or 2")
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"this WAV's sample rate of {rate} Hz is outside {MIN_RATE} to {MAX_RATE}")
    return WavInfo(rate, channels, bits, tag == _FLOAT)


class WavPayload:
    """Takes a WAV in pieces and gives the bytes of its data chunk; holds at most the header's format chunk."""

    def __init__(self) -> None:
        self.info: WavInfo | None = None
        self.fed = False
        self._buffer = bytearray()
        self._skip = 0
        self._left: int | None = 0  # bytes of the data chunk to come; None: until the end
        self._riff_seen = False
        self._in_data = False

    @property
    def reached_data(self) -> bool:
        """Whether the header is complete."""
        return self._in_data

    def feed(self, data: bytes) -> bytes:
        """Return the payload within `data`; AudioError as soon as it is plain that this is no WAV that can be read."""
        self.fed = self.fed or bool(data)
        if self.reached_data:
            return self._payload(data)
        self._buffer += data
        while self._next_chunk():
            pass
        if not self.reached_data:
            return b""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return self._payload(rest)

    def _payload(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        data = data[: self._left]
        self._left -= len(data)
        return data

    def _next_chunk(self) -> bool:
        """Take one chunk of the header; False once more bytes are needed, or the data begins."""
        if not self._riff_seen:
            return self._riff()
        skipped = min(self._skip, len(self._buffer))
        del self._buffer[:skipped]
        self._skip -= skipped
        if self._skip or len(self._buffer) < 8:
            return False
        kind, size = struct.unpack_from("<4sI", self._buffer)
        if kind == b"data":
            return self._start_data(size)
        if kind != b"fmt ":
            self._skip = 8 + size + size % 2
            return True
        if size > _MAX_FMT:
            raise AudioError(f"this WAV is damaged: its format chunk claims {size} bytes")
        if len(self._buffer) < 8 + size:
            return False
        self.info = parse_fmt(bytes(self._buffer[8 : 8 + size]))
        self._skip = 8 + size + size % 2
        return True

    def _riff(self) -> bool:
        head = bytes(self._buffer[:12])
        if not any(mark.startswith(head[:4]) for mark in (b"RIFF", b"RF64")) or not b"WAVE".startswith(head[8:]):
            raise AudioError("this is not a WAV: it does not begin with RIFF and WAVE")
        if len(head) < 12:
            return False
        del self._buffer[:12]
        self._riff_seen = True
        return True

    def _start_data(self, size: int) -> bool:
        if self.info is None:
            raise AudioError("this WAV is damaged: its data comes before its format")
        del self._buffer[:8]
        self._in_data = True
        self._left = None if size in (0, UNKNOWN_SIZE) else size
        return False


class WavReader:
    """Takes a WAV in pieces cut anywhere and gives 16-bit PCM of the rate and channels in its header."""

    def __init__(self) -> None:
        self._payload = WavPayload()
        self._rest = b""

    @property
    def info(self) -> WavInfo | None:
        """What the header says; None until it has come."""
        return self._payload.info

    def feed(self, data: bytes) -> list[Pcm]:
        """PCM as far as it is whole; AudioError if this is not a WAV that can be read."""
        payload = self._payload.feed(data)
        info = self._payload.info
        if not payload or info is None:
            return []
        if self._rest:
            payload = self._rest + payload
        whole = len(payload) - len(payload) % info.frame_bytes
        self._rest = payload[whole:]
        if not whole:
            return []
        return [Pcm(to_16_bit(payload[:whole], info), info.rate, info.channels)]

    def flush(self) -> list[Pcm]:
        """Nothing more to give; AudioError if something came but not even a whole header."""
        if self._payload.fed and not self._payload.reached_data:
            raise AudioError("this WAV ends within its header; send the whole of it")
        return []


def to_16_bit(data: bytes, info: WavInfo) -> bytes:
    """Turn samples as a WAV stores them into 16-bit ones: the upper two bytes of integers, floats of ±1 clipped."""
    if info.is_float:
        import numpy as np

        floats = np.nan_to_num(np.frombuffer(data, f"<f{info.bits // 8}"))
        return bytes(np.clip(np.rint(floats * 32768), -32768, 32767).astype("<i2").tobytes())
    if info.bits == 16:
        return data
    step = info.bits // 8
    out = bytearray(len(data) // step * 2)
    if step == 1:
        out[1::2] = data.translate(_SIGNED)
    else:
        out[0::2] = data[step - 2 :: step]
        out[1::2] = data[step - 1 :: step]
    return bytes(out)
