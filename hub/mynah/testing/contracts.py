"""What any engine of a kind must do, as checks for a plugin's own tests.

    async def test_my_engine_is_a_good_voice():
        await check_text_to_speech(SPEC, {"model": "tiny"})

Each opens the engine by its spec, tries one behaviour after the other and raises `ContractBroken` at the first that
is wrong. `config` is what YAML would have beside `engine:`; `folder` is where the engine may keep files (None: a
temporary one); each behaviour gets `within_s` seconds.
"""

from __future__ import annotations

import asyncio
import math
import sys
from array import array
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from mynah.audio import LISTENING
from mynah.specs import EngineSpec
from mynah.testing.contract_detector import DetectorChecks
from mynah.testing.contract_outputs import (
    honest_audio,
    honest_reply,
    honest_speech,
    honest_transcripts,
    honest_translation,
    nothing_heard,
    nothing_translated,
    reply_items,
    reply_words,
)
from mynah.testing.contract_run import Contract, ContractBroken
from mynah.testing.contract_streams import Call, Streams, Trial
from mynah.values import Grounding, Hints, Message, Voice

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

    def hear(audio: Callable[[], AsyncIterator[bytes]], spoken: str | None = language) -> Call:
        return lambda engine: engine.transcribe(audio(), LISTENING, language=spoken, hints=expected)

    one_final = "one final transcript, the last"
    streams = Streams(
        ordinary=(
            Trial(one_final, hear(lambda: _pieces(first)), honest_transcripts),
            Trial(one_final, hear(lambda: _pieces(second)), honest_transcripts),
        ),
        digest=lambda outputs: outputs[-1].text,
        endless=hear(lambda: _pieces(first, endless=True)),
        odd=(
            Trial("empty audio", hear(lambda: _pieces(b"")), nothing_heard),
            Trial("audio in an empty chunk", hear(lambda: _once(b"")), nothing_heard),
            Trial("audio in chunks of odd lengths", hear(lambda: _pieces(first, 334)), honest_transcripts),
            Trial("audio in one chunk", hear(lambda: _once(first)), honest_transcripts),
            Trial("language not told", hear(lambda: _pieces(first), None), honest_transcripts),
            Trial("language unknown", hear(lambda: _pieces(first), NOWHERE), honest_transcripts, may_fail=True),
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

    def say(text: str, with_voice: Voice = usual, spoken: str = language) -> Call:
        return lambda engine: engine.synthesize(text, voice=with_voice, language=spoken)

    first, second = texts
    streams = Streams(
        ordinary=(
            Trial("format honesty", say(first), partial(honest_speech, text=first)),
            Trial("format honesty", say(second), partial(honest_speech, text=second)),
        ),
        digest=lambda outputs: b"".join(chunk.data for chunk in honest_audio(outputs)),
        endless=say(" ".join([first] * 20)),
        odd=(
            Trial("empty text", say(""), honest_audio),
            Trial("text of spaces", say(" \n "), honest_audio),
            Trial("text like markup", say('1 < 2 & <b>three</b> "four" …'), honest_audio),
            Trial("language unknown", say(first, spoken=NOWHERE), honest_audio, may_fail=True),
            Trial("voice unknown", say(first, replace(usual, name="no such voice")), honest_audio, may_fail=True),
        ),
        at_once=spec.max_parallel,
    )
    await Contract("tts", "text-to-speech", streams.checks()).hold(spec, config or {}, folder, within_s=within_s)


async def check_language_model(
    spec: EngineSpec,
    config: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    questions: tuple[str, str] = ("What do lions eat?", "How old do owls grow?"),
    grounding: Grounding | None = None,
    within_s: float = 30.0,
) -> None:
    """Demand what a language model must do."""
    ground = grounding or Grounding()

    def ask(*messages: Message, standing_on: Grounding = ground) -> Call:
        return lambda engine: engine.reply(messages, grounding=standing_on)

    system = Message("system", "Answer in one short sentence.")
    first, second = (Message("user", question) for question in questions)
    nowhere = replace(ground, language=NOWHERE)
    streams = Streams(
        ordinary=(
            Trial("a reply in words", ask(system, first), honest_reply),
            Trial("a reply in words", ask(system, second), honest_reply),
        ),
        digest=reply_words,
        endless=ask(system, first),
        odd=(
            Trial("a longer conversation", ask(system, first, Message("assistant", "Meat."), second), honest_reply),
            Trial("no system message", ask(first), honest_reply),
            Trial("empty question", ask(system, Message("user", "")), reply_items, may_fail=True),
            Trial("no messages", ask(), reply_items, may_fail=True),
            Trial("language unknown", ask(first, standing_on=nowhere), reply_items, may_fail=True),
        ),
        at_once=spec.max_parallel,
    )
    await Contract("llm", "language model", streams.checks()).hold(spec, config or {}, folder, within_s=within_s)


async def check_translator(
    spec: EngineSpec,
    config: Mapping[str, Any] | None = None,
    *,
    folder: Path | None = None,
    texts: tuple[str, str] = ("The lions are awake.", "One ticket, please."),
    source: str = "en",
    target: str = "de",
    within_s: float = 30.0,
) -> None:
    """Demand what a translator must do."""

    def put(text: str, of: str = source, into: str = target) -> Call:
        return lambda engine: engine.translate(text, source=of, target=into)

    first, second = texts
    streams = Streams(
        ordinary=(
            Trial("a translation in words", put(first), honest_translation),
            Trial("a translation in words", put(second), honest_translation),
        ),
        digest="".join,
        endless=put(" ".join([first] * 20)),
        odd=(
            Trial("empty text", put(""), nothing_translated),
            Trial("text of spaces", put(" \n "), nothing_translated),
            Trial("same language", put(first, into=source), honest_translation, may_fail=True),
            Trial("language unknown", put(first, into=NOWHERE), honest_translation, may_fail=True),
            Trial("language unknown", put(first, of=NOWHERE), honest_translation, may_fail=True),
        ),
        at_once=spec.max_parallel,
    )
    await Contract("translator", "translator", streams.checks()).hold(spec, config or {}, folder, within_s=within_s)


async def check_voice_activity_detector(
    spec: EngineSpec, config: Mapping[str, Any] | None = None, *, folder: Path | None = None, within_s: float = 30.0
) -> None:
    """Demand what a voice activity detector must do; how well it tells speech is not looked at."""
    checks = DetectorChecks(_babble(180, 1.2)).checks()
    await Contract("vad", "voice activity detector", checks).hold(spec, config or {}, folder, within_s=within_s)


def _babble(pitch_hz: float, seconds: float) -> bytes:
    """Return a sound in syllables, of the loudness of speech, that says nothing; PCM in `LISTENING`."""
    samples = array("h")
    for place in range(int(seconds * LISTENING.rate)):
        at = 2 * math.pi * place / LISTENING.rate
        syllable = max(0.0, math.sin(4 * at))
        tone = math.sin(pitch_hz * at) + math.sin(2 * pitch_hz * at) / 2 + math.sin(7 * pitch_hz * at) / 4
        samples.append(int(6000 * syllable * tone))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


async def _pieces(pcm: bytes, size: int = PIECE, *, endless: bool = False) -> AsyncIterator[bytes]:
    """Yield audio as a microphone would, only faster; an endless one then waits for ever."""
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
        await asyncio.sleep(0)
    if endless:
        await asyncio.get_running_loop().create_future()


async def _once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm
