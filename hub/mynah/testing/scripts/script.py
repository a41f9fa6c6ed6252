"""Engines that take the time they are told to, and write down what they really took: the rest is the hub's own.

Each call becomes a line of `calls.jsonl` in the engine's folder: the text it was about, when it began and ended
(seconds of `time.monotonic`), and after how many milliseconds inside the engine each output came.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

from mynah import (
    AudioChunk,
    AudioFormat,
    EngineSpec,
    Grounding,
    Hints,
    Message,
    PersonaSpec,
    Token,
    Tool,
    Voice,
    hookimpl,
)
from mynah.testing.engines import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedTranslator,
    as_mp3,
)

TIMES = {
    "first_s": float,
    "each_s": float,
    "total_s": float,
    "final_s": float,
    "tokens": [str],
    "ms_per_word": float,
    "text": str,
    "pieces": int,
    "codec": str,
    "warm_s": float,
}


class Diary:
    """Writes calls down."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    async def watch(
        self, text: str, call: Callable[[], AsyncIterator[Any]], told: Callable[[Any], Any] = lambda item: item
    ) -> AsyncGenerator[Any, None]:
        """Yield `told(output)` of each output of a call and note what it took; None: there is nothing to tell."""
        began = entered = time.monotonic()
        took_ms: list[float] = []
        spent = 0.0
        try:
            async with aclosing(cast(AsyncGenerator[Any, None], call())) as items:
                async for item in items:
                    if (given := told(item)) is None:
                        continue
                    spent += time.monotonic() - entered
                    took_ms.append(spent * 1000)
                    yield given
                    entered = time.monotonic()
        finally:
            line = {"text": text, "began": began, "ended": time.monotonic(), "took_ms": took_ms}
            self._file.write(json.dumps(line) + "\n")


class Ears:
    """Hears what it is told to."""

    def __init__(self, diary: Diary, **script: Any) -> None:
        self._diary = diary
        self._script = script

    def transcribe(
        self, audio: AsyncIterator[bytes], format: AudioFormat, *, language: str | None, hints: Hints
    ) -> AsyncIterator[Any]:
        """Yield the script."""
        engine = ScriptedSpeechToText(**self._script)
        return self._diary.watch("", lambda: engine.transcribe(audio, format, language=language, hints=hints))


class Mind:
    """Says what it is told to; `{}` in a token is the last word of the question. Its first call takes `warm_s` more."""

    def __init__(self, diary: Diary, *, warm_s: float = 0.0, **script: Any) -> None:
        self._diary = diary
        self._script = script
        self._cold_s = warm_s

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Let the first call take no longer than others."""
        cold_s, self._cold_s = self._cold_s, 0.0
        await asyncio.sleep(cold_s)

    def reply(
        self, messages: Sequence[Message], *, grounding: Grounding, tools: Sequence[Tool] = ()
    ) -> AsyncIterator[Any]:
        """Yield the script."""
        question = str(messages[-1].content)

        def call() -> AsyncIterator[Any]:
            script = {**self._script, "first_s": self._script.get("first_s", 0.0) + self._cold_s}
            self._cold_s = 0.0
            return ScriptedLanguageModel(**script).reply(messages, grounding=grounding, tools=tools)

        return self._diary.watch(question, call, partial(_repeated, question.split()[-1]))


class Mouth:
    """Makes sound; with the `codec` mp3 as MP3, which was encoded before and costs no time when it is due."""

    def __init__(self, diary: Diary, *, codec: str = "pcm_s16le", **script: Any) -> None:
        self._diary = diary
        self._script = script
        self._codec = codec
        self._encoded: dict[int, list[list[AudioChunk]]] = {}

    def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk]:
        """Yield the script."""
        outputs = ScriptedTextToSpeech(**self._script).synthesize(text, voice=voice, language=language)
        return self._diary.watch(text, lambda: self._as_mp3(text, outputs) if self._codec == "mp3" else outputs)

    async def _as_mp3(self, text: str, outputs: AsyncIterator[Any]) -> AsyncGenerator[AudioChunk, None]:
        pieces = await self._made(text)
        async with aclosing(cast(AsyncGenerator[Any, None], outputs)) as items:
            number = 0
            async for _ in items:
                for chunk in pieces[number]:
                    yield chunk
                number += 1

    async def _made(self, text: str) -> list[list[AudioChunk]]:
        """Return the MP3 of each piece; texts of as many words sound the same."""
        words = len(text.split())
        if words not in self._encoded:
            untimed = {key: value for key, value in self._script.items() if key not in ("first_s", "total_s")}
            outputs = ScriptedTextToSpeech(**untimed).synthesize(text, voice=Voice(), language="en")
            self._encoded[words] = [piece async for piece in as_mp3(outputs)]
        return self._encoded[words]


class Tongue:
    """Puts a text into another language."""

    def __init__(self, diary: Diary, **script: Any) -> None:
        self._diary = diary
        self._script = script

    def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the script."""
        engine = ScriptedTranslator(**self._script)
        return self._diary.watch(text, lambda: engine.translate(text, source=source, target=target))


def _repeated(word: str, item: object) -> Token | None:
    """Return a token with that word in it; None for what is none, so that the diary has one entry a token."""
    return Token(item.text.replace("{}", word)) if isinstance(item, Token) else None


MAKERS = {"stt": Ears, "llm": Mind, "tts": Mouth, "translator": Tongue}


def _spec(kind: Any, name: str, *, cached: bool) -> EngineSpec:
    @asynccontextmanager
    async def open_engine(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
        with (folder / "calls.jsonl").open("a", buffering=1, encoding="utf-8") as file:
            yield MAKERS[kind](Diary(file), **config)

    return EngineSpec(
        name=name, kind=kind, open=open_engine, schema=TIMES, cached=cached, description="Keeps to a script"
    )


@hookimpl
def mynah_engines() -> list[EngineSpec]:
    """Declare a scripted engine of each kind, and a voice that is worth caching."""
    plain = [_spec(kind, f"script_{kind}", cached=False) for kind in MAKERS]
    return [*plain, _spec("tts", "script_cached", cached=True)]


@hookimpl
def mynah_personas() -> list[PersonaSpec]:
    """Declare who speaks."""
    return [PersonaSpec(name="sparrow", title="A sparrow", tools=())]
