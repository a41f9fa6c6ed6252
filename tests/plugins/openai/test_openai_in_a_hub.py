"""The engines in a hub: who answers when the server does, and when it does not."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing

from counterparts.openai_server import OpenAIServer, Script
from mynah import OutletOptions, SessionOptions, SpeechChunk, TurnFinished
from mynah.testing import ScriptedSpeechToText, ScriptedVoiceActivity, run_hub, scripted

OTHERS = (scripted("stt", ScriptedSpeechToText()), scripted("vad", ScriptedVoiceActivity()))
PLUGINS = ("espeak", "facts", "openai", "zoo_guide")


def config(server: OpenAIServer, **more):
    entry = {"engine": "openai", "base_url": server.base_url, "model": "tiny", **more}
    return {
        "persona": "zoo_guide",
        "engines": {"llm": [entry, "facts"], "tts": [entry, "espeak"]},
    }


async def ask(hub, text):
    """Ask in writing; return the end of the turn and the rates of the audio that was heard."""
    rates = set()
    session = hub.open_session(SessionOptions())
    session.submit(text)
    async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
        async for output in outputs:
            if isinstance(output, SpeechChunk):
                rates.add(output.audio.format.rate)
            if isinstance(output, TurnFinished):
                return output, rates
    raise AssertionError("the session ended before its turn")


async def test_the_model_writes_and_speaks_the_reply(server: OpenAIServer, tmp_path):
    server.chat = Script(tokens=("Lions ", "roar ", "at night."))
    async with run_hub(tmp_path, specs=OTHERS, config=config(server), installed=PLUGINS) as hub:
        finished, rates = await ask(hub, "What do lions do?")
    assert finished.reply == "Lions roar at night."
    assert rates == {24_000}
    assert "Lions are meat eaters" in server.asked("completions")[0].body["messages"][0]["content"]


async def test_without_its_server_the_hub_starts_at_once_says_so_and_answers_all_the_same(server, tmp_path, caplog):
    await server.refuse()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        async with run_hub(tmp_path, specs=OTHERS, config=config(server), installed=PLUGINS) as hub:
            took = time.monotonic() - began
            finished, rates = await ask(hub, "What do lions eat?")
            engines = {(each["kind"], each["name"]): each for each in hub.engines()}
    assert took < 10
    assert "meat" in finished.reply or "eat" in finished.reply
    assert rates == {22_050}
    assert engines["llm", "openai"]["state"] == "failed"
    message = f"{server.base_url}: nothing listens there; is the server running?"
    assert engines["llm", "openai"]["error"] == message
    assert f"llm engine openai cannot be used: {message}" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_server_that_comes_later_is_used_from_then_on(server: OpenAIServer, tmp_path):
    await server.refuse()
    async with run_hub(tmp_path, specs=OTHERS, config=config(server), installed=PLUGINS) as hub:
        await server.listen()
        async with asyncio.timeout(10):
            while any(each["state"] != "ready" for each in hub.engines()):  # noqa: ASYNC110  # nothing tells it
                await asyncio.sleep(0.05)
        finished, rates = await ask(hub, "What do lions eat?")
    assert finished.reply == "Lions eat meat."
    assert rates == {24_000}


async def test_a_server_that_fails_is_stood_in_for_within_the_turn(server: OpenAIServer, tmp_path):
    server.chat = Script(status=500)
    server.speech = Script(fault="hang")
    async with run_hub(tmp_path, specs=OTHERS, config=config(server, first_timeout=0.3), installed=PLUGINS) as hub:
        finished, rates = await ask(hub, "What do lions eat?")
        await server.asked("speech")[0].left(within_s=1)
    assert finished.reply != "Lions eat meat."
    assert rates == {22_050}
