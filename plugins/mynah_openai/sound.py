"""The bytes of a spoken phrase as chunks of audio: told by what they are, not by what was asked for."""

from __future__ import annotations

from typing import Final

from mynah import AudioChunk, AudioError, AudioFormat
from mynah.audio import Converter, WavReader, converter, sniff

ENOUGH: Final = 64
"""Bytes by which every format that has a mark of its own can be told."""

TWO_FRAMES: Final = 2_048
"""Bytes by which MP3 without a mark can be told from samples: two frames in a row."""

MP3_TYPES: Final = ("audio/mpeg", "audio/mp3")
OTHER_TYPES: Final = ("audio/flac", "audio/x-flac", "audio/aac", "audio/aacp", "audio/mp4", "audio/x-m4a")
"""Media types of formats that nobody here can pass on; their bytes as samples would be loud noise."""

CHUNK_MS: Final = 200
"""The longest chunk of PCM; pieces of this size can be stopped and taken back."""


class Sound:
    """Takes one stream in pieces cut anywhere and gives chunks of one format.

    `asked` is the format that was asked for, `media` what the server says that it sends. Some send a WAV all the same;
    its header is taken off. One that sends MP3 or Opus is believed; one that only says so is not.
    """

    def __init__(self, asked: AudioFormat, media: str = "") -> None:
        self._asked = asked
        self._media = media
        self._doubtful = asked.is_pcm and media in MP3_TYPES
        self._enough = TWO_FRAMES if self._doubtful else ENOUGH
        self._begun = bytearray()
        self._reader: _Pcm | _Wav | _Compressed | None = None

    def feed(self, data: bytes) -> list[AudioChunk]:
        """Return the chunks that `data` completes. Raises `AudioError` for what cannot be read."""
        if self._reader is not None:
            return self._reader.feed(data)
        self._begun += data
        # Too little to tell holds up no PCM that plainly begins with no mark.
        if len(self._begun) < self._enough and self._may_be_other(bytes(self._begun[:4])):
            return []
        return self._tell()

    def flush(self) -> list[AudioChunk]:
        """Return what is left, once the stream has ended."""
        return self._tell() if self._reader is None and self._begun else []

    def _tell(self) -> list[AudioChunk]:
        begun = bytes(self._begun)
        self._begun.clear()
        self._reader = self._choose(begun)
        return self._reader.feed(begun)

    def _choose(self, begun: bytes) -> _Pcm | _Wav | _Compressed:
        found = sniff(begun) if self._may_be_other(begun[:4]) else None
        if found is not None and found.codec == "wav":
            return _Wav()
        if found is not None:
            return _Compressed(found)
        if not self._asked.is_pcm or self._media in OTHER_TYPES:
            raise AudioError(f"it is no {self._asked.codec}, which was asked for")
        return _Pcm(self._asked)

    def _may_be_other(self, begun: bytes) -> bool:
        """Return whether what begins so may be something else than samples."""
        # Samples may look like the header of an MP3 frame, but hardly like these marks.
        return not self._asked.is_pcm or self._doubtful or _may_be_marked(begun)


class _Pcm:
    """Samples as they come; half of one waits for its other half."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._rest = b""

    def feed(self, data: bytes) -> list[AudioChunk]:
        data = self._rest + data
        whole = len(data) - len(data) % self._format.frame_bytes
        self._rest = data[whole:]
        step = self._format.pcm_bytes(CHUNK_MS)
        return [self._chunk(data[at : min(at + step, whole)]) for at in range(0, whole, step)]

    def _chunk(self, data: bytes) -> AudioChunk:
        return AudioChunk(data, self._format, self._format.pcm_ms(len(data)))


class _Wav:
    """The samples behind a header."""

    def __init__(self) -> None:
        self._wav = WavReader()
        self._pcm: _Pcm | None = None

    def feed(self, data: bytes) -> list[AudioChunk]:
        chunks: list[AudioChunk] = []
        for pcm in self._wav.feed(data):
            if self._pcm is None:
                self._pcm = _Pcm(AudioFormat("pcm_s16le", pcm.rate, pcm.channels))
            chunks += self._pcm.feed(pcm.data)
        return chunks


class _Compressed:
    """Bytes passed through untouched, only measured."""

    def __init__(self, format: AudioFormat) -> None:
        self._through: Converter = converter(format, format)

    def feed(self, data: bytes) -> list[AudioChunk]:
        return self._through.feed(data)


def _may_be_marked(begun: bytes) -> bool:
    """Return whether a stream that begins so may be of a format that has a mark."""
    return any(mark.startswith(begun[: len(mark)]) for mark in (b"RIFF", b"RF64", b"OggS", b"ID3"))
