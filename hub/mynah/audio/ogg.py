"""Ogg pages around Opus packets: a reader for a stream cut anywhere, and a writer of one page at a time.

Formats: RFC 3533 (Ogg pages), RFC 7845 (Opus in Ogg).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"OggS"
CONTINUED, FIRST, LAST = 1, 2, 4
NO_GRANULE: Final = -1

_HEADER = struct.Struct("<4sBBqIIIB")
_MAX_PACKET = 128 * 1024
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def checksum(page: bytes) -> int:
    """Ogg's CRC-32 of a page whose own checksum field is zero.

    It is the common polynomial fed with the highest bit first, so zlib's does the work on bytes with reversed bits.
    """
    turned = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


def make_page(packets: list[bytes], *, granule: int, serial: int, sequence: int, flags: int = 0) -> bytes:
    """One page holding whole packets, at most 255 segments of 255 bytes in all."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    header = _HEADER.pack(MAGIC, 0, flags, granule, serial, sequence, 0, len(lacing))
    page = header + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", checksum(page)) + page[26:]


@dataclass(frozen=True, slots=True)
class OggPage:
    """A page of the Opus stream: the packets that end on it, and the position at its end (-1: none does)."""

    packets: tuple[bytes, ...]
    granule: int
    first: bool
    last: bool


class OggReader:
    """Takes Ogg cut anywhere and gives the pages of its Opus stream, each the moment its last byte is there.

    Damaged pages (by their checksum) and other streams are passed over; a further Opus stream that begins later is
    followed too. `junk` counts bytes that were no page. Holds at most one page and one unfinished packet: 192 KiB.
    """

    def __init__(self) -> None:
        self.junk = 0
        self._buffer = bytearray()
        self._serial: int | None = None
        self._partial = bytearray()
        self._sequence = 0

    def feed(self, data: bytes) -> list[OggPage]:
        """Return the pages that `data` completes."""
        self._buffer += data
        pages: list[OggPage] = []
        while (raw := self._cut()) is not None:
            page = self._page(raw)
            if page is not None:
                pages.append(page)
        return pages

    def flush(self) -> list[OggPage]:
        """End the stream: what is left is no whole page."""
        self.junk += len(self._buffer)
        self._buffer.clear()
        return []

    def _cut(self) -> bytes | None:
        """Return the next whole page with a right checksum; None: more bytes are needed."""
        while True:
            at = self._buffer.find(MAGIC)
            self._drop(at if at >= 0 else max(0, len(self._buffer) - len(MAGIC) + 1))
            if len(self._buffer) < _HEADER.size or at < 0:
                return None
            segments = self._buffer[26]
            body = _HEADER.size + segments
            if len(self._buffer) < body:
                return None
            size = body + sum(self._buffer[_HEADER.size : body])
            if len(self._buffer) < size:
                return None
            page = bytes(self._buffer[:size])
            (expected,) = struct.unpack_from("<I", page, 22)
            if checksum(page[:22] + bytes(4) + page[26:]) == expected:
                del self._buffer[:size]
                return page
            self._drop(len(MAGIC))

    def _page(self, raw: bytes) -> OggPage | None:
        _, _, flags, granule, serial, sequence, _, segments = _HEADER.unpack_from(raw)
        body = _HEADER.size + segments
        if flags & FIRST and raw[body:].startswith(b"OpusHead"):
            self._serial = serial
            self._partial.clear()
        elif serial != self._serial:
            return None
        elif sequence != self._sequence + 1 & 0xFFFFFFFF:
            self._partial.clear()  # a page is missing: what was begun has lost its middle
        self._sequence = sequence
        packets = self._packets(raw[_HEADER.size : body], raw, body, bool(flags & CONTINUED))
        return OggPage(packets, granule, bool(flags & FIRST), bool(flags & LAST))

    def _packets(self, lacing: bytes, raw: bytes, at: int, continued: bool) -> tuple[bytes, ...]:
        packets: list[bytes] = []
        orphan = continued and not self._partial
        if not continued:
            self._partial.clear()
        for size in lacing:
            if len(self._partial) < _MAX_PACKET:
                # Only tags with pictures are longer, and nobody reads those here.
                self._partial += raw[at : at + size]
            at += size
            if size < 255:
                if not orphan:
                    packets.append(bytes(self._partial))
                orphan = False
                self._partial.clear()
        if orphan:
            self._partial.clear()
        return tuple(packets)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self.junk += count
