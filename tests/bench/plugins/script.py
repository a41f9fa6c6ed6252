"""Engines that take the time they are told to: what a hub adds to them is its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mynah import EngineSpec, PersonaSpec
from mynah.hookspecs import hookimpl
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech

TIMES = {"first_s": float, "each_s": float, "total_s": float, "final_s": float, "tokens": [str], "ms_per_word": float}
MAKERS = {"stt": ScriptedSpeechToText, "llm": ScriptedLanguageModel, "tts": ScriptedTextToSpeech}


def _spec(kind: Any) -> EngineSpec:
    @asynccontextmanager
    async def open_engine(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
        yield MAKERS[kind](**config)

    return EngineSpec(name=f"script_{kind}", kind=kind, open=open_engine, schema=TIMES)


@hookimpl
def mynah_engines() -> list[EngineSpec]:
    return [_spec(kind) for kind in MAKERS]


@hookimpl
def mynah_personas() -> list[PersonaSpec]:
    return [PersonaSpec(name="sparrow", title="A sparrow")]
