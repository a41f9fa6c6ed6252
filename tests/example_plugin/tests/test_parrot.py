"""The plugin's own tests: what is public in Mynah is enough for them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import mynah_parrot
import pytest
from mynah_parrot.command import run
from mynah_parrot.memory import show
from mynah_parrot.words import repeated

from mynah import Happened, Heard, OutletOptions, SessionOptions, SpeechChunk, TurnFinished
from mynah.testing import FakeSpeaker, check_language_model, scripted_engines

(ENGINE,) = mynah_parrot.mynah_engines()
(PERSONA,) = mynah_parrot.mynah_personas()
(COMPONENT,) = mynah_parrot.mynah_components()
(COMMAND,) = mynah_parrot.mynah_commands()
# A voice, a recogniser and a detector that cost no time; the language model is ours.
HOUSE = tuple(spec for spec in scripted_engines() if spec.name not in ("scripted_llm", "sparrow"))
SPECS = (ENGINE, PERSONA, COMPONENT, *HOUSE)
CONFIG = {"engines": {"llm": ["parrot"], "stt": ["scripted_stt"], "tts": ["scripted_tts"], "vad": ["scripted_vad"]}}


@pytest.mark.parametrize("config", [{}, {"times": 3}, {"pause_ms": 5}])
async def test_it_is_a_good_language_model(config):
    await check_language_model(ENGINE, config)


@pytest.mark.parametrize(
    ("text", "times", "says"),
    [
        ("hello", 1, "hello."),
        ("  who   goes there? ", 2, "who goes there? who goes there?"),
        ("", 3, ""),
    ],
)
def test_it_repeats_sentences(text, times, says):
    assert "".join(repeated(text, times)) == says


async def test_a_turn_says_what_it_was_told(run_hub):
    async with run_hub(specs=SPECS, config=CONFIG) as hub:
        session = hub.open_session(SessionOptions())
        spoken = 0
        async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
            session.submit("pretty bird")
            async for output in outputs:
                spoken += isinstance(output, SpeechChunk)
                if isinstance(output, TurnFinished):
                    break
    assert output.reply == "pretty bird."
    assert spoken


async def test_it_remembers_the_last_sentences(run_hub):
    async with run_hub(specs=SPECS, config={**CONFIG, "parrot": {"remember": 2}}) as hub:
        for number, text in enumerate(("one", "two", "three")):
            hub.bus.publish(Heard(session_id="s", turn_id=f"t{number}", text=text, language="en"))
        async with asyncio.timeout(10):
            while (await show(hub, None)) != {"said": ["two", "three"]}:  # noqa: ASYNC110  # it waits for a file
                await asyncio.sleep(0.01)


async def test_the_route_is_served_where_the_plugin_is_installed(run_hub):
    import aiohttp

    installed = ["http", "websocket", "parrot"]
    async with run_hub(specs=HOUSE, installed=installed, config=CONFIG) as hub:
        url = hub.addresses["http"]
        async with FakeSpeaker(url, persona="parrot") as speaker:
            turn = await speaker.ask_text("shiver me timbers")
        assert turn.reply == "shiver me timbers."
        async with asyncio.timeout(10), aiohttp.ClientSession() as client:
            said = []
            while not said:
                async with client.get(f"{url}/api/v1/parrot") as answer:
                    said = (await answer.json())["said"]
        assert said == ["shiver me timbers"]


def test_the_command_prints_it(capsys):
    import argparse

    parser = argparse.ArgumentParser()
    COMMAND.arguments(parser)
    assert run(parser.parse_args(["ahoy", "--times", "2"])) == 0
    assert capsys.readouterr().out == "ahoy. ahoy.\n"


async def test_automations_use_its_trigger_its_condition_and_its_action(run_hub):
    crackers = {
        "alias": "Crackers",
        "triggers": [{"trigger": "parrot_heard", "word": "Cracker"}],
        "conditions": [{"condition": "parrot_remembers", "word": "cracker"}],
        "actions": [
            {"parrot_squawk": {"text": "{{ trigger.text }}", "times": "{{ 1 + 1 }}"}, "response_variable": "said"},
            {"event": "squawked", "event_data": {"text": "{{ said.text }}"}},
        ],
    }
    specs = (*SPECS, *mynah_parrot.mynah_triggers(), *mynah_parrot.mynah_conditions(), *mynah_parrot.mynah_actions())
    async with run_hub(specs=specs, config={**CONFIG, "automations": [crackers]}, installed=["automation"]) as hub:
        session = hub.open_session(SessionOptions())
        with hub.bus.subscribe(Happened, name="test") as events:
            async with asyncio.timeout(10):
                for number in range(100):  # what was said is remembered a moment after it was heard
                    session.submit(f"a cracker {number}")
                    await asyncio.sleep(0.05)
                    if any(trace.outcome == "finished" for trace in hub.parts["automation"].find("Crackers").traces):
                        break
                async for event in events:
                    squawked = event
                    break
    assert squawked.name == "squawked"
    assert squawked.data["text"].startswith("a cracker")
    assert squawked.data["text"].count("cracker") == 2
