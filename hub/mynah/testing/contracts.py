"""What any engine of a kind must do, as checks for a plugin's own tests.

    async def test_my_engine_is_a_good_voice():
        await check_text_to_speech(SPEC, {"model": "tiny"})

Each opens the engine by its spec, tries one behaviour after the other and raises `ContractBroken` at the first that
is wrong. `config` is what YAML would have beside `engine:`; `folder` is where the engine may keep files (None: a
temporary one); each behaviour gets `within_s` seconds.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from mynah.audio import LISTENING
from mynah.specs import EngineSpec
from mynah.testing.contract_detector import DETECTOR_CHECKS
from mynah.testing.contract_outputs import (
    honest_reply,
    honest_speech,
    honest_transcripts,
    honest_translation,
    nothing_heard,
    nothing_translated,
    only,
    sounding,
)
from mynah.testing.contract_run import Contract, ContractBroken
from mynah.testing.contract_streams import OddCall, Streams
from mynah.values import Grounding, Hints, Message, ReplyNote, Token, ToolCall, Voice

__all__ = [
    "ContractBroken",
    "check_language_model",
    "check_speech_to_text",
    "check_text_to_speech",
    "check_translator",
    "check_voice_activity_detector",
]

NOWHERE: Final = "qaa-x-nowhere"
"""A well-formed tag of a language that nobody speaks."""

PIECE: Final = 1280
"""Bytes of 40 ms, as microphones send them."""


async def check_speech_to_text(
    spec: EngineSpec,
    config: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    hints: Hints | None = None,
    language: str = "en",
    utterances: tuple[bytes, bytes] | None = None,
    within_s: float = 30.0,
) -> None:
    """Demand what a recogniser must do. `utterances` are PCM in `LISTENING`; without them sounds like no word serve."""
    first, second = utterances or (_babble(180, 1.2), _babble(310, 0.9))
    expected = hints or Hints()

    def hear(audio: AsyncIterator[bytes], engine: Any, spoken: str | None = language) -> AsyncIterator[Any]:
        heard: AsyncIterator[Any] = engine.transcribe(audio, LISTENING, language=spoken, hints=expected)
        return heard

    streams = Streams(
        ordinary=(lambda e: hear(_pieces(first), e), lambda e: hear(_pieces(second), e)),
        verdict=honest_transcripts,
        digest=lambda outputs: outputs[-1].text,
        endless=lambda e: hear(_pieces(first, endless=True), e),
        odd=(
            OddCall("empty audio", lambda e: hear(_pieces(b""), e), nothing_heard),
            OddCall("audio in an empty chunk", lambda e: hear(_once(b""), e), nothing_heard),
            OddCall("audio in chunks of an odd length", lambda e: hear(_pieces(first, 334), e), honest_transcripts),
            OddCall("audio in one chunk", lambda e: hear(_once(first), e), honest_transcripts),
            OddCall("language not told", lambda e: hear(_pieces(first), e, None), honest_transcripts),
            OddCall("language unknown", lambda e: hear(_pieces(first), e, NOWHERE), honest_transcripts, may_fail=True),
        ),
        at_once=spec.max_parallel,
    )
    await Contract("stt", "speech-to-text", streams.checks()).hold(spec, config or {}, folder, within_s=within_s)


async def check_text_to_speech(
    spec: EngineSpec,
    config: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    texts: tuple[str, str] = ("The lions are awake today.", "One ticket costs nine."),
    voice: Voice | None = None,
    language: str = "en",
    within_s: float = 30.0,
) -> None:
    """Demand what a voice must do."""
    usual = voice or Voice()

    def say(text: str, engine: Any, with_voice: Voice = usual, spoken: str = language) -> AsyncIterator[Any]:
        said: AsyncIterator[Any] = engine.synthesize(text, voice=with_voice, language=spoken)
        return said

    first, second = texts
    odd_sign = "1 < 2 & <b>three</b> \\ \"four\" …"
    nobody = replace(usual, name="no such voice")
    streams = Streams(
        ordinary=(partial(say, first), partial(say, second)),
        verdict=lambda outputs: honest_speech(outputs, max(texts, key=len)),
        digest=lambda outputs: b"".join(chunk.data for chunk in sounding(outputs)),
        endless=partial(say, " ".join([first] * 20)),
        odd=(
            OddCall("empty text", partial(say, ""), _may_sound),
            OddCall("text of spaces", partial(say, " \n "), _may_sound),
            OddCall("text like markup", partial(say, odd_sign), _may_sound),
            OddCall("language unknown", lambda e: say(first, e, spoken=NOWHERE), _may_sound, may_fail=True),
            OddCall("voice unknown", lambda e: say(first, e, nobody), _may_sound, may_fail=True),
        ),
        at_once=spec.max_parallel,
    )
    checks = [*streams.checks()]
    checks.insert(1, ("format honesty", partial(_honest_format, say, texts)))
    await Contract("tts", "text-to-speech", checks).hold(spec, config or {}, folder, within_s=within_s)
