"""Audio as these clients send it, turned into what the hub listens to as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Final

from mynah import LISTENING, AudioError, AudioFormat, Interpretation, Session
from mynah.audio import Codec, Converter, WavInfo, WavReader, converter, sniff, to_16_bit

SLICE_BYTES: Final = 8 * 1024
"""What is decoded in one go: some milliseconds of work at most, so that nobody else waits."""

FED_BYTES: Final = 64 * 1024

TOLD_BY: Final = 64
"""Bytes after which it is clear what a stream is."""

WAV: Final[tuple[Codec, ...]] = ("wav",)
CONTAINERS: Final[tuple[Codec, ...]] = ("wav", "ogg_opus", "webm_opus")
"""What is told from raw samples by its first bytes; an MP3's might be samples as well."""

BITS: Final = (8, 16, 24, 32)


def samples(rate: int, channels: int, bits: int = 16, *, is_float: bool = False) -> WavInfo:
    """Return what raw samples are. Raises `AudioError` for what nobody sends."""
    AudioFormat("pcm_s16le", rate, channels)
    if bits not in BITS:
        raise AudioError(f"samples of {bits} bits are not supported; use {', '.join(map(str, BITS))}")
    return WavInfo(rate, channels, bits, is_float)


def slices(data: bytes, size: int = SLICE_BYTES) -> Iterator[bytes]:
    """Cut audio into what is decoded in one go."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def decoded(stream: Stream, audio: bytes, begun: Callable[[], Awaitable[None]]) -> bytes:
    """Return a whole recording as `LISTENING` audio; `begun` is called once it is plain that it can be decoded.

    Raises `AudioError`.
    """
    pcm, told = bytearray(), False
    for part in slices(audio):
        pcm += stream.feed(part)
        if not told and len(audio) > len(part):
            told = True
            await begun()
        await asyncio.sleep(0)
    pcm += stream.flush()
    if not told:
        await begun()
    return bytes(pcm)


def hear(session: Session, pcm: bytes, interpret: Interpretation | None = None) -> str | None:
    """Let a session hear a whole utterance; return the id of its turn."""
    session.listen(LISTENING, interpret=interpret)
    for part in slices(pcm, FED_BYTES):
        session.feed(part)
    return session.end_listening()


class Samples:
    """Raw samples, cut anywhere, into `LISTENING` audio."""

    def __init__(self, info: WavInfo) -> None:
        self.info = info
        self._rest = b""
        source = AudioFormat("pcm_s16le", info.rate, info.channels)
        self._convert = converter(source, LISTENING)

    def feed(self, data: bytes) -> bytes:
        """Return what the next bytes complete."""
        data = self._rest + data if self._rest else data
        whole = len(data) - len(data) % self.info.frame_bytes
        self._rest = data[whole:]
        return _joined(self._convert, to_16_bit(data[:whole], self.info)) if whole else b""

    def flush(self) -> bytes:
        """Return what was held back."""
        return b"".join(chunk.data for chunk in self._convert.flush())


class Stream:
    """One recording, cut anywhere: a container that its first bytes tell, or else `raw` samples (None: an error).

    Once it was flushed, or failed, the next one begins.
    """

    def __init__(self, raw: WavInfo | None, codecs: Collection[Codec] = CONTAINERS) -> None:
        self._raw = raw
        self._codecs = codecs
        self._goes_on = False
        self._begin()

    def _begin(self) -> None:
        self._head = b""
        self._inner: Samples | Converter | None = None
        self._paused = False

    def feed(self, data: bytes) -> bytes:
        """Return what the next bytes complete. Raises `AudioError` for what cannot be decoded."""
        if self._inner is None or self._paused:
            self._head += data
            if len(self._head) < TOLD_BY:
                return b""
            data = self._take_head()
        return self._decoded(data)

    def pause(self) -> bytes:
        """Return what is left at the end of an utterance: a browser's recording, once begun, may go on after it.

        Raises `AudioError` where nothing of it could be decoded.
        """
        if self._inner is None or isinstance(self._inner, Samples) or not self._goes_on:
            return self.flush()
        self._paused = True
        return b""

    def flush(self) -> bytes:
        """Return what is left, at the end. Raises `AudioError` where nothing of it could be decoded."""
        try:
            found = b""
            if self._head:
                found = self._decoded(self._take_head())
            if isinstance(self._inner, Samples):
                return found + self._inner.flush()
            return found + b"".join(chunk.data for chunk in self._inner.flush()) if self._inner else found
        finally:
            self._begin()

    def _decoded(self, data: bytes) -> bytes:
        inner = self._inner
        if inner is None:
            return b""
        try:
            return inner.feed(data) if isinstance(inner, Samples) else _joined(inner, data)
        except AudioError:
            self._begin()
            raise

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        if not self._paused or self._container(head) is not None:
            self._inner = self._told(head)
        self._paused = False
        return head

    def _container(self, head: bytes) -> AudioFormat | None:
        format = sniff(head)
        return format if format is not None and format.codec in self._codecs else None

    def _told(self, head: bytes) -> Samples | Converter:
        format = self._container(head)
        self._goes_on = format is not None and format.codec in ("webm_opus", "ogg_opus")
        if format is not None:
            return converter(format, LISTENING)
        if self._raw is None:
            raise AudioError("this is no recording that can be read; send WAV, WebM or Ogg with Opus, or MP3")
        return Samples(self._raw)


class Mixture:
    """One recording in chunks, each raw samples of their own kind or a whole WAV file."""

    def __init__(self) -> None:
        self._samples: Samples | None = None

    def feed(self, chunk: bytes, raw: WavInfo) -> Iterator[bytes]:
        """Yield the audio of a chunk, a slice at a time. Raises `AudioError` for a WAV that cannot be read."""
        if not _is_wav(chunk):
            for part in slices(chunk):
                yield self._of(raw, part)
            return
        reader = WavReader()
        for part in slices(chunk):
            for pcm in reader.feed(part):
                yield self._of(WavInfo(pcm.rate, pcm.channels, 16, is_float=False), pcm.data)
        reader.flush()

    def flush(self) -> bytes:
        """Return what was held back."""
        held, self._samples = self._samples, None
        return held.flush() if held else b""

    def _of(self, info: WavInfo, data: bytes) -> bytes:
        before = b""
        if self._samples is None or self._samples.info != info:
            before = self.flush()
            self._samples = Samples(info)
        return before + self._samples.feed(data)


def _is_wav(data: bytes) -> bool:
    format = sniff(data[:TOLD_BY])
    return format is not None and format.codec == "wav"


def _joined(convert: Converter, data: bytes) -> bytes:
    return b"".join(chunk.data for chunk in convert.feed(data))
