"""What each kind of engine must do.

An engine is opened by an async context manager (see `mynah.specs.EngineSpec`), serves many sessions at once, gives
what it has the moment it has it, and stops when its generator is closed. Engines use no `yield` inside a timeout or a
TaskGroup (PEP 789). They raise `EngineError` with a message for people.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from mynah.audio.formats import AudioChunk, AudioFormat
from mynah.values import Grounding, Hints, Message, ReplyNote, Token, Tool, ToolCall, Transcript, Voice, WordMark


@runtime_checkable
class SpeechToText(Protocol):
    """Turns speech into text while it is spoken."""

    def transcribe(
        self, audio: AsyncIterator[bytes], format: AudioFormat, *, language: str | None, hints: Hints
    ) -> AsyncIterator[Transcript]:
        """Yield partial transcripts as `audio` arrives and one final one after it ends.

        `audio` is PCM in `format` (the hub gives `LISTENING`), in chunks of any even size.
        """
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """Writes a reply, token by token."""

    def reply(
        self, messages: Sequence[Message], *, grounding: Grounding, tools: Sequence[Tool] = ()
    ) -> AsyncIterator[Token | ToolCall | ReplyNote]:
        """Yield the reply to the last of `messages`. A system message comes first where the persona has a prompt.

        A `ToolCall` names one of `tools`; the hub runs it and calls again with its result as the last message.
        """
        ...


@runtime_checkable
class TextToSpeech(Protocol):
    """Turns a phrase into audio in the engine's own format."""

    def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield the audio of `text` as it is made, and the words' marks where the engine knows them.

        All chunks of one call have one format.
        """
        ...


@runtime_checkable
class KnowsVoices(Protocol):
    """A voice that can tell which names it knows."""

    def knows_voice(self, name: str) -> bool:
        """Return whether `synthesize` takes a voice of that name."""
        ...


@runtime_checkable
class Translator(Protocol):
    """Puts text into another language."""

    def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the translation in pieces that are to be joined as they are."""
        ...


class SpeechDetector(Protocol):
    """The state of one microphone's voice activity detection; made by `VoiceActivityDetector.detector`."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of `LISTENING` PCM that `feed` takes at a time."""
        ...

    def feed(self, frame: bytes) -> float:
        """Return the probability, 0 to 1, that `frame` holds speech."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


@runtime_checkable
class VoiceActivityDetector(Protocol):
    """Tells speech from other sound, frame by frame, locally."""

    def detector(self) -> SpeechDetector:
        """Return a fresh state for one microphone."""
        ...


@runtime_checkable
class Warmable(Protocol):
    """An engine of any kind that can make ready for a persona before its first turn."""

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Build or load what the persona will need; called once for each persona, before it speaks."""
        ...
