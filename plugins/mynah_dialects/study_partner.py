"""B: the study partner's web app. It records, runs its own chat and has texts spoken."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from aiohttp import web

from mynah import (
    LISTENING,
    Hub,
    MynahError,
    OutletOptions,
    Output,
    PartialTranscript,
    PhraseReady,
    ReplyReady,
    Session,
    SessionOptions,
    TranscriptReady,
    TurnFailed,
)
from mynah_dialects.config import STUDY_PARTNER
from mynah_dialects.dialect import ByTurn, Dialect, Frame, Line, Message, converse
from mynah_dialects.frames import TEXT_CHARS, Fields, Malformed
from mynah_dialects.gate import admit
from mynah_dialects.recording import Stream, samples, slices
from mynah_dialects.sound import PCM, Piece, Pieces, whole_wav
from mynah_dialects.study_rest import AUTO, find, language_of, stats_of

RECORDED: Final = samples(16_000, 1)
TYPES: Final = ("audio_chunk", "text_request", "control")
COMMANDS: Final = ("ping", "stats", "reset")
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")


async def serve(hub: Hub, request: web.Request) -> web.StreamResponse:
    """Go on with a session of the study partner."""
    section = admit(hub, STUDY_PARTNER, request)
    session_id = request.match_info["id"]
    line = Line(request, lambda reason: _error(reason, session_id))
    await line.open()
    return await converse(line, StudyPartner(hub, line, section, session_id))


def _error(reason: str, session_id: str) -> Message:
    return _both("error", session_id, message=reason)


def _inside(kind: str, session_id: str, **data: Any) -> Message:
    """Return a message whose fields are in its `data`."""
    return {"type": kind, "session_id": session_id, "data": data, "timestamp": time.time()}


def _both(kind: str, session_id: str, **fields: Any) -> Message:
    """Return a message whose fields are both beside its type and in its `data`: clients look in either place."""
    return {**_inside(kind, session_id, **fields), **fields}


@dataclass(slots=True)
class Speech:
    """The speech of one reply on its way."""

    answers: bool = True
    phrases: dict[int, str] = field(default_factory=dict)
    pieces: Pieces = field(default_factory=Pieces)
    sent: int = 0


class StudyPartner(Dialect):
    """One client of the study partner, in a session that outlives its connection."""

    def __init__(self, hub: Hub, line: Line, section: Mapping[str, Any], session_id: str) -> None:
        super().__init__(hub, line, section, OutletOptions(formats=PCM))
        self._id = session_id
        self._language = AUTO
        self._stream = Stream(RECORDED)
        self._recording = False
        self._numbers = count(1)
        self._speeches = ByTurn(Speech)

    def options(self) -> SessionOptions:
        """Return how its sessions are held; they are begun over REST."""
        return SessionOptions(origin=STUDY_PARTNER)

    def begin(self) -> Session:
        """Return the session of the address. Raises `InputError` where it is over."""
        return find(self.hub, self._id)

    def began(self) -> None:
        """Begin a recording afresh."""
        self._language = language_of(self.hub, self.session)
        self._stream = Stream(RECORDED)
        self._recording = False
        self._speeches = ByTurn(Speech)

    def end(self) -> None:
        """Let the session be: what was said is understood, and the client may come back."""
        with suppress(MynahError):
            self._finish()

    def greeting(self) -> Iterable[Frame]:
        """Say hello."""
        yield _both("connection_established", self._id, message="Connected")

    def complaint(self, reason: str, about: Mapping[str, Any]) -> Message:
        """Return this dialect's error."""
        return _error(reason, self._id)

    # ------------------------------------------------------------ what the client says

    async def take(self, message: dict[str, Any]) -> None:
        """Do what the client asks for."""
        fields = Fields(message)
        kind = fields.one_of("type", TYPES)
        data = fields.object("data")
        if kind == "audio_chunk":
            await self._record(data)
        elif kind == "text_request":
            await self._say(data)
        else:
            await self._control(data.one_of("command", COMMANDS))

    async def _record(self, data: Fields) -> None:
        chunk, final = data.hex("audio_data"), data.flag("is_final", default=False)
        told = _both(
            "chunk_received",
            self._id,
            chunk_id=f"{self._id}-{next(self._numbers)}",
            chunk_index=data.whole("chunk_index", 0),
            size=len(chunk),
            is_final=final,
        )
        for number, part in enumerate(slices(chunk) if chunk else (b"",)):
            self._hear(self._stream.feed(part))
            if number == 0:
                await self.line.send(told)
            await asyncio.sleep(0)
        if final:
            self._finish()

    def _hear(self, pcm: bytes) -> None:
        if not self._recording:
            self.session.listen(LISTENING)
            self._recording = True
        self.session.feed(pcm)

    def _finish(self) -> None:
        if not self._recording:
            return
        self._recording = False
        try:
            self.session.feed(self._stream.pause())
        finally:
            self.session.end_listening()

    async def _say(self, data: Fields) -> None:
        text = data.text("text", limit=TEXT_CHARS)
        language = data.text("language", AUTO, limit=35)
        if not LANGUAGE.fullmatch(language):
            raise Malformed("`language` must be a language such as zh or en, or auto")
        speed = data.object("voice_settings").number("speed", 1.0) if "voice_settings" in data else 1.0
        self.session.update(pace=speed)
        turn_id = self.session.say(text, language=None if language == AUTO else language)
        self._speeches[turn_id] = Speech(answers=False)
        await self.line.send(_both("tts_queued", self._id, text=text, language=language))

    async def _control(self, command: str) -> None:
        match command:
            case "ping":
                await self.line.send(_both("pong", self._id))
            case "stats":
                await self.line.send(_both("stats_response", self._id, stats=stats_of(self.hub, self.session)))
            case "reset":
                self.session.interrupt("reset")
                if self._recording:
                    self.session.listen(LISTENING)  # afresh: what was being said is forgotten
                    self._recording = False
                self._stream = Stream(RECORDED)
                await self.line.send(_both("reset_complete", self._id, message="Audio and replies were dropped"))

    # ------------------------------------------------------------ what the client is told

    def frames(self, output: Output) -> Iterable[Frame]:
        """Return what one output is on this wire."""
        speech = self._speeches.of(output)
        match output:
            case PartialTranscript(text=text):
                yield self._transcription(text, None, None, final=False)
            case TranscriptReady(text=text, confidence=confidence, language=language):
                yield self._transcription(text, confidence, language, final=True)
            case PhraseReady(phrase=phrase, text=text):
                speech.phrases[phrase] = text
            case ReplyReady(text=text) if speech.answers:
                yield _both("response", self._id, text=text)
            case TurnFailed(message=message):
                yield _error(message, self._id)
        for piece in speech.pieces.take(output):
            yield self._audio(speech, piece)

    def _transcription(self, text: str, confidence: float | None, language: str | None, *, final: bool) -> Message:
        language = language or self._language
        return _inside("transcription", self._id, text=text, confidence=confidence, is_final=final, language=language)

    def _audio(self, speech: Speech, piece: Piece) -> Message:
        speech.sent += 1
        return _inside(
            "audio_response",
            self._id,
            audio_data=whole_wav(piece.audio).hex(),
            format="wav",
            text=speech.phrases.get(piece.phrase, ""),
            chunk_index=speech.sent - 1,
            is_final=piece.last,
        )
