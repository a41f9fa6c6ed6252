"""D: the voice news agent, a web page or a desktop program. What it plays is MP3."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from mynah import (
    LISTENING,
    Hub,
    Interrupted,
    OutletOptions,
    Output,
    PartialTranscript,
    ReplyReady,
    SessionOptions,
    SpeechChunk,
    StageStarted,
    TranscriptReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah_dialects.config import NEWS_AGENT, PERSONAS
from mynah_dialects.dialect import ByTurn, Dialect, Frame, Line, Message, converse
from mynah_dialects.frames import TEXT_CHARS, Fields
from mynah_dialects.gate import admit, persona_of
from mynah_dialects.recording import CONTAINERS, Stream, samples, slices
from mynah_dialects.sound import MP3

PIECE_BYTES: Final = 4096
DRY_S: Final = 0.05
"""How long a player that has nothing left waits for a full piece; then it gets what there is."""

EVENTS: Final = ("voice_command", "voice_data", "audio_chunk", "interrupt", "start_listening", "stop_listening")


async def serve(hub: Hub, request: web.Request) -> web.StreamResponse:
    """Hold a conversation with a news agent."""
    section = admit(hub, NEWS_AGENT, request)
    line = Line(request, lambda reason: event("error", "", error_type="frame_too_large", message=reason))
    await line.open()
    return await converse(line, NewsAgent(hub, line, section))


def event(name: str, session_id: str, **data: Any) -> Message:
    """Return a message of this wire; each carries the session and the time."""
    return {"event": name, "data": {**data, "session_id": session_id, "timestamp": datetime.now(UTC).isoformat()}}


@dataclass(slots=True)
class Speech:
    """The speech of one reply on its way, in pieces of 4096 bytes; `asked` is when it was asked for.

    The first and the last piece may be shorter, and one that a player would have to wait for.
    """

    asked: float = field(default_factory=time.monotonic)
    sent: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _bytes: int = 0
    _ms: float = 0.0
    _sounds_until: float = 0.0

    @property
    def dry_at(self) -> float | None:
        """When a player has nothing left, although something is held back for it; None where nothing is."""
        return self._sounds_until + DRY_S if self._held else None

    def feed(self, data: bytes, ms: float) -> Iterator[bytes]:
        """Yield the pieces that are full; the first audio waits for nothing."""
        self._held += data
        self._bytes += len(data)
        self._ms += ms
        while len(self._held) >= PIECE_BYTES:
            yield self._cut()
        if not self.sent:
            yield from self.flush()

    def flush(self) -> Iterator[bytes]:
        """Yield what is held back."""
        if self._held:
            yield self._cut()

    def drop(self) -> None:
        """Forget what is held back."""
        self._held.clear()

    def _cut(self) -> bytes:
        piece = bytes(self._held[:PIECE_BYTES])
        del self._held[:PIECE_BYTES]
        self.sent += 1
        piece_s = self._ms / 1000 * len(piece) / self._bytes
        self._sounds_until = max(self._sounds_until, time.monotonic()) + piece_s
        return piece


class NewsAgent(Dialect):
    """One news agent."""

    def __init__(self, hub: Hub, line: Line, section: Mapping[str, Any]) -> None:
        super().__init__(hub, line, section, OutletOptions(formats=MP3))
        self._recording: Stream | None = None
        self._speeches = ByTurn(Speech)
        self._asked_at = 0.0

    def options(self) -> SessionOptions:
        """Let new input interrupt."""
        persona = persona_of(self.hub, self.section, PERSONAS[NEWS_AGENT])
        return SessionOptions(persona=persona, policy="interrupt", origin=NEWS_AGENT)

    def began(self) -> None:
        """Forget what was being recorded."""
        self._recording = None
        self._speeches = ByTurn(Speech)

    def greeting(self) -> Iterable[Frame]:
        """Say hello."""
        yield self._event("connected", message="Connected to the news agent")

    def complaint(self, reason: str, about: Mapping[str, Any]) -> Message:
        """Return this dialect's error."""
        return event("error", self.session_id, error_type="invalid_request", message=reason)

    def _event(self, name: str, **data: Any) -> Message:
        return event(name, self.session_id, **data)

    # ------------------------------------------------------------ what the client says

    async def take(self, message: dict[str, Any]) -> None:
        """Do what the client asks for."""
        self._asked_at = time.monotonic()
        name = Fields(message).one_of("event", EVENTS)
        data = Fields(message).object("data")
        data.text("session_id", "", blank=True)
        match name:
            case "voice_command":
                data.number("confidence", 1.0)
                self.session.submit(data.text("command", limit=TEXT_CHARS))
            case "voice_data" | "audio_chunk":
                await self._record(data, final=data.flag("is_final", default=name == "audio_chunk"))
            case "interrupt":
                await self._interrupt(data.text("reason", "user_interruption"))
            case "start_listening":
                self._recording = None
                await self.line.send(self._event("listening_started", message="Listening"))
            case "stop_listening":
                self._finish()
                await self.line.send(self._event("listening_stopped", message="Not listening any more"))

    async def _record(self, data: Fields, *, final: bool) -> None:
        chunk = data.base64("audio_chunk")
        recording = self._recording or self._begin(data)
        told = False
        for part in slices(chunk) if chunk else (b"",):
            pcm = recording.feed(part)
            if self._recording is None:
                self._recording = recording
                self.session.listen(LISTENING)
            self.session.feed(pcm)
            if not told:
                told = True
                await self.line.send(self._event("audio_received", size=len(chunk), is_final=final))
            await asyncio.sleep(0)
        if final:
            self._finish()

    def _begin(self, data: Fields) -> Stream:
        """Make ready for what the client says it records: a container, MP3, or else samples."""
        kind = data.text("format", "", blank=True).lower()
        raw = samples(data.whole("sample_rate", 16_000), 1)
        codecs = (*CONTAINERS, "mp3") if "mp3" in kind or "mpeg" in kind else CONTAINERS
        is_raw = not any(name in kind for name in ("wav", "webm", "ogg", "opus", "mp3", "mpeg"))
        return Stream(raw if is_raw else None, codecs)

    def _finish(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            try:
                self.session.feed(recording.flush())
            finally:
                self.session.end_listening()

    async def _interrupt(self, reason: str) -> None:
        for turn in self._speeches:
            self._speeches[turn].drop()
        if not self.session.interrupt(reason):
            await self.line.send(
                self._event("voice_interrupted", reason=reason, interruption_time_ms=0.0),
                self._event("streaming_interrupted", total_chunks_sent=0),
            )

    # ------------------------------------------------------------ what the client is told

    async def speak(self) -> None:
        """Send what the session gives, and what is held back of its speech before a player runs dry."""
        async with aclosing(self.session.outputs(self.outlet)) as outputs:
            while True:
                coming = asyncio.ensure_future(anext(outputs, None))
                try:
                    while not coming.done():
                        await asyncio.wait({coming}, timeout=self._patience_s())
                        if not coming.done():
                            await self.line.send(*self._what_is_dry())
                finally:
                    if not coming.done():
                        coming.cancel()
                        await asyncio.wait({coming})
                output = coming.result()
                if output is None:
                    return
                await self.line.send(*self.frames(output))

    def _patience_s(self) -> float | None:
        dry = [at for turn in self._speeches if (at := self._speeches[turn].dry_at) is not None]
        return max(0.0, min(dry) - time.monotonic()) if dry else None

    def _what_is_dry(self) -> Iterator[Frame]:
        for turn in self._speeches:
            speech = self._speeches[turn]
            if speech.dry_at is not None and speech.dry_at <= time.monotonic():
                yield from self._chunks(speech, speech.flush())

    def frames(self, output: Output) -> Iterable[Frame]:
        """Return what one output is on this wire."""
        speech = self._speeches.of(output)
        match output:
            case StageStarted(stage="transcribing"):
                speech.asked = time.monotonic()
            case PartialTranscript(text=text):
                yield self._event("partial_transcription", text=text, is_final=False)
            case TranscriptReady():
                yield from self._heard(output, speech)
            case ReplyReady(text=text):
                yield self._event(
                    "voice_response",
                    text=text,
                    response_type="answer",
                    processing_time_ms=_since(speech.asked),
                    streaming=True,
                    audio_url=None,
                )
                yield self._event("agent_response", text=text)
            case SpeechChunk(audio=audio):
                yield from self._chunks(speech, speech.feed(audio.data, audio.ms))
            case TurnFinished() | TurnFailed() | TurnDropped():
                yield from self._chunks(speech, speech.flush())
                if isinstance(output, TurnFailed):
                    yield self._event("error", error_type="processing_error", message=output.message)
                if speech.sent or isinstance(output, TurnFinished):
                    yield self._event("streaming_complete", total_chunks_sent=speech.sent)
            case Interrupted(reason=reason):
                speech.drop()
                yield self._event("voice_interrupted", reason=reason, interruption_time_ms=_since(self._asked_at))
                yield self._event("streaming_interrupted", total_chunks_sent=speech.sent)

    def _heard(self, transcript: TranscriptReady, speech: Speech) -> Iterator[Frame]:
        yield self._event(
            "transcription",
            text=transcript.text,
            confidence=transcript.confidence,
            processing_time_ms=_since(speech.asked),
        )
        if transcript.outcome == "no_speech":
            yield self._event("error", error_type="no_speech", message="No speech detected")

    def _chunks(self, speech: Speech, pieces: Iterator[bytes]) -> Iterator[Frame]:
        for piece in pieces:
            yield self._event(
                "tts_chunk",
                audio_chunk=base64.b64encode(piece).decode("ascii"),
                chunk_index=speech.sent - 1,
                format="mp3",
            )


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
