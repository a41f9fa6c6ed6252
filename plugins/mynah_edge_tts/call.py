"""One phrase said by the service, through the real client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

import aiohttp
import edge_tts

from mynah import AudioChunk, AudioFormat, EngineError, EngineUnavailable
from mynah.audio import converter
from mynah_edge_tts.config import Options
from mynah_edge_tts.manner import Manner
from mynah_edge_tts.network import Addresses, Line
from mynah_edge_tts.troubles import Passing, explained, lost, no_audio, not_understood, silent
from mynah_edge_tts.voices import EdgeVoice

log = logging.getLogger(__name__)

MP3: Final = AudioFormat("mp3", 24_000, 1)
"""What the client asks the service for: 48 kbit/s."""

TICKS_PER_MS: Final = 10_000
MAX_UNFRAMED: Final = 4096
"""Bytes without a whole frame after which it is no MP3; the longest frame has 1,441."""

PART_BYTES: Final = 4096
"""A longer text the client says in several parts, each over a connection of its own."""

_UNENDED: Final = -1
"""Before the first answer has ended; the client counts from 0 then."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be said, and how."""

    text: str
    voice: EdgeVoice
    manner: Manner


@dataclass(frozen=True, slots=True)
class Boundary:
    """A word, as the service writes it, has been said by `end_ms` of the audio."""

    word: str
    end_ms: float


class Call:
    """One phrase on its way: the audio byte for byte as it comes, and the words' boundaries."""

    def __init__(self, request: Request, options: Options, addresses: Addresses) -> None:
        self._request = request
        self._options = options
        self._addresses = addresses
        self._line = Line(addresses, self._connected)
        self._limit: asyncio.Timeout | None = None
        self._client = edge_tts.Communicate(
            request.text,
            request.voice.long_name,
            rate=request.manner.rate,
            volume=request.manner.volume,
            pitch=request.manner.pitch,
            boundary="WordBoundary",
            connector=self._line,
            proxy=options.proxy or None,
        )
        # The client's own arguments take whole seconds only.
        self._client.session_timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=options.connect_timeout, sock_read=options.receive_timeout
        )
        # The client does not tell an answer that has ended from a connection that was cut, but its counts do.
        self._client.state["offset_compensation"] = _UNENDED
        self._one_part = len(escape(request.text).encode()) <= PART_BYTES
        self._received = 0

    async def items(self) -> AsyncGenerator[AudioChunk | Boundary, None]:
        """Yield what comes. Raises `EngineError`; a `Passing` one only where no audio came."""
        audio = Mp3Stream()
        async with aclosing(self._client.stream()) as stream:
            try:
                while (item := await self._next(stream, audio)) is not None:
                    if item["type"] == "audio":
                        for chunk in audio.take(item["data"]):
                            yield chunk
                    elif item["type"] == "WordBoundary":
                        yield Boundary(item["text"], (item["offset"] + item["duration"]) / TICKS_PER_MS)
            finally:
                # Before the client closes it: that would wait for the service's goodbye.
                await self.hang_up()
        audio.finish()

    async def hang_up(self) -> None:
        """Cut the connection; whoever still waits for something gets an `EngineError`."""
        await self._line.hang_up()

    async def _next(self, stream: Any, audio: Mp3Stream) -> Any:
        """Return the next item that the client gives, or None at the end."""
        state = self._client.state
        try:
            async with asyncio.timeout(self._limit_s()) as limit:
                self._limit = limit
                item = await anext(stream)
        except StopAsyncIteration:
            if state["chunk_audio_bytes"]:
                raise lost(audio.ms) from None
            return None
        except edge_tts.exceptions.NoAudioReceived as error:
            if state["offset_compensation"] == _UNENDED:
                raise lost() from error
            raise no_audio(self._request.text, self._request.voice.name) from error
        except Exception as error:
            # The client reads what comes without looking whether it is what it should be, and so may raise anything.
            log.debug("edge-tts failed", exc_info=error)
            if not limit.expired():
                raise self._trouble(error, audio) from error
            if self._received and self._one_part and not state["chunk_audio_bytes"]:
                return None  # all was said; it is but the service's goodbye that is missing
            raise silent(self._options) from error
        if item["type"] == "audio":
            self._received += len(item["data"])
            if state["cumulative_audio_bytes"] + state["chunk_audio_bytes"] != self._received:
                raise lost(audio.ms)  # in the part before: the client goes on with the next one all the same
        return item

    def _trouble(self, error: Exception, audio: Mp3Stream) -> EngineError:
        trouble = explained(error, self._options)
        if isinstance(trouble, EngineUnavailable):
            self._addresses.doubt()
        return lost(audio.ms) if isinstance(trouble, Passing) and self._received else trouble

    def _connected(self) -> None:
        """Give the service no more time than is its own, once the connection stands."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._options.receive_timeout)

    def _limit_s(self) -> float:
        """Return how long the next item may take: there may be a connection to be made before it."""
        connecting = not self._client.state["chunk_audio_bytes"] and not (self._received and self._one_part)
        return self._options.receive_timeout + (self._options.connect_timeout if connecting else 0.0)


class Mp3Stream:
    """Measures the audio, and lets none pass before it is known to be MP3."""

    def __init__(self) -> None:
        self.ms = 0.0
        self._meter = converter(MP3, MP3)
        self._held: list[AudioChunk] = []
        self._unframed = 0

    def take(self, data: bytes) -> list[AudioChunk]:
        """Return the same bytes, with those held back before. Raises `EngineError` where they are no MP3."""
        chunks = self._meter.feed(data)
        self._held += chunks
        ms = sum(chunk.ms for chunk in chunks)
        self.ms += ms
        self._unframed = 0 if ms else self._unframed + len(data)
        if self._unframed > MAX_UNFRAMED:
            raise not_understood()
        if not self.ms:
            return []
        passed, self._held = self._held, []
        return passed

    def finish(self) -> None:
        """Raise `EngineError` where something came, but no MP3."""
        if self._held:
            raise not_understood()
