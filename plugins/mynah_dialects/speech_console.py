"""E: the speech-to-speech console. One recording a request; the reply comes token by token and piece by piece."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from mynah import (
    AudioChunk,
    Hub,
    Interrupted,
    OutletOptions,
    Output,
    PhraseReady,
    ReplyToken,
    SessionOptions,
    SpeechChunk,
    StageStarted,
    Timeline,
    TranscriptReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah_dialects.config import PERSONAS, SPEECH_CONSOLE
from mynah_dialects.dialect import ByTurn, Dialect, Frame, Line, Message, converse
from mynah_dialects.frames import Fields, Malformed
from mynah_dialects.gate import admit, persona_of
from mynah_dialects.recording import WAV, Stream, decoded, hear, samples
from mynah_dialects.sound import PCM, Piece, Pieces, joined, whole_wav

REQUESTS: Final = ("speech_to_speech", "speech_to_speech_chunked_streaming", "audio_chunk", "audio")
TYPES: Final = (*REQUESTS, "ping", "status", "interrupt")
"""What tells a message of this dialect from one of the clinic interpreter's, on the path that they share."""

RECORDED: Final = samples(16_000, 1, 32, is_float=True)
SERVER: Final = {"sample_rate": 16_000, "chunk_size": 4096, "latency_target": 200}

STAGES: Final[Mapping[str, str]] = {
    "transcribing": "Understanding what was said",
    "thinking": "Thinking about the answer",
    "speaking": "Speaking",
}
BOUNDARIES: Final[Mapping[str, str]] = {"word": "word", "clause": "phrase", "sentence": "sentence"}


async def serve(hub: Hub, request: web.Request) -> web.StreamResponse:
    """Hold a conversation with a console."""
    section = admit(hub, SPEECH_CONSOLE, request)
    line = Line(request, lambda reason: error(reason, None, "receiving"))
    await line.open()
    return await converse(line, SpeechConsole(hub, line, section))


def error(reason: str, conversation_id: str | None, stage: str) -> Message:
    """Return this dialect's error."""
    return {
        "type": "error",
        "message": reason,
        "conversation_id": conversation_id,
        "stage": stage,
        "timestamp": time.time(),
    }


@dataclass(slots=True)
class Request:
    """One request and how far its answer has come."""

    conversation: str
    streaming: bool = True
    audio_name: str = "sequential_audio"
    asked: float = field(default_factory=time.monotonic)
    transcript: str = ""
    text: str = ""
    tokens: int = 0
    token_at: float | None = None
    phrases: dict[int, tuple[str, float]] = field(default_factory=dict)
    said: str = ""
    chunks: int = 0
    pieces_sent: int = 0
    pieces: Pieces = field(default_factory=Pieces)
    whole: list[AudioChunk] = field(default_factory=list)


class SpeechConsole(Dialect):
    """One console; requests are answered one after the other."""

    def __init__(self, hub: Hub, line: Line, section: Mapping[str, Any]) -> None:
        super().__init__(hub, line, section, OutletOptions(formats=PCM))
        self._requests = ByTurn(lambda: Request(self.session_id))

    def options(self) -> SessionOptions:
        """Let new input wait for its turn."""
        persona = persona_of(self.hub, self.section, PERSONAS[SPEECH_CONSOLE])
        return SessionOptions(persona=persona, policy="queue", origin=SPEECH_CONSOLE)

    def greeting(self) -> Iterable[Frame]:
        """Say hello; where the path is shared, that is with the first message of this dialect."""
        yield {
            "type": "connection",
            "status": "connected",
            "message": "Connected to the speech console",
            "server_config": SERVER,
            "timestamp": time.time(),
        }

    def complaint(self, reason: str, about: Mapping[str, Any]) -> Message:
        """Return this dialect's error."""
        conversation = about.get("conversation_id")
        return error(reason, conversation if isinstance(conversation, str) else None, "receiving")

    def began(self) -> None:
        """Forget the requests of the session before."""
        self._requests = ByTurn(lambda: Request(self.session_id))

    # ------------------------------------------------------------ what the client says

    async def take(self, message: dict[str, Any]) -> None:
        """Do what the client asks for."""
        fields = Fields(message)
        match fields.one_of("type", TYPES):
            case "ping":
                await self.line.send({"type": "pong", "timestamp": time.time()})
            case "status":
                await self.line.send(self._status())
            case "interrupt":
                await self._interrupt(fields)
            case kind:
                await self._answer(kind, fields)

    def _status(self) -> Message:
        engines = [engine for engine in self.hub.engines() if engine["state"] == "ready"]
        return {
            "type": "status",
            "model_info": {
                "persona": self._persona,
                **{kind: [e["name"] for e in engines if e["kind"] == kind] for kind in ("stt", "llm", "tts")},
            },
            "connected_clients": sum(session.get("origin") == SPEECH_CONSOLE for session in self.hub.sessions()),
            "timestamp": time.time(),
        }

    @property
    def _persona(self) -> str:
        found = (session["persona"] for session in self.hub.sessions() if session["id"] == self.session_id)
        return next(found, "")

    async def _answer(self, kind: str, fields: Fields) -> None:
        request = Request(
            fields.text("conversation_id", self.session_id),
            streaming=fields.flag("streaming", default=True)
            and fields.one_of("mode", ("chunked_streaming", "conversation"), "chunked_streaming") != "conversation",
            audio_name="chunked_streaming_audio" if kind == "speech_to_speech" else "sequential_audio",
        )
        voice = fields.text("voice", "", blank=True)
        prompt = fields.text("prompt", "", limit=10_000, blank=True)
        fields.text("chunk_id", "", blank=True)
        speed = fields.number("speed", 1.0)
        audio = fields.base64("audio_data")
        if not audio:
            raise Malformed("`audio_data` is empty")

        async def begun() -> None:
            if request.streaming:
                await self.line.send(self._message(request, "processing", stage="receiving", message="Audio received"))

        pcm = await decoded(Stream(RECORDED, WAV), audio, begun)
        self.session.update(pace=speed, voice=voice if self.hub.knows_voice(voice) else "", prompt=prompt)
        turn_id = hear(self.session, pcm)
        if turn_id is not None:
            self._requests[turn_id] = request

    async def _interrupt(self, fields: Fields) -> None:
        conversation = fields.text("conversation_id", "") or None
        stopped = [
            self.session.interrupt(turn=turn)
            for turn in self._requests
            if conversation in (None, self._requests[turn].conversation)
        ]
        if not any(stopped):
            request = Request(conversation or self.session_id)
            await self.line.send(self._complete(request, interrupted=True))

    # ------------------------------------------------------------ what the client is told

    def _message(self, request: Request, kind: str, **fields: Any) -> Message:
        return {"type": kind, **fields, "conversation_id": request.conversation, "timestamp": time.time()}

    def frames(self, output: Output) -> Iterable[Frame]:
        """Return what one output is on this wire."""
        request = self._requests.of(output)
        if isinstance(output, TranscriptReady):
            request.transcript = output.text
        if isinstance(output, TurnFailed):
            yield error(output.message, request.conversation, output.stage or "")
        elif not request.streaming:
            yield from self._batch(request, output)
            return
        yield from self._words(request, output)
        for piece in request.pieces.take(output):
            yield self._piece(request, piece)
        match output:
            case TurnFinished(reply=text, timeline=timeline):
                yield self._complete(request, text, timeline)
            case Interrupted():
                yield self._complete(request, interrupted=True)
            case TurnDropped(reason=reason):
                yield error(reason, request.conversation, "transcribing")

    def _words(self, request: Request, output: Output) -> Iterator[Frame]:
        match output:
            case StageStarted(stage=stage) if stage in STAGES:
                yield self._message(request, "processing", stage=stage, message=STAGES[stage])
            case ReplyToken(text=text):
                now = time.monotonic()
                since = request.token_at or request.asked
                request.text, request.token_at, request.tokens = request.text + text, now, request.tokens + 1
                yield self._message(
                    request,
                    "token_chunk",
                    text=text,
                    chunk_sequence=request.tokens - 1,
                    inter_token_latency_ms=round((now - since) * 1000, 2),
                )
            case PhraseReady(phrase=phrase, text=text, acknowledgement=acknowledgement):
                request.phrases[phrase] = (text, time.monotonic())
                if not acknowledgement:
                    request.said = " ".join(filter(None, (request.said, text)))
                    request.chunks += 1
                    yield self._message(
                        request,
                        "semantic_chunk",
                        text=text,
                        full_text_so_far=request.said,
                        chunk_sequence=request.chunks - 1,
                        boundary_type=BOUNDARIES[output.boundary],
                    )

    def _piece(self, request: Request, piece: Piece) -> Message:
        text, known_at = request.phrases.get(piece.phrase, ("", time.monotonic()))
        wav = whole_wav(piece.audio)
        request.pieces_sent += 1
        return self._message(
            request,
            request.audio_name,
            chunk_id=f"{request.conversation}-{piece.phrase}-{piece.index}",
            chunk_index=piece.index,
            audio_data=base64.b64encode(wav).decode("ascii"),
            sample_rate=piece.audio.format.rate,
            chunk_size_bytes=len(wav),
            text_source=text,
            is_final_audio=piece.last,
            synthesis_time_ms=round((time.monotonic() - known_at) * 1000, 2),
        )

    def _complete(
        self, request: Request, text: str = "", timeline: Timeline | None = None, *, interrupted: bool = False
    ) -> Message:
        marks = timeline.ms() if timeline else {}
        more: dict[str, Any] = {"interrupted": True} if interrupted else {}
        return self._message(
            request,
            "chunked_streaming_complete",
            transcription=request.transcript,
            response_text=text or request.said,
            total_tokens=request.tokens,
            total_words=len((text or request.said).split()),
            total_chunks=request.pieces_sent,
            total_time_ms=round((time.monotonic() - request.asked) * 1000, 2),
            first_token_latency_ms=marks.get("first_token"),
            first_word_latency_ms=marks.get("first_word"),
            first_audio_latency_ms=marks.get("first_audio"),
            stage_timings={**marks, "engines": dict(timeline.engine_ms) if timeline else {}},
            success=not interrupted,
            **more,
        )

    def _batch(self, request: Request, output: Output) -> Iterator[Frame]:
        """Answer in one message, once everything is there."""
        match output:
            case SpeechChunk(audio=audio):
                request.whole.append(audio)
            case TurnFinished(reply=text):
                wav, ms = joined(request.whole)
                yield self._message(
                    request,
                    "response",
                    text=text,
                    audio_data=base64.b64encode(wav).decode("ascii"),
                    processing_time_ms=round((time.monotonic() - request.asked) * 1000, 2),
                    audio_duration_ms=round(ms, 1),
                )
            case Interrupted():
                yield self._complete(request, interrupted=True)
            case TurnDropped(reason=reason):
                yield error(reason, request.conversation, "transcribing")
