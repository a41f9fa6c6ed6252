"""Sound from elsewhere: files of the media folder, and addresses, as PCM, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from mynah.audio import AudioChunk, AudioFormat, Converter, converter, read_audio, sniff
from mynah.audio.chime import Chime, chime
from mynah.conversation.shared_speech import SharedSpeech, sound
from mynah.engines.chain import closing
from mynah.errors import AudioError, InputError
from mynah.timeline import now

if TYPE_CHECKING:
    import aiohttp

PLAYED: Final = AudioFormat("pcm_s16le", 24_000, 1)
"""What all of it is decoded to: as good as the loudspeakers that it is for."""

CHIMES: Final[Mapping[str, Chime]] = {"chime:attention": "attention", "chime:alarm": "alarm"}
"""What the hub can play without a file."""

PAUSE_MS: Final = 230.0
"""Silence after a chime, so that one after the other makes a rhythm."""

SCHEMES: Final = ("http", "https")
REDIRECTS: Final = 5
CONNECT_S: Final = 10.0
SILENT_S: Final = 10.0
"""How long a server may give nothing."""

SPARE_S: Final = 60.0
"""How much longer than the longest sound may last a transfer may take."""

HEAD_BYTES: Final = 4096
PIECE_BYTES: Final = 8192
URL_CHARS: Final = 2048


@dataclass(frozen=True, slots=True)
class Media:
    """Plays what lies in `folder`, or at an address of http or https; `max_bytes` and `seconds` at most.

    The hub fetches any such address from where it stands in the network, so that only who administers it may ask.
    """

    folder: Path
    max_bytes: int
    seconds: float

    def speech(self, source: str) -> SharedSpeech:
        """Return the sound of `source` as a speech without words. Raises `InputError` for what may not be played."""
        return SharedSpeech("", [sound(self.open(source))])

    def open(self, source: str) -> Callable[[], AsyncIterator[AudioChunk]]:
        """Return what gives the sound of `source`. Raises `InputError` for what may not be played."""
        if source in CHIMES:
            return lambda: _chime(CHIMES[source])
        if "://" in source:
            check_url(source)
            return lambda: self._limited(self._fetched(source))
        path = self._file(source)
        return lambda: self._limited(_read(path))

    def _file(self, name: str) -> Path:
        folder = self.folder.resolve()
        try:
            path = (folder / name).resolve()
            found = path.is_relative_to(folder) and path.is_file()
        except (OSError, ValueError):
            found = False
        if not found:
            raise InputError(f"there is no file {name[:200]!r} in the media folder {self.folder}")
        return path

    async def _limited(self, chunks: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk]:
        """Yield `chunks` up to the longest that is played. Raises `AudioError` there."""
        ms = 0.0
        async with closing(chunks) as source:
            async for chunk in source:
                ms += chunk.ms
                if ms > self.seconds * 1000:
                    raise AudioError(f"it lasts more than {self.seconds:g} s ('limits: play_seconds')")
                yield chunk

    async def _fetched(self, url: str) -> AsyncIterator[AudioChunk]:
        import aiohttp

        host = urlsplit(url).hostname
        limit = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=SILENT_S)
        try:
            async with aiohttp.ClientSession(timeout=limit) as client, await _get(client, url) as response:
                decode = _Decoding()
                async with closing(self._pieces(response)) as pieces:
                    async for data in pieces:
                        for chunk in decode.feed(data):
                            yield chunk
                for chunk in decode.end():
                    yield chunk
        except (aiohttp.ClientError, OSError, ValueError) as error:  # a timeout is an OSError
            raise AudioError(f"{host}: cannot be fetched ({str(error) or type(error).__name__})") from error
        except AudioError as error:
            raise AudioError(f"{host}: {error}") from error

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        size, until = 0, now() + self.seconds + SPARE_S
        async for data in response.content.iter_chunked(PIECE_BYTES):
            size += len(data)
            if size > self.max_bytes:
                raise AudioError(f"it has more than {self.max_bytes >> 20} MiB ('limits: play_mb')")
            if now() > until:
                raise AudioError("the transfer takes too long")
            yield data


class _Decoding:
    """A stream of a format that its first bytes tell."""

    def __init__(self) -> None:
        self._head = b""
        self._convert: Converter | None = None

    def feed(self, data: bytes) -> list[AudioChunk]:
        """Return what `data` completes. Raises `AudioError`."""
        if self._convert is not None:
            return self._convert.feed(data)
        self._head += data
        return self._begun().feed(self._head) if len(self._head) >= HEAD_BYTES else []

    def end(self) -> list[AudioChunk]:
        """Return what was held back. Raises `AudioError`."""
        if self._convert is not None:
            return self._convert.flush()
        convert = self._begun()
        return convert.feed(self._head) + convert.flush()

    def _begun(self) -> Converter:
        source = sniff(self._head)
        if source is None:
            raise AudioError("not audio that can be read; use WAV, MP3, Ogg Opus or WebM")
        self._convert = converter(source, PLAYED)
        return self._convert


def check_url(url: str) -> None:
    """Raise `InputError` for an address that may not be fetched."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0 and len(url) <= URL_CHARS
    except ValueError:
        usable = False
    if not usable:
        raise InputError("only addresses of http and https, and files of the media folder, can be played")


async def _get(client: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
    """Return the answer from `url`, or from where it leads. Raises `AudioError` where there is none to play."""
    for _ in range(REDIRECTS + 1):
        response = await client.get(url, allow_redirects=False)
        if response.status == 200:
            return response
        response.release()
        if response.status not in (301, 302, 303, 307, 308) or "Location" not in response.headers:
            raise AudioError(f"the server answers {response.status}")
        url = urljoin(url, response.headers["Location"])
        try:
            check_url(url)
        except InputError:
            raise AudioError("the server leads elsewhere than to http or https") from None
    raise AudioError(f"the server leads on and on, more than {REDIRECTS} times")


async def _read(path: Path) -> AsyncIterator[AudioChunk]:
    chunks = read_audio(path, PLAYED)
    # Not closed here: after a cancellation the thread may still be in it, and closes the file when it lets go.
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


async def repeated(make: Callable[[], AsyncIterator[AudioChunk]], seconds: float) -> AsyncIterator[AudioChunk]:
    """Yield a sound, and again from its beginning until so many seconds of it are over; at least once."""
    ms, before = 0.0, -1.0
    while ms > before and (before < 0 or ms < seconds * 1000):
        before = ms
        async with closing(make()) as chunks:
            async for chunk in chunks:
                ms += chunk.ms
                yield chunk


async def _chime(kind: Chime) -> AsyncIterator[AudioChunk]:
    yield chime(kind, PLAYED)
    silence = bytes(int(PAUSE_MS * PLAYED.rate / 1000) * PLAYED.frame_bytes)
    yield AudioChunk(silence, PLAYED, PLAYED.pcm_ms(len(silence)))
