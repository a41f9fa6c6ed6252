"""Audio files, read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from mynah.audio.codec import Converter, converter
from mynah.audio.encode import encoder
from mynah.audio.formats import AudioChunk, AudioFormat
from mynah.audio.mp3 import MAX_FRAME_BYTES, id3_size
from mynah.audio.pcm import Pcm, Resampler, frame_pcm
from mynah.audio.sniff import sniff
from mynah.audio.wav import WavPayload
from mynah.errors import AudioError

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.resampler import AudioResampler

PIECE_BYTES: Final = 8 * 1024
# FFmpeg also knows playlists and text art, some of which open further files or addresses: only containers of sound.
_CONTAINERS = "flac,mov,ogg,matroska,aiff,au,aac,wav,w64,mp3,caf,amr"


def read_audio(path: Path, target: AudioFormat) -> Iterator[AudioChunk]:
    """Yield the file's sound in the target's format, chunk by chunk; blocking, so not for the event loop.

    Reads WAV, MP3, Ogg Opus and WebM, and what else PyAV knows by its contents (FLAC, M4A, Ogg Vorbis, AIFF …). A file
    that is already in the target's format passes through unchanged. AudioError names the file and what is wrong.
    """
    try:
        with path.open("rb") as file:
            head = file.read(PIECE_BYTES)
            source = _sniff_behind_tag(file, head)
            if source is not None and _streams(source, head):
                yield from _convert(file, head, converter(source, target))
            else:
                file.seek(0)
                yield from _demux(file, target)
    except FileNotFoundError:
        raise AudioError(f"{path.name}: there is no such file; check the path {path}") from None
    except OSError as error:
        raise AudioError(f"{path.name}: the file cannot be read: {error.strerror or error}") from error
    except AudioError as error:
        raise AudioError(f"{path.name}: {error}") from error


def _sniff_behind_tag(file: BinaryIO, head: bytes) -> AudioFormat | None:
    """Tell the file's format; a tag with pictures may be longer than the first piece."""
    tag = id3_size(head)
    if tag is None or tag < len(head) - MAX_FRAME_BYTES:
        return sniff(head)
    file.seek(tag)
    format = sniff(file.read(PIECE_BYTES))
    file.seek(len(head))
    return format


def _streams(source: AudioFormat, head: bytes) -> bool:
    """Whether the converter reads this itself; WAVs of rarer kinds are left to PyAV."""
    if source.codec != "wav":
        return True
    try:
        WavPayload().feed(head)
    except AudioError:
        return False
    return True


def _convert(file: BinaryIO, head: bytes, convert: Converter) -> Iterator[AudioChunk]:
    data = head
    while data:
        yield from convert.feed(data)
        data = file.read(PIECE_BYTES)
    yield from convert.flush()


def _demux(file: BinaryIO, target: AudioFormat) -> Iterator[AudioChunk]:
    import av

    flatten = _Flattener()
    resampler = Resampler(target.rate, target.channels)
    output = encoder(target)
    unreadable = AudioError("not audio that can be read; use WAV, MP3, Ogg Opus, WebM or FLAC")
    found = False
    try:
        with av.open(file, "r", options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}) as container:
            if not container.streams.audio:
                raise unreadable
            for frame in container.decode(audio=0):
                found = True
                for pcm in flatten(frame):
                    yield from output.feed(resampler.feed(pcm))
    except av.FFmpegError as error:
        # A file that was cut short gives what is there.
        if not found:
            raise unreadable from error
    yield from output.feed(resampler.flush())
    yield from output.flush()


class _Flattener:
    """Any sample format and any number of channels into 16-bit PCM of one or two, at the same rate."""

    def __init__(self) -> None:
        self._key: tuple[str, str, int] | None = None
        self._inner: AudioResampler | None = None

    def __call__(self, frame: AudioFrame) -> list[Pcm]:
        from av.audio.resampler import AudioResampler

        key = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._inner is None or key != self._key:
            layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
            self._key, self._inner = key, AudioResampler("s16", layout, frame.sample_rate)
        return [frame_pcm(out) for out in self._inner.resample(frame)]
