"""MP3 frames (MPEG 1, 2 and 2.5, layer III) found in a stream, without decoding them.

Header: ISO/IEC 11172-3 section 2.4.1.3 and 13818-3; tags: id3.org's ID3v2.4 section 3.1 (28-bit size) and ID3v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LAYER_3 = 1
_MONO = 3
_ID3V1_SIZE = 128
MAX_FRAME_BYTES: Final = 1441  # 320 kbit/s at 32 kHz
_INFO_MARKS = (b"Xing", b"Info", b"VBRI")


@dataclass(frozen=True, slots=True)
class Mp3Header:
    """What the four bytes of a frame's header say; `size` is that of the whole frame in bytes."""

    version: int
    rate: int
    channels: int
    samples: int
    size: int

    def continues(self, other: Mp3Header | None) -> bool:
        """Whether `other` can be the next frame of the same stream."""
        return other is not None and (self.version, self.rate) == (other.version, other.rate)


def parse_header(data: bytes | bytearray, at: int = 0) -> Mp3Header | None:
    """Return the frame header at `at`; None if there is none (free-format frames and other layers count as none)."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    bitrate, rate, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    if version == 1 or layer != _LAYER_3 or bitrate in (0, 15) or rate == 3 or data[at + 3] & 3 == 2:
        return None
    hertz = _RATES[version][rate]
    kilobits, samples = (_BITRATES_1[bitrate], 1152) if version == 3 else (_BITRATES_2[bitrate], 576)
    size = samples // 8 * kilobits * 1000 // hertz + padding
    return Mp3Header(version, hertz, 1 if data[at + 3] >> 6 == _MONO else 2, samples, size)


def id3_size(head: bytes | bytearray) -> int | None:
    """Bytes of the ID3v2 tag that these ten bytes open; None if they open none."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF or any(byte & 0x80 for byte in head[6:10]):
        return None
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


@dataclass(frozen=True, slots=True)
class Mp3Frame:
    """One whole frame with its header."""

    data: bytes
    header: Mp3Header

    @property
    def ms(self) -> float:
        """Milliseconds that it sounds."""
        return self.header.samples * 1000 / self.header.rate


class FrameReader:
    """Takes MP3 cut anywhere and gives whole frames, each the moment its last byte is there.

    Tags are skipped wherever they stand, so is a first frame that holds only an encoder's notes (Xing, Info, VBRI).
    A frame after junk counts only once a second header follows it. `junk` counts the bytes that were neither frame
    nor tag. Holds less than one frame and a header, at most 2 KiB. Costs 2 µs a frame.
    """

    def __init__(self) -> None:
        self.junk = 0
        self._buffer = bytearray()
        self._skip = 0
        self._last: Mp3Header | None = None
        self._trusted = True  # the very first frame is taken at its word, so that sound comes with it
        self._first = True

    def feed(self, data: bytes) -> list[Mp3Frame]:
        """Return the frames that `data` completes."""
        self._buffer += data
        frames: list[Mp3Frame] = []
        while self._step(frames):
            pass
        return frames

    def flush(self) -> list[Mp3Frame]:
        """End the stream: what is left is no whole frame."""
        self.junk += len(self._buffer)
        self._buffer.clear()
        return []

    def _step(self, frames: list[Mp3Frame]) -> bool:
        if self._skip:
            skipped = min(self._skip, len(self._buffer))
            del self._buffer[:skipped]
            self._skip -= skipped
            return self._skip == 0
        if not self._trusted:
            return self._resync()
        tag = self._tag()
        if tag is not None:
            self._skip = tag
            return tag > 0
        if len(self._buffer) < 4:
            return False
        header = parse_header(self._buffer)
        if header is None or (self._last is not None and not self._last.continues(header)):
            self._trusted = False
            return True
        return self._emit(header, frames)

    def _emit(self, header: Mp3Header, frames: list[Mp3Frame]) -> bool:
        if len(self._buffer) < header.size:
            return False
        data = bytes(self._buffer[: header.size])
        del self._buffer[: header.size]
        if not (self._first and any(mark in data[4:44] for mark in _INFO_MARKS)):
            frames.append(Mp3Frame(data, header))
        self._first = False
        self._last = header
        return True

    def _tag(self) -> int | None:
        """Bytes of the tag that stands here; 0: cannot be told yet; None: no tag."""
        head = self._buffer[:10]
        if head[:3] == b"ID3":
            return id3_size(head) if len(head) == 10 else 0
        if head[:3] == b"TAG":
            return _ID3V1_SIZE
        return 0 if bytes(head) in (b"I", b"ID", b"T", b"TA") else None

    def _resync(self) -> bool:
        at = self._buffer.find(0xFF)
        tag = self._buffer.find(b"ID3", 0, at if at >= 0 else len(self._buffer))
        if tag >= 0:
            return self._resync_tag(tag)
        if at < 0:
            # The last two bytes may begin a tag.
            self._drop(max(0, len(self._buffer) - 2))
            return False
        self._drop(at)
        if len(self._buffer) < 4:
            return False
        header = parse_header(self._buffer)
        if header is not None:
            if len(self._buffer) < header.size + 4:
                return False
            if header.continues(parse_header(self._buffer, header.size)):
                self._last = header
                self._trusted = True
                return True
        self._drop(1)
        return True

    def _resync_tag(self, at: int) -> bool:
        self._drop(at)
        if len(self._buffer) < 10:
            return False
        size = id3_size(self._buffer)
        if size is None:
            self._drop(1)
        else:
            self._skip = size
        return True

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self.junk += count
