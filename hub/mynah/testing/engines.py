"""Engines with scripted timings and faults, for tests and measurements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy

from mynah.audio import AudioChunk, AudioFormat, converter
from mynah.errors import EngineError, InputError
from mynah.specs import EngineKind, EngineSpec
from mynah.values import (
    Grounding,
    Hints,
    Message,
    OutcomeKind,
    ReplyNote,
    Token,
    Tool,
    ToolCall,
    Transcript,
    Voice,
    WordMark,
)

Fault = Literal["", "raise", "hang", "crash", "drip", "garbage"]
"""What goes wrong: nothing; an `EngineError`; no answer for ever; an exception that no engine should raise; everything
from there on `DRIP_S` late; something that is no answer."""

DRIP_S: Final = 3.0
"""How late each piece of an engine comes that drips: within the usual limit of each, and beyond that of all."""

GARBAGE: Final = b"<html><body>502 Bad Gateway</body></html>"
"""What a voice gives that has gone wrong, as MP3."""


@dataclass(slots=True)
class Calls:
    """How a scripted engine was used: calls begun, ended in any way, and under way at once at most."""

    begun: int = 0
    ended: int = 0
    most: int = 0

    def begin(self) -> None:
        """Count one more."""
        self.begun += 1
        self.most = max(self.most, self.begun - self.ended)

    def end(self) -> None:
        """Count one that is over."""
        self.ended += 1


@dataclass(slots=True)
class ScriptedSpeechToText:
    """Hears `text` whatever was said; words come out one by one, one a chunk of audio, the rest `final_s` after it.

    `turns` are what it hears in its first calls instead: text and language.
    """

    text: str = "what do lions eat"
    final_s: float = 0.0
    language: str | None = None
    understood: bool = True
    fault: Fault = ""
    turns: Sequence[tuple[str, str | None]] = ()
    calls: Calls = field(default_factory=Calls)
    heard: bytearray = field(default_factory=bytearray)
    expected: list[str | None] = field(default_factory=list)

    async def transcribe(
        self, audio: AsyncIterator[bytes], format: AudioFormat, *, language: str | None, hints: Hints
    ) -> AsyncIterator[Transcript]:
        """Yield the script."""
        number = self.calls.begun
        self.calls.begin()
        self.expected.append(language)
        heard = self.heard = bytearray()
        script, told = self.turns[number] if number < len(self.turns) else (self.text, self.language)
        words, said = script.split(), 0
        try:
            async for chunk in audio:
                heard += chunk
                if said < len(words):
                    said += 1
                    yield Transcript(" ".join(words[:said]), language=told)
            await _trouble(self.fault)
            if self.fault == "garbage":
                yield cast(Transcript, GARBAGE)
            await asyncio.sleep(self.final_s)
            text = script if heard else ""
            yield Transcript(text, True, 0.9, told or language, self.understood)
        finally:
            self.calls.end()


@dataclass(slots=True)
class ScriptedLanguageModel:
    """Says `tokens`, the first after `first_s`, each further one `each_s` later; a fault strikes before token `at`.

    `rounds` are what it gives in its first calls instead: words, and calls of tools, which it is `offered`.
    """

    tokens: Sequence[str] = ("Lions", " eat", " meat", ".")
    first_s: float = 0.0
    each_s: float = 0.0
    outcome: OutcomeKind = "answered"
    fault: Fault = ""
    at: int = 0
    rounds: Sequence[Sequence[str | ToolCall]] = ()
    calls: Calls = field(default_factory=Calls)
    asked: list[Sequence[Message]] = field(default_factory=list)
    offered: list[Sequence[Tool]] = field(default_factory=list)

    async def reply(
        self, messages: Sequence[Message], *, grounding: Grounding, tools: Sequence[Tool] = ()
    ) -> AsyncIterator[Token | ToolCall | ReplyNote]:
        """Yield the script."""
        self.calls.begin()
        self.asked.append(messages)
        self.offered.append(tools)
        script = self.rounds[len(self.asked) - 1] if len(self.asked) <= len(self.rounds) else self.tokens
        try:
            yield ReplyNote(self.outcome)
            start = asyncio.get_running_loop().time()
            for number, item in enumerate(script):
                if number == self.at or (self.fault == "drip" and number > self.at):
                    await _trouble(self.fault)
                if number == self.at and self.fault == "garbage":
                    yield cast(Token, GARBAGE)
                due = start + self.first_s + number * self.each_s
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                yield Token(item) if isinstance(item, str) else item
        finally:
            self.calls.end()


@dataclass(slots=True)
class ScriptedTextToSpeech:
    """Makes `ms_per_word` of audio a word, in `pieces`, the first after `first_s`, the last after `total_s`.

    The samples count up, so that a test can tell lost, doubled and misplaced ones. `fail_on` names a word: phrases
    with it meet the fault before piece `at`.
    """

    first_s: float = 0.0
    total_s: float = 0.0
    ms_per_word: float = 100.0
    pieces: int = 4
    format: AudioFormat = field(default_factory=lambda: AudioFormat("pcm_s16le", 16_000, 1))
    marks: bool = False
    fault: Fault = ""
    fail_on: str = ""
    at: int = 0
    calls: Calls = field(default_factory=Calls)
    said: list[tuple[str, str]] = field(default_factory=list)

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield the script."""
        self.calls.begin()
        self.said.append((text, language))
        try:
            loop = asyncio.get_running_loop()
            start = loop.time()
            words = text.split()
            piece_ms = self.ms_per_word * len(words) / self.pieces
            for mark in self._marks(text, words) if self.marks else ():
                yield mark
            for number in range(self.pieces):
                if self.fail_on in text and (number == self.at or (self.fault == "drip" and number > self.at)):
                    await _trouble(self.fault)
                if self.fault == "garbage" and self.fail_on in text:
                    yield AudioChunk(GARBAGE, AudioFormat("mp3", 24_000, 1))
                    continue
                share = number / max(1, self.pieces - 1)
                due = start + self.first_s + (max(self.total_s, self.first_s) - self.first_s) * share
                await asyncio.sleep(max(0.0, due - loop.time()))
                yield self._piece(number, piece_ms)
        finally:
            self.calls.end()

    def _piece(self, number: int, ms: float) -> AudioChunk:
        frames = self.format.pcm_bytes(ms) // self.format.frame_bytes
        data = _counting(number * frames, frames, self.format.channels)
        return AudioChunk(data, self.format, self.format.pcm_ms(len(data)))

    def _marks(self, text: str, words: Sequence[str]) -> list[WordMark]:
        marks, end = [], 0
        for number, word in enumerate(words, 1):
            end = text.index(word, end) + len(word)
            marks.append(WordMark(end, number * self.ms_per_word))
        return marks


@lru_cache(maxsize=64)
def _counting(first: int, frames: int, channels: int) -> bytes:
    """Return samples that count up; made once, so that what is measured is not the script."""
    return (numpy.arange(first, first + frames) % 32_768).astype("<i2").repeat(channels).tobytes()


async def as_mp3(outputs: AsyncIterator[AudioChunk | WordMark]) -> AsyncIterator[list[AudioChunk]]:
    """Yield, for each piece of a scripted voice's samples, what it is as real MP3; the last has the end with it."""
    convert = converter(AudioFormat("pcm_s16le", 16_000, 1), AudioFormat("mp3", 16_000, 1))
    before: list[AudioChunk] | None = None
    async with aclosing(cast(AsyncGenerator[Any, None], outputs)) as items:
        async for item in items:
            if before is not None:
                yield before
            before = convert.feed(item.data)
    yield [*(before or ()), *convert.flush()]


@dataclass(slots=True)
class ScriptedTranslator:
    """Puts a text in capitals, after the target's language, unless `phrases` has a translation of it.

    It comes word by word, the first after `first_s`, each further one `each_s` later. `refuse_on` is a word: texts with
    it are not for this engine. Texts with `fail_on` meet the fault before word `at`.
    """

    phrases: Mapping[str, str] = field(default_factory=dict)
    first_s: float = 0.0
    each_s: float = 0.0
    refuse_on: str | None = None
    fault: Fault = ""
    fail_on: str = ""
    at: int = 0
    calls: Calls = field(default_factory=Calls)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def pieces(self, text: str, target: str) -> list[str]:
        """Return the translation, one word a piece: "es" and the text in capitals where the target is Spanish."""
        whole = self.phrases.get(text, f"{target} {text.upper()}")
        words = whole.split(" ")
        return [word if number == 0 else f" {word}" for number, word in enumerate(words)]

    async def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the script."""
        self.calls.begin()
        self.asked.append((text, source, target))
        try:
            if not text.strip():
                return
            if self.refuse_on is not None and self.refuse_on in text:
                raise InputError(f"has no words for {text!r}")
            start = asyncio.get_running_loop().time()
            for number, piece in enumerate(self.pieces(text, target)):
                if self.fail_on in text and (number == self.at or (self.fault == "drip" and number > self.at)):
                    await _trouble(self.fault)
                if self.fault == "garbage" and self.fail_on in text:
                    yield cast(str, GARBAGE)
                due = start + self.first_s + number * self.each_s
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                yield piece
        finally:
            self.calls.end()


class ScriptedDetector:
    """Takes every frame that is not silent for speech."""

    frame_bytes = 640

    def feed(self, frame: bytes) -> float:
        """Return 1 for anything but zeros."""
        return 1.0 if any(frame) else 0.0

    def reset(self) -> None:
        """Do nothing: there is no state."""


class ScriptedVoiceActivity:
    """Makes scripted detectors."""

    def detector(self) -> ScriptedDetector:
        """Return a detector."""
        return ScriptedDetector()


def scripted(
    kind: EngineKind, engine: Any, *, name: str = "", open_s: float = 0.0, fault: str = "", cached: bool = False
) -> EngineSpec:
    """Return a spec that gives `engine`, after `open_s`; with `fault`, opening it fails with that message.

    Nothing that it says is kept unless it is `cached`, so that every call can be counted.
    """

    @asynccontextmanager
    async def open_engine(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
        await asyncio.sleep(open_s)
        if fault:
            raise EngineError(fault)
        yield engine

    return EngineSpec(name=name or f"scripted_{kind}", kind=kind, open=open_engine, embedded=True, cached=cached)


async def _trouble(fault: Fault) -> None:
    if fault == "raise":
        raise EngineError("the script says so")
    if fault == "crash":
        raise RuntimeError("the script says so")
    if fault == "hang":
        await asyncio.get_running_loop().create_future()
    if fault == "drip":
        await asyncio.sleep(DRIP_S)
