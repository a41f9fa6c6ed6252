"""WebM's Opus packets, read from a stream that is cut anywhere, as a browser's MediaRecorder sends it.

Formats: RFC 8794 (EBML), RFC 9559 (Matroska). Only what carries sound is looked at; segments and clusters may have
unknown sizes. Elements that hold others are entered and their sizes not needed, as every element inside is met in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mynah.errors import AudioError

MAGIC: Final = b"\x1a\x45\xdf\xa3"

_EBML, _SEGMENT, _CLUSTER, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B
_TRACK, _SIMPLE_BLOCK, _GROUP, _BLOCK, _PADDING = 0xAE, 0xA3, 0xA0, 0xA1, 0x75A2
_NUMBER, _CODEC, _PRIVATE, _AUDIO, _CHANNELS = 0xD7, 0x86, 0x63A2, 0xE1, 0x9F
_ENTERED = frozenset({_SEGMENT, _CLUSTER, _TRACKS})
_TAKEN = frozenset({_TRACK, _SIMPLE_BLOCK, _GROUP})
# Void, Cues, Tags, Attachments, Chapters and video blocks may be large; any other element that claims to be is damage.
_LARGE = frozenset({0xEC, 0x1C53BB6B, 0x1254C367, 0x1941A469, 0x1043A770, _SIMPLE_BLOCK, _GROUP})
_CLUSTER_MAGIC = b"\x1f\x43\xb6\x75"
_MAX_ELEMENT = 128 * 1024
_LACING = 0x06


class DamagedElement(AudioError):
    """Bytes that cannot be an element's name or size."""


@dataclass(frozen=True, slots=True)
class OpusTrack:
    """The Opus track of a file: its number, its OpusHead (empty if the file has none), its channels."""

    number: int
    head: bytes
    channels: int


@dataclass(frozen=True, slots=True)
class WebmPacket:
    """One Opus packet of a track; `padding_ns` of its end are not to be heard."""

    data: bytes
    track: OpusTrack
    padding_ns: int = 0


def read_vint(data: bytes | bytearray, at: int, *, keep_marker: bool = False) -> tuple[int, int] | None:
    """Read an EBML number at `at`: value and length in bytes; None if it is not whole. -1 stands for "unknown".

    With `keep_marker` it is an element's name, of at most four bytes. DamagedElement if no number can start so.
    """
    if at >= len(data):
        return None
    length = 9 - data[at].bit_length()
    if length > (4 if keep_marker else 8):
        raise DamagedElement("this WebM is damaged: an element has no valid name or size")
    if at + length > len(data):
        return None
    value = int.from_bytes(data[at : at + length], "big")
    if keep_marker:
        return value, length
    value &= (1 << 7 * length) - 1
    return (-1 if value == (1 << 7 * length) - 1 else value), length


def read_elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of a whole parent, name and contents; ends where the contents are cut."""
    at = 0
    while name := read_vint(data, at, keep_marker=True):
        size = read_vint(data, at + name[1])
        if size is None or size[0] < 0:
            return
        at += name[1] + size[1]
        yield name[0], data[at : at + size[0]]
        at += size[0]


def parse_track(entry: bytes) -> OpusTrack | None:
    """Parse a track entry; None if it is not an Opus track."""
    fields = dict(read_elements(entry))
    if fields.get(_CODEC, b"").rstrip(b"\0") != b"A_OPUS":
        return None
    audio = dict(read_elements(fields.get(_AUDIO, b"")))
    channels = int.from_bytes(audio.get(_CHANNELS, b"\x01"), "big")
    return OpusTrack(int.from_bytes(fields.get(_NUMBER, b"\x01"), "big"), fields.get(_PRIVATE, b""), channels)


class WebmReader:
    """Takes WebM cut anywhere and gives the packets of its first Opus track, each once its last byte is there.

    Begins at an EBML header; after damage goes on at the next cluster. `junk` counts the bytes that were passed over.
    Holds at most one element of 128 KiB; longer ones (pictures) are skipped.
    """

    def __init__(self) -> None:
        self.track: OpusTrack | None = None
        self.junk = 0
        self._buffer = bytearray()
        self._skip = 0
        self._lost = True

    def feed(self, data: bytes) -> list[WebmPacket]:
        """Return the packets that `data` completes; AudioError if there is no Opus track, or for laced blocks."""
        self._buffer += data
        packets: list[WebmPacket] = []
        while self._step(packets):
            pass
        return packets

    def flush(self) -> list[WebmPacket]:
        """End the stream: what is left is no whole element."""
        self.junk += len(self._buffer)
        self._buffer.clear()
        return []

    def _step(self, packets: list[WebmPacket]) -> bool:
        if self._skip:
            skipped = min(self._skip, len(self._buffer))
            del self._buffer[:skipped]
            self._skip -= skipped
            return self._skip == 0
        if self._lost:
            return self._resync()
        try:
            name = read_vint(self._buffer, 0, keep_marker=True)
            size = read_vint(self._buffer, name[1]) if name else None
            if name is None or size is None:
                return False
            return self._element(name[0], name[1] + size[1], size[0], packets)
        except DamagedElement:
            self._lost = True
            self._drop(1)
            return True

    def _element(self, name: int, head: int, size: int, packets: list[WebmPacket]) -> bool:
        if name == _CLUSTER and self.track is None:
            raise AudioError("this WebM has no Opus track; record sound as audio/webm;codecs=opus")
        if name in _ENTERED:
            del self._buffer[:head]
        elif size < 0 or (size > _MAX_ELEMENT and name not in _LARGE):
            raise DamagedElement("this WebM is damaged: an element claims to be too large")
        elif name not in _TAKEN or size > _MAX_ELEMENT:
            if name == _EBML:
                self.track = None  # a new recording begins, with a header of its own
            self._skip = head + size
        elif len(self._buffer) < head + size:
            return False
        else:
            contents = bytes(self._buffer[head : head + size])
            del self._buffer[: head + size]
            with suppress(DamagedElement):  # one damaged block; the next element's place is known
                self._take(name, contents, packets)
        return True

    def _take(self, name: int, contents: bytes, packets: list[WebmPacket]) -> None:
        if name == _TRACK:
            self.track = self.track or parse_track(contents)
            return
        padding = 0
        block = contents
        if name == _GROUP:
            fields = dict(read_elements(contents))
            block = fields.get(_BLOCK, b"")
            padding = int.from_bytes(fields.get(_PADDING, b""), "big", signed=True)
        number = read_vint(block, 0)
        if number is None or self.track is None or number[0] != self.track.number or len(block) < number[1] + 3:
            return
        if block[number[1] + 2] & _LACING:
            raise AudioError("this WebM packs several packets into a block, which is not supported; record it anew")
        packets.append(WebmPacket(block[number[1] + 3 :], self.track, max(0, padding)))

    def _resync(self) -> bool:
        marks = (MAGIC,) if self.track is None else (MAGIC, _CLUSTER_MAGIC)
        found = [at for at in (self._buffer.find(mark) for mark in marks) if at >= 0]
        if not found:
            self._drop(max(0, len(self._buffer) - len(MAGIC) + 1))
            return False
        self._drop(min(found))
        self._lost = False
        return True

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self.junk += count
