"""A stand-in for the service behind Edge's voices, on the loopback interface, for the real `edge_tts` client.

    async with edge_server(Script(first_s=0.5, total_s=3.0)) as edge:
        …                                   # whatever speaks through edge_tts now talks to `edge`
        assert edge.requests[0].text == "…"
        assert bytes_received == edge.audio(edge.requests[0].text)

or the fixture `edge`, imported into a test module or a conftest. `edge.script` says how the service behaves, and may be
changed at any time; `edge.next` holds scripts for the next requests only. What it sends is real MP3, as the service
encodes it, with one boundary a word.
"""

from __future__ import annotations

import asyncio
import html
import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Literal

import edge_tts.communicate
import edge_tts.drm
import edge_tts.voices
import pytest
from aiohttp import WSMsgType, web

Fault = Literal["", "silent", "drop", "hang", "malformed", "noise", "deaf", "no_goodbye"]
"""What goes wrong after `Script.after` bytes of audio: nothing; the answer ends; the connection is cut; nothing more
comes; a message that is none; audio that is no MP3. `deaf` does not even answer the handshake, `no_goodbye` never
closes the connection."""

LEAD_MS = 100
FRAME_BYTES = 144
FRAME_MS = 24
LISTED = (
    ("en-US-EmmaMultilingualNeural", "Female"),
    ("xh-ZA-NomsaNeural", "Female"),
    ("xh-ZA-LundiNeural", "Male"),
    ("iu-Latn-CA-SiqiniqNeural", "Female"),
)
"""The service's own list of voices: one that is in the built-in table, and some that are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How one phrase is answered.

    The first audio comes after `first_s`, the last after `total_s`, in chunks of `chunk` bytes; a word lasts `word_ms`.
    With a `status` the connection is refused by that HTTP status. `words` cuts a text into the words whose boundaries
    are told (None: no boundaries).
    """

    first_s: float = 0.0
    total_s: float = 0.0
    chunk: int = 5 * FRAME_BYTES
    word_ms: int = 300
    status: int = 0
    fault: Fault = ""
    after: int = 0
    words: Callable[[str], list[str]] | None = field(default=lambda text: _words(text))


@dataclass(frozen=True, slots=True)
class EdgeRequest:
    """What a client asked for; `at` is when, in seconds of `time.monotonic`."""

    text: str
    voice: str
    rate: str
    pitch: str
    volume: str
    word_boundaries: bool
    at: float


class EdgeServer:
    """The service.

    `open` counts the connections that stand now, `most` those that stood at once at most, `connects` those that were
    tried, `lists` how often the list of voices was asked for. `first_sent` is when the first audio of a text went out,
    in seconds of `time.monotonic`.
    """

    def __init__(self, script: Script) -> None:
        self.script: Script | Callable[[str], Script] = script
        self.next: list[Script] = []
        self.requests: list[EdgeRequest] = []
        self.connects = 0
        self.lists = 0
        self.list_status = 200
        self.open = 0
        self.most = 0
        self.port = 0
        self.first_sent: dict[str, float] = {}
        self._closed = asyncio.Event()

    def audio(self, text: str, word_ms: int = 300) -> bytes:
        """Return the MP3 that says `text`."""
        return tone(LEAD_MS + word_ms * max(1, len(_words(text))))

    async def all_closed(self) -> None:
        """Wait until no connection stands."""
        while self.open:
            self._closed.clear()
            await self._closed.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        self.connects += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            return await self._serve(request)
        finally:
            self.open -= 1
            self._closed.set()

    async def list_voices(self, request: web.Request) -> web.Response:
        """Serve the list of voices."""
        self.lists += 1
        if self.list_status != 200:
            return web.Response(status=self.list_status)
        return web.json_response(
            [{"ShortName": name, "Gender": gender, "Locale": name.rpartition("-")[0]} for name, gender in LISTED]
        )

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        fixed = self.next.pop(0) if self.next else self.script
        if isinstance(fixed, Script) and fixed.status:
            return web.Response(status=fixed.status)
        if isinstance(fixed, Script) and fixed.fault == "deaf":
            await asyncio.Event().wait()
        socket = web.WebSocketResponse(compress=True)
        await socket.prepare(request)
        boundaries = False
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            head, _, body = message.data.partition("\r\n\r\n")
            headers = dict(line.split(":", 1) for line in head.split("\r\n"))
            if headers["Path"] == "speech.config":
                options = json.loads(body)["context"]["synthesis"]["audio"]["metadataoptions"]
                boundaries = options["wordBoundaryEnabled"] == "true"
                continue
            asked = _parse(body, boundaries)
            self.requests.append(asked)
            script = fixed if isinstance(fixed, Script) else fixed(asked.text)
            answer = Answer(socket, request, headers["X-RequestId"], script)
            mp3 = await asyncio.to_thread(self.audio, asked.text, script.word_ms)
            with suppress(ConnectionError):
                await answer.say(asked, mp3, self.first_sent)
        return socket


class Answer:
    """What goes back for one request, in the service's own messages."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, request_id: str, script: Script) -> None:
        self._socket = socket
        self._request = request
        self._id = request_id
        self._script = script

    async def say(self, asked: EdgeRequest, mp3: bytes, first_sent: dict[str, float]) -> None:
        """Send the speech as the script has it; note when its first audio went out."""
        script = self._script
        await self._tell("turn.start", {"context": {"serviceTag": "loopback"}})
        await self._tell("response", {"context": {"serviceTag": "loopback"}})
        bounds = self._bounds(asked) if script.words and asked.word_boundaries else []
        starts = range(0, len(mp3), script.chunk)
        for number, start in enumerate(starts):
            if script.fault and script.fault != "no_goodbye" and start >= script.after:
                await self._go_wrong()
                return
            share = number / max(1, len(starts) - 1)
            due = asked.at + script.first_s + max(0.0, script.total_s - script.first_s) * share
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            end_ms = (start + script.chunk) / FRAME_BYTES * FRAME_MS
            while bounds and bounds[0][1] < end_ms:
                await self._bound(*bounds.pop(0))
            if number == 0:
                first_sent[asked.text] = time.monotonic()
            await self._audio(mp3[start : start + script.chunk])
        await self._end()

    async def _go_wrong(self) -> None:
        match self._script.fault:
            case "silent":
                await self._end()
            case "drop":
                if self._request.transport is not None:
                    self._request.transport.close()
            case "hang":
                await asyncio.Event().wait()
            case "malformed":
                await self._socket.send_bytes(b"\x00\x05garbage that has no header")
            case "noise":
                noise = random.Random(1).randbytes(20_000).replace(b"\xff", b"\xfe")
                for start in range(0, len(noise), self._script.chunk):
                    await self._audio(noise[start : start + self._script.chunk])
                await self._end()

    async def _end(self) -> None:
        await self._binary(b"", "")
        await self._tell("turn.end", {})
        if self._script.fault == "no_goodbye":
            await asyncio.Event().wait()

    async def _audio(self, data: bytes) -> None:
        await self._binary(data, "Content-Type:audio/mpeg\r\n")

    async def _binary(self, data: bytes, content_type: str) -> None:
        head = f"X-RequestId:{self._id}\r\n{content_type}X-StreamId:1\r\nPath:audio\r\n".encode()
        await self._socket.send_bytes(len(head).to_bytes(2, "big") + head + data)

    async def _bound(self, word: str, start_ms: float, lasts_ms: float) -> None:
        text = {"Text": html.escape(word), "Length": len(word), "BoundaryType": "WordBoundary"}
        data = {"Offset": round(start_ms * 10_000), "Duration": round(lasts_ms * 10_000), "text": text}
        await self._tell("audio.metadata", {"Metadata": [{"Type": "WordBoundary", "Data": data}]})

    async def _tell(self, path: str, body: object) -> None:
        head = f"X-RequestId:{self._id}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n"
        await self._socket.send_str(head + json.dumps(body))

    def _bounds(self, asked: EdgeRequest) -> list[tuple[str, float, float]]:
        """Return the words with their beginnings and lengths: 90 % of the time is speech, the rest a pause."""
        assert self._script.words is not None
        words = self._script.words(asked.text)
        each = self._script.word_ms * len(_words(asked.text)) / max(1, len(words))
        return [(word, LEAD_MS + number * each, 0.9 * each) for number, word in enumerate(words)]


def word_ends(text: str, word_ms: int = 300) -> list[float]:
    """Return by when each of the words of `text` has been said, in milliseconds."""
    return [LEAD_MS + (number + 0.9) * word_ms for number in range(len(_words(text)))]


@cache
def tone(ms: float) -> bytes:
    """Return a tone of at least `ms` as the service's MP3: 24 kHz, 48 kbit/s, mono, frames only."""
    import av
    import numpy as np

    encoder = av.CodecContext.create("libmp3lame", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 24_000, "mono", "s16p", 48_000
    encoder.options = {"reservoir": "0"}
    encoder.open()
    samples = (8000 * np.sin(np.arange(int(ms * 24)) * 2 * np.pi * 220 / 24_000)).astype(np.int16)
    cuts = [*range(0, len(samples), encoder.frame_size), len(samples)]
    packets: list[bytes] = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        frame = av.AudioFrame.from_ndarray(samples[start:end].reshape(1, -1), format="s16p", layout="mono")
        frame.sample_rate, frame.pts = 24_000, number * encoder.frame_size
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return b"".join(packets + [bytes(packet) for packet in encoder.encode(None)])


def _words(text: str) -> list[str]:
    return [word for part in text.split() if (word := part.strip(".,;:!?…\"'()"))]


def _parse(ssml: str, boundaries: bool) -> EdgeRequest:
    voice = re.search(r"<voice name='([^']+)'>", ssml)
    prosody = re.search(r"<prosody pitch='([^']+)' rate='([^']+)' volume='([^']+)'>(.*)</prosody>", ssml, re.DOTALL)
    assert voice is not None
    assert prosody is not None
    pitch, rate, volume, text = prosody.groups()
    assert "<" not in text, "text is sent as text, never as markup"
    return EdgeRequest(html.unescape(text), voice[1], rate, pitch, volume, boundaries, time.monotonic())


@asynccontextmanager
async def edge_server(script: Script | None = None) -> AsyncIterator[EdgeServer]:
    """Run the service, and have the client talk to it until it is stopped."""
    server = EdgeServer(script or Script())
    app = web.Application()
    app.router.add_get("/edge/v1", server.answer)
    app.router.add_get("/voices/list", server.list_voices)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        with pytest.MonkeyPatch.context() as patch:
            place = f"127.0.0.1:{server.port}"
            # What these modules imported by name; the service's constants are read from nowhere else.
            patch.setattr(edge_tts.communicate, "WSS_URL", f"ws://{place}/edge/v1?TrustedClientToken=x")
            patch.setattr(edge_tts.voices, "VOICE_LIST", f"http://{place}/voices/list?trustedclienttoken=x")
            patch.setattr(edge_tts.drm.DRM, "clock_skew_seconds", 0.0)  # a refusal makes the client set it
            patch.setenv("no_proxy", "127.0.0.1")
            patch.setenv("NO_PROXY", "127.0.0.1")
            yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def edge() -> AsyncIterator[EdgeServer]:
    """The service, answering at once."""
    async with edge_server() as server:
        yield server
