"""C: the clinic's interpreter, a web page. Each request is put into another language; several run at once."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from mynah import (
    AudioChunk,
    Hub,
    InputError,
    Interpretation,
    Interrupted,
    OutletOptions,
    Output,
    SessionOptions,
    SpeechChunk,
    StageStarted,
    TranscriptReady,
    TranslationReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah_dialects.config import CLINIC_INTERPRETER, PERSONAS
from mynah_dialects.dialect import ByTurn, Dialect, Frame, Line, Message, converse
from mynah_dialects.frames import TEXT_CHARS, Fields, Malformed
from mynah_dialects.gate import admit, persona_of
from mynah_dialects.recording import CONTAINERS, Stream, decoded, hear
from mynah_dialects.sound import MP3, PCM, joined

ORIGINAL, TRANSLATION = 0, 1
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")

STEPS: Final = (
    "processing_started", "hearing", "stt_result", "translating", "translation_result", "speaking",
    "translation_complete",
)  # fmt: skip
"""What a request goes through; each step is told the moment it is known, and never before the one in front of it."""


async def serve_parallel(hub: Hub, request: web.Request) -> web.StreamResponse:
    """Interpret for a clinic, the original being voiced while it is translated."""
    section = admit(hub, CLINIC_INTERPRETER, request)
    line = Line(request, error)
    await line.open()
    return await converse(line, ClinicInterpreter(hub, line, section, parallel=True))


async def health(hub: Hub, request: web.Request) -> web.Response:
    """Say whether all is well."""
    admit(hub, CLINIC_INTERPRETER, request)
    state = hub.health()
    return web.json_response(state, status=200 if state["status"] == "healthy" else 503)


def error(reason: str, message_id: str | None = None) -> Message:
    """Return this dialect's error."""
    return {"type": "error", "message": reason, "message_id": message_id}


@dataclass(slots=True)
class Request:
    """One request: what is known of it, and how many steps were told."""

    message_id: str = field(default_factory=lambda: secrets.token_hex(8))
    sender_id: str = ""
    spoken: bool = False
    streaming: bool = True
    original: str = ""
    translated: str = ""
    untranslated: tuple[str, ...] = ()
    sounds: dict[int, list[AudioChunk]] = field(default_factory=dict)
    known: dict[str, Message] = field(default_factory=dict)
    told: int = 0
    over: bool = False

    def message(self, kind: str, **data: Any) -> Message:
        """Return a message about it."""
        return {
            "type": kind,
            "data": {"message_id": self.message_id, "sender_id": self.sender_id, "status": "processing", **data},
        }

    def reach(self, step: str, kind: str, **data: Any) -> Iterator[Message]:
        """Note that a step was reached; yield what can be told now."""
        self.known.setdefault(step, self.message(kind, **data))
        while self.told < len(STEPS) and STEPS[self.told] in self.known:
            yield self.known[STEPS[self.told]]
            self.told += 1

    def heard(self, text: str) -> Iterator[Message]:
        """Note what was said."""
        self.original = text
        yield from self.reach("stt_result", "stt_result", original_text=text, status="stt_complete")


class ClinicInterpreter(Dialect):
    """One page of the clinic. Its requests do not wait for each other."""

    def __init__(self, hub: Hub, line: Line, section: Mapping[str, Any] | None, *, parallel: bool) -> None:
        super().__init__(hub, line, section or {}, OutletOptions(formats=(*PCM, *MP3), tracks="all"))
        self._parallel = parallel
        self._requests = ByTurn(Request)

    def options(self) -> SessionOptions:
        """Let requests run at the same time. Raises `InputError` where this dialect is not spoken here."""
        if not self.section:
            raise InputError("this is no message of the speech console, and nothing else is spoken here")
        persona = persona_of(self.hub, self.section, PERSONAS[CLINIC_INTERPRETER])
        return SessionOptions(persona=persona, policy="concurrent", origin=CLINIC_INTERPRETER)

    def began(self) -> None:
        """Forget the requests of the session before."""
        self._requests = ByTurn(Request)

    def complaint(self, reason: str, about: Mapping[str, Any]) -> Message:
        """Return this dialect's error."""
        return error(reason)

    # ------------------------------------------------------------ what the client says

    async def take(self, message: dict[str, Any]) -> None:
        """Begin a request."""
        if "type" in message:
            raise Malformed(f"unknown `type` {message['type']!r:.60}; a request has none")
        fields = Fields(message)
        source, target = _language(fields, "source_lang"), _language(fields, "target_lang")
        spoken = "audio_data" in fields
        request = Request(
            sender_id=fields.text("sender_id", "", blank=True),
            spoken=spoken,
            streaming=fields.flag("stream", default=True),
        )
        interpret = Interpretation(target=target, source=source, parallel=self._parallel)
        if spoken:
            await self._hear(request, fields.base64("audio_data"), source, interpret)
        else:
            await self._read(request, fields.text("text", limit=TEXT_CHARS), source, interpret)

    async def _read(self, request: Request, text: str, source: str, interpret: Interpretation) -> None:
        turn_id = self.session.submit(text, language=source, interpret=interpret)
        self._requests[turn_id] = request
        await self._tell(request, request.reach("processing_started", "processing_started", stage="processing_text"))
        await self._tell(request, request.reach("hearing", "processing_update", stage="text_processing"))
        await self._tell(request, request.heard(text.strip()))

    async def _hear(self, request: Request, audio: bytes, source: str, interpret: Interpretation) -> None:
        if not audio:
            raise Malformed("`audio_data` is empty")

        async def begun() -> None:
            step = "processing_started"
            await self._tell(request, request.reach(step, step, stage="decoding_audio"))

        pcm = await decoded(Stream(None, (*CONTAINERS, "mp3")), audio, begun)
        turn_id = hear(self.session, pcm, interpret)
        if turn_id is not None:
            self._requests[turn_id] = request
        await self._tell(request, request.reach("hearing", "processing_update", stage="speech_recognition"))

    async def _tell(self, request: Request, messages: Iterable[Message]) -> None:
        for message in messages:
            if request.streaming:
                await self.line.send(message)

    # ------------------------------------------------------------ what the client is told

    def frames(self, output: Output) -> Iterable[Frame]:
        """Return what one output is on this wire."""
        request = self._requests.of(output)
        told = self._steps(request, output)
        if request.over:
            return
        if isinstance(output, TurnFailed | TurnDropped | Interrupted | TurnFinished):
            request.over = True
        if request.streaming:
            yield from told
            return
        for message in told:
            if message["type"] == "error":
                yield message
            elif message["type"] == "translation_complete":
                yield _single(request)

    def _steps(self, request: Request, output: Output) -> Iterator[Message]:
        match output:
            case TranscriptReady(text=text, outcome=outcome):
                if outcome == "no_speech":
                    request.over = True
                    yield error("no speech was detected", request.message_id)
                else:
                    yield from request.heard(text)
            case StageStarted(stage="translating"):
                yield from request.reach("translating", "processing_update", stage="translation")
            case TranslationReady(text=text, untranslated=untranslated):
                request.translated, request.untranslated = text, untranslated
                yield from request.reach("translating", "processing_update", stage="translation")
                yield from request.reach(
                    "translation_result", "translation_result", translated_text=text, status="translation_complete"
                )
                yield from request.reach("speaking", "processing_update", stage="text_to_speech")
            case SpeechChunk(track=track, audio=audio):
                request.sounds.setdefault(track, []).append(audio)
            case TurnFinished(reply=said):
                if request.untranslated:
                    request.translated = said  # that there are no words for it is said, and so to be read as well
                yield from self._complete(request)
            case TurnFailed(message=message):
                yield error(message, request.message_id)
            case TurnDropped(reason=reason) | Interrupted(reason=reason):
                yield error(reason, request.message_id)

    def _complete(self, request: Request) -> Iterator[Message]:
        original, translated = (data_url(request.sounds.get(track, ())) for track in (ORIGINAL, TRANSLATION))
        yield from request.reach(
            "translation_complete",
            "translation_complete",
            original_text=request.original,
            translated_text=request.translated,
            audio_url=translated,
            audio_url_original=original,
            audio_url_translated=translated,
            status="complete",
        )


def _single(request: Request) -> Message:
    """Return the oldest API's only answer."""
    return {
        "type": "translation",
        "data": {
            "message_id": request.message_id,
            "original_text": request.original,
            "translated_text": request.translated,
            "audio_url": data_url(request.sounds.get(TRANSLATION, ())),
        },
    }


def _language(fields: Fields, name: str) -> str:
    tag = fields.text(name, limit=35)
    if not LANGUAGE.fullmatch(tag):
        raise Malformed(f"`{name}` must be a language such as en or es")
    return tag


def data_url(sounds: Iterable[AudioChunk]) -> str | None:
    """Return speech as a whole `data:` URL, MP3 as it was made and everything else as WAV; None for none."""
    pieces = list(sounds)
    if not pieces:
        return None
    if all(piece.format == pieces[0].format and piece.format.codec == "mp3" for piece in pieces):
        mime, data = "audio/mpeg", b"".join(piece.data for piece in pieces)
    else:
        mime, (data, _) = "audio/wav", joined(pieces)
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
