"""What a fake speaker has received, with the times at which it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mynah.audio import AudioFormat, converter, wav_header
from mynah.errors import AudioError

ENDS: Final = ("turn_finished", "turn_failed", "turn_dropped", "interrupted")
"""The messages that end a turn."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message; `at` is when it came, in seconds of `time.monotonic`."""

    name: str
    data: Mapping[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class ReceivedAudio:
    """The audio of one binary frame; `at` is when it came, in seconds of `time.monotonic`."""

    data: bytes
    format: AudioFormat
    turn: str
    phrase: int
    track: int
    stream: int
    at: float


@dataclass(slots=True)
class ReceivedTurn:
    """All that came of one turn, in order."""

    id: str
    messages: list[Received] = field(default_factory=list)
    audio: list[ReceivedAudio] = field(default_factory=list)

    def all(self, name: str) -> list[Received]:
        """Return the messages of one type."""
        return [message for message in self.messages if message.name == name]

    def last(self, name: str) -> Mapping[str, Any]:
        """Return the last message of one type, or an empty mapping."""
        found = self.all(name)
        return found[-1].data if found else {}

    @property
    def over(self) -> bool:
        """Whether the turn has ended, one way or another."""
        return any(message.name in ENDS for message in self.messages)

    @property
    def transcript(self) -> str:
        """What the hub understood."""
        return str(self.last("transcript").get("text", ""))

    @property
    def reply(self) -> str:
        """The reply, as far as it is known."""
        told = self.last("turn_finished").get("reply")
        return str(told) if told is not None else "".join(str(m.data["text"]) for m in self.all("token"))

    @property
    def phrases(self) -> list[str]:
        """The texts of the phrases of track 0."""
        return [str(m.data["text"]) for m in self.all("phrase") if not m.data.get("track")]

    @property
    def outcome(self) -> str:
        """How the turn ended for the person; empty while it has not."""
        return str(self.last("turn_finished").get("outcome", ""))

    @property
    def timeline(self) -> Mapping[str, float]:
        """The turn's marks in milliseconds; empty until it is finished."""
        marks: Mapping[str, float] = self.last("turn_finished").get("timeline", {})
        return marks

    @property
    def first_audio_at(self) -> float | None:
        """When the first audio came, in seconds of `time.monotonic`."""
        return self.audio[0].at if self.audio else None

    def audio_bytes(self, track: int = 0) -> bytes:
        """Return the audio of a track as it came, phrases joined."""
        return b"".join(piece.data for piece in self.audio if piece.track == track)

    def wav(self, track: int = 0) -> bytes:
        """Return the audio of a track as a WAV file, decoded where it came compressed.

        Raises `AudioError` where there is none or it cannot be decoded.
        """
        pieces = [piece for piece in self.audio if piece.track == track]
        if not pieces:
            raise AudioError(f"turn {self.id} brought no audio on track {track}")
        first = pieces[0].format
        target = AudioFormat("pcm_s16le", first.rate, first.channels)
        pcm = b"".join(self._phrase_pcm(pieces, phrase, target) for phrase in dict.fromkeys(p.phrase for p in pieces))
        return wav_header(target, len(pcm)) + pcm

    @staticmethod
    def _phrase_pcm(pieces: list[ReceivedAudio], phrase: int, target: AudioFormat) -> bytes:
        own = [piece for piece in pieces if piece.phrase == phrase]
        decode = converter(own[0].format, target)
        chunks = [chunk for piece in own for chunk in decode.feed(piece.data)] + decode.flush()
        return b"".join(chunk.data for chunk in chunks)


@dataclass(frozen=True, slots=True)
class Stream:
    """What the audio of one stream's number belongs to."""

    turn: str
    phrase: int
    track: int
    format: AudioFormat


@dataclass(slots=True)
class Inbox:
    """Sorts what comes over one or more connections of a session: by message, by turn, by stream of audio."""

    messages: list[Received] = field(default_factory=list)
    turns: dict[str, ReceivedTurn] = field(default_factory=dict)
    streams: dict[int, Stream] = field(default_factory=dict)

    def take_message(self, frame: str, at: float) -> Received:
        """Sort in and return a text frame's message."""
        data = json.loads(frame)
        message = Received(str(data.pop("type")), data, at)
        self.messages.append(message)
        if "turn" in data:
            self.turns.setdefault(data["turn"], ReceivedTurn(data["turn"])).messages.append(message)
        if message.name == "speech_started":
            self.streams[data["stream"]] = Stream(
                data["turn"], data["phrase"], data["track"], AudioFormat(**data["format"])
            )
        return message

    def take_audio(self, frame: bytes, at: float) -> ReceivedAudio:
        """Sort in and return a binary frame's audio."""
        number = frame[0]
        stream = self.streams[number]
        audio = ReceivedAudio(frame[1:], stream.format, stream.turn, stream.phrase, stream.track, number, at)
        self.turns[stream.turn].audio.append(audio)
        return audio
