from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing

import pytest

from mynah import ComponentSpec, ConfigError, OutletOptions, PersonaSpec, SessionOptions, TurnFinished
from mynah.testing import ScriptedSpeechToText, run_hub, scripted, scripted_engines


async def last_output(hub, text: str = "what do lions eat") -> TurnFinished:
    session = hub.open_session(SessionOptions())
    async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
        session.submit(text)
        async for output in outputs:
            if isinstance(output, TurnFinished):
                return output
    raise AssertionError("the turn did not finish")


async def test_a_hub_on_scripted_engines_answers(tmp_path):
    async with run_hub(tmp_path, specs=scripted_engines()) as hub:
        assert hub.health()["status"] == "healthy"
        finished = await last_output(hub)
    assert finished.reply == "Lions eat meat."


async def test_the_fixture_runs_a_hub_in_a_folder_of_its_own(run_hub, tmp_path):
    async with run_hub(specs=scripted_engines()) as hub:
        assert hub.folder.is_relative_to(tmp_path)
        assert (await last_output(hub)).outcome == "answered"


async def test_engines_are_open_when_the_hub_is_given(tmp_path):
    specs = (*scripted_engines()[1:], scripted("stt", ScriptedSpeechToText(), open_s=0.1))
    async with run_hub(tmp_path, specs=specs) as hub:
        assert {engine["state"] for engine in hub.engines()} == {"ready"}


async def test_an_engine_that_does_not_open_is_reported_and_the_hub_runs(tmp_path):
    specs = (*scripted_engines()[1:], scripted("stt", None, fault="no microphone model"))
    async with run_hub(tmp_path, specs=specs) as hub:
        states = {engine["name"]: (engine["state"], engine["error"]) for engine in hub.engines()}
    assert states["scripted_stt"] == ("failed", "no microphone model")
    assert states["scripted_llm"] == ("ready", "")


async def test_the_configuration_is_what_a_file_would_hold(tmp_path):
    specs = (*scripted_engines(), PersonaSpec(name="owl", title="An owl"))
    config = {"persona": "owl", "speakers": {"barn": {"name": "Barn"}}}
    async with run_hub(tmp_path, specs=specs, config=config) as hub:
        hub.open_session(SessionOptions(speaker="barn"))
        assert [(session["persona"], session["speaker"]) for session in hub.sessions()] == [("owl", "barn")]


async def test_a_mistake_in_the_configuration_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'speakers'"):
        async with run_hub(tmp_path, specs=scripted_engines(), config={"speaker": {}}):
            pass


async def test_components_of_the_test_run_and_are_stopped(tmp_path):
    happened = []

    async def run(hub, config, ready) -> None:
        ready()
        happened.append("started")
        try:
            await asyncio.Event().wait()
        finally:
            happened.append("stopped")

    async with run_hub(tmp_path, specs=(*scripted_engines(), ComponentSpec(name="doorbell", run=run))):
        assert happened == ["started"]
    assert happened == ["started", "stopped"]


async def test_only_the_installed_plugins_that_are_named_take_part(tmp_path):
    async with run_hub(tmp_path, specs=scripted_engines(), installed=["http"]) as hub:
        assert set(hub.health()["components"]) == {"http"}
        assert not hub.addresses["http"].endswith(":0")


async def test_a_plugin_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(LookupError, match="not installed: gramophone"):
        async with run_hub(tmp_path, installed=["gramophone"]):
            pass


def test_the_kit_is_imported_without_pytest_and_without_a_client():
    program = (
        "import sys, mynah.testing; "
        "from mynah.testing import run_in_virtual_time, check_translator; "
        "assert set(mynah.testing.__all__) <= set(dir(mynah.testing)); "
        "print(sorted({'pytest', 'aiohttp'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_kit_can_be_imported():
    import mynah.testing

    assert all(getattr(mynah.testing, name).__name__ == name for name in mynah.testing.__all__)


def test_a_name_that_the_kit_does_not_have_is_an_attribute_error():
    import mynah.testing

    with pytest.raises(AttributeError, match="no attribute 'run_hubs'"):
        _ = mynah.testing.run_hubs
