from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import voluptuous as vol

from mynah import AudioFormat, ConfigError, EngineError, EngineSpec
from mynah.testing import (
    ContractBroken,
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    check_text_to_speech,
    run_in_virtual_time,
    scripted,
)


@pytest.mark.parametrize(
    ("kind", "engine"),
    [
        ("tts", ScriptedTextToSpeech()),
        ("tts", ScriptedTextToSpeech(0.3, 2.0, marks=True)),
        ("tts", ScriptedTextToSpeech(format=AudioFormat("pcm_s16le", 24_000, 2))),
        ("stt", ScriptedSpeechToText(final_s=0.5)),
        ("llm", ScriptedLanguageModel(first_s=0.5, each_s=0.1)),
        ("vad", ScriptedVoiceActivity()),
    ],
)
def test_a_good_engine_passes(check, kind, engine):
    check(kind, engine)


def spec(open_engine, **fields) -> EngineSpec:
    return EngineSpec(name="fake", kind="tts", open=asynccontextmanager(open_engine), **fields)


def refused(engine_spec) -> str:
    with pytest.raises(ContractBroken) as error:
        run_in_virtual_time(check_text_to_speech(engine_spec))
    return str(error.value)


def test_an_engine_that_does_not_open_says_why():
    async def open_engine(config, folder) -> AsyncIterator[ScriptedTextToSpeech]:
        raise EngineError("no such model")
        yield

    assert refused(spec(open_engine)) == "text-to-speech contract: opening: raised EngineError: no such model"


def test_an_engine_must_open_again_after_it_was_closed():
    opened = []

    async def open_engine(config, folder):
        if opened:
            raise EngineError("the device is taken")
        opened.append(True)
        yield ScriptedTextToSpeech()

    assert refused(spec(open_engine)) == (
        "text-to-speech contract: reopen after close: raised EngineError: the device is taken"
    )


def test_an_engine_must_work_after_it_was_opened_again():
    engine = ScriptedTextToSpeech()

    async def open_engine(config, folder):
        try:
            yield engine
        finally:
            engine.fault = "raise"

    assert refused(spec(open_engine)) == (
        "text-to-speech contract: reopen after close: raised EngineError: the script says so"
    )


def test_closing_an_engine_must_not_take_for_ever():
    async def open_engine(config, folder):
        try:
            yield ScriptedTextToSpeech()
        finally:
            await asyncio.sleep(60)

    assert refused(spec(open_engine)) == "text-to-speech contract: closing: was not closed after 5 s"


def test_closing_an_engine_must_end_its_tasks():
    tasks = []

    async def open_engine(config, folder):
        tasks.append(asyncio.create_task(asyncio.sleep(600), name="keep-alive"))
        yield ScriptedTextToSpeech()

    assert refused(spec(open_engine)) == (
        "text-to-speech contract: closing: tasks of the engine run on after it was closed: keep-alive"
    )


def test_an_engine_gets_its_options_with_defaults_and_a_folder():
    given = []

    async def open_engine(config, folder):
        given.append((dict(config), folder.is_dir()))
        yield ScriptedTextToSpeech()

    schema = {vol.Optional("speed", default=2, description="How fast."): int, vol.Optional("name"): str}
    run_in_virtual_time(check_text_to_speech(spec(open_engine, schema=schema), {"name": "Ida"}))
    assert given == [({"speed": 2, "name": "Ida"}, True)] * 2


def test_options_that_the_schema_does_not_know_are_named():
    with pytest.raises(ConfigError, match="unknown key"):
        run_in_virtual_time(check_text_to_speech(scripted("tts", ScriptedTextToSpeech()), {"sped": 2}))


def test_an_engine_of_another_kind_is_refused():
    with pytest.raises(ContractBroken, match="the engine 'scripted_stt' is of kind 'stt', not 'tts'"):
        run_in_virtual_time(check_text_to_speech(scripted("stt", ScriptedSpeechToText())))
