"""A: zoo speakers, ESP32 devices that record a visitor and play the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from mynah import (
    LISTENING,
    AudioFormat,
    Hub,
    Interrupted,
    OutletOptions,
    Output,
    PhraseFailed,
    SessionOptions,
    SpeechChunk,
    SpeechEnded,
    SpeechStarted,
    StageStarted,
    TranscriptReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah_dialects.config import PERSONAS, ZOO_SPEAKER
from mynah_dialects.dialect import ByTurn, Dialect, Frame, Line, Message, converse
from mynah_dialects.frames import TEXT_CHARS, Fields, Malformed
from mynah_dialects.gate import admit, persona_of
from mynah_dialects.recording import Mixture, samples
from mynah_dialects.sound import MP3

FRAME_BYTES: Final = 8 * 1024
CONTEXT_S: Final = 120.0
"""How long what a camera sees is what questions are about."""

RECORDED: Final = samples(44_100, 1, 16)
"""What a microphone sends until its settings say otherwise."""

OUTLETS: Final[Mapping[str, OutletOptions]] = {
    "mp3": OutletOptions(formats=MP3),
    "wav": OutletOptions(formats=(AudioFormat("wav", 16_000, 1),)),
}
STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "transcribing": ("stt_processing", "Listening to what was said"),
    "thinking": ("openai_processing", "Thinking about the answer"),
}


async def serve(hub: Hub, request: web.Request) -> web.StreamResponse:
    """Hold a conversation with a zoo speaker."""
    section = admit(hub, ZOO_SPEAKER, request)
    client_id = request.match_info.get("client_id") or request.query.get("client_id", "")
    line = Line(request, _error)
    await line.open()
    return await converse(line, ZooSpeaker(hub, line, section, client_id[:256] or "speaker"))


@dataclass(slots=True)
class Reply:
    """How far the reply of a turn has come: the phrase that is being sent, or was last."""

    phrase: int = 0


class ZooSpeaker(Dialect):
    """One zoo speaker. It stands before an exhibit, which is the context of what it is asked."""

    def __init__(self, hub: Hub, line: Line, section: Mapping[str, Any], client_id: str) -> None:
        self._mode = section["modes"].get(client_id, section["mode"])
        super().__init__(hub, line, section, OUTLETS[self._mode])
        self._client_id = client_id
        self._settings = RECORDED
        self._recording: Mixture | None = None
        self._replies = ByTurn(Reply)
        self._exhibit = ""
        self._forgetting: asyncio.TimerHandle | None = None

    def options(self) -> SessionOptions:
        """Take the persona, language and exhibit of the configured speaker of that name, where there is one."""
        known = next((s for s in self.hub.speakers() if s["id"] == self._client_id and s["configured"]), None)
        persona = persona_of(self.hub, self.section, PERSONAS[ZOO_SPEAKER])
        if known is not None and self.section["persona"] is None:
            persona = known["persona"] or persona
        speaker = None if known is None else self._client_id
        return SessionOptions(persona=persona, speaker=speaker, policy="interrupt", origin=ZOO_SPEAKER)

    def began(self) -> None:
        """Note before which exhibit it stands."""
        self._recording = None
        self._replies = ByTurn(Reply)
        self._exhibit = self.session.context.get(self._context_key, "")

    def end(self) -> None:
        """Forget what the camera saw, too."""
        if self._forgetting is not None:
            self._forgetting.cancel()
        super().end()

    @property
    def _context_key(self) -> str:
        name = next((s.get("persona") for s in self.hub.sessions() if s.get("id") == self.session.id), None)
        return next((spec.context_key for spec in self.hub.personas() if spec.name == name), "exhibit")

    def complaint(self, reason: str, about: Mapping[str, Any]) -> Message:
        """Return this dialect's error."""
        return _error(reason)

    # ------------------------------------------------------------ what the speaker says

    async def take(self, message: dict[str, Any]) -> None:
        """Do what the speaker asks for."""
        fields = Fields(message)
        match message.get("type"):
            case "register":
                await self.line.send(
                    {"type": "register_ack", "message": "Speaker registered", "client_id": self._client_id}
                )
            case "settings":
                self._settings = samples(
                    fields.whole("sample_rate", 44_100), fields.whole("channels", 1), fields.whole("bits", 16)
                )
                await self.line.send({"type": "settings_ack", "message": "Audio settings taken"})
            case "audio_chunk":
                await self._record(fields)
            case "audio_complete":
                self._complete()
            case "text_query":
                self.session.submit(fields.text("text", limit=TEXT_CHARS))
                await self.line.send({"type": "text_processing", "message": "Looking at the question"})
            case "context":
                self._see(fields.text("animal", blank=True))
            case other:
                known = "register, settings, audio_chunk, audio_complete, text_query, context"
                raise Malformed(f"unknown `type` {other!r:.60}; known are {known}")

    async def _record(self, fields: Fields) -> None:
        chunk = fields.base64("audio")
        kind = self._settings
        if "sample_rate" in fields or "channels" in fields:
            kind = samples(fields.whole("sample_rate", kind.rate), fields.whole("channels", kind.channels), kind.bits)
        first = self._recording is None
        recording = self._recording or Mixture()
        for pcm in recording.feed(chunk, kind):
            if self._recording is None:
                self.session.listen(LISTENING)
                self._recording = recording
            self.session.feed(pcm)
            if first:
                first = False
                await self.line.send({"type": "audio_receiving", "message": "Receiving audio"})
            await asyncio.sleep(0)

    def _complete(self) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            self.session.listen(LISTENING)  # nothing was recorded: that is silence, and is told as such
        else:
            self.session.feed(recording.flush())
        self.session.end_listening()

    def _see(self, animal: str) -> None:
        """Let questions be about what the camera sees, for two minutes."""
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None
        self.session.update(context={self._context_key: animal.strip() or self._exhibit})
        if animal.strip():
            self._forgetting = asyncio.get_running_loop().call_later(CONTEXT_S, self._look_away)

    def _look_away(self) -> None:
        self._forgetting = None
        if not self.session.closed:
            self.session.update(context={self._context_key: self._exhibit})

    # ------------------------------------------------------------ what the speaker is told

    def frames(self, output: Output) -> Iterable[Frame]:
        """Return what one output is on this wire."""
        reply = self._replies.of(output)
        match output:
            case StageStarted(stage=stage) if stage in STAGES:
                kind, text = STAGES[stage]
                yield {"type": kind, "message": text}
            case TranscriptReady():
                yield self._heard(output)
            case SpeechStarted(phrase=phrase):
                reply.phrase = phrase
                yield {
                    "type": "audio_start",
                    "format": self._mode,
                    "total_bytes": None,
                    "phrase": phrase,
                    "total_phrases": None,
                }
            case SpeechChunk(audio=audio):
                yield from (audio.data[start : start + FRAME_BYTES] for start in range(0, len(audio.data), FRAME_BYTES))
            case SpeechEnded(phrase=phrase):
                yield {"type": "audio_complete", "phrase": phrase}
            case PhraseFailed(phrase=phrase, message=message):
                reply.phrase = phrase
                yield {"type": "tts_error", "message": message, "phrase": phrase}
            case Interrupted() | TurnFinished() | TurnFailed() | TurnDropped():
                yield from _ended(output, reply)

    def _heard(self, transcript: TranscriptReady) -> Message:
        result: dict[str, Any] = {"type": "stt_result", "text": transcript.text, "client_id": self._client_id}
        if transcript.outcome == "no_speech":
            result["error"] = "No speech detected"
        return result


def _ended(output: Output, reply: Reply) -> Iterator[Message]:
    match output:
        case Interrupted():
            yield {"type": "audio_interrupted", "phrase": reply.phrase}
        case TurnFinished(reply=text):
            yield {"type": "response_complete", "phrases": reply.phrase, "text": text}
        case TurnFailed(message=message):
            yield _error(message)
            yield {"type": "response_complete", "phrases": reply.phrase, "text": ""}
        case TurnDropped():
            yield {"type": "response_complete", "phrases": 0, "text": ""}


def _error(reason: str) -> Message:
    return {"type": "error", "message": reason}
