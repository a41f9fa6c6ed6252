"""A page whose hub is killed, and started again."""

from __future__ import annotations

import asyncio
import os
import signal

import aiohttp
import pytest

from mynah.plugins import load_plugins
from mynah.testing import hub_process

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEEDED = ("http", "web", "websocket")
OTHERS = [plugin.name for plugin in load_plugins().loaded if plugin.name not in NEEDED]
PLUGIN = '''
"""A language model that says what it was asked in this conversation."""
from mynah import PersonaSpec, Token, hookimpl
from mynah.testing import ScriptedSpeechToText, ScriptedTextToSpeech, scripted

class Memory:
    async def reply(self, messages, *, grounding, tools=()):
        yield Token(" ".join(each.content for each in messages if each.role == "user"))

@hookimpl
def mynah_engines():
    engines = {"stt": ScriptedSpeechToText(), "llm": Memory(), "tts": ScriptedTextToSpeech()}
    return [scripted(kind, engine, name=f"my_{kind}") for kind, engine in engines.items()]

@hookimpl
def mynah_personas():
    return [PersonaSpec(name="sparrow", title="A sparrow", tools=())]
'''
STATE = "mynah-voice-chat .state"


@pytest.mark.long
async def test_conversation_goes_on_with_the_next_hub_after_one_was_killed(pages, tmp_path, unused_tcp_port):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "memory.py").write_text(PLUGIN, encoding="utf-8")
    config = {
        "plugins": {"folder": "plugins", "disabled": OTHERS},
        "persona": "sparrow",
        "engines": {kind: [{"engine": f"my_{kind}"}] for kind in ("stt", "llm", "tts")},
    }
    async with pages("about:blank") as page:
        async with hub_process(tmp_path, config, port=unused_tcp_port) as hub:
            await page.goto(hub.url)
            await ask(page, "What do lions eat?")
            await answered(page, "What do lions eat?")
            session = await page.evaluate("document.querySelector('mynah-voice-chat').client.session")
            os.kill(hub.pid, signal.SIGKILL)
            await page.locator(STATE).get_by_text("Connection lost; it comes back by itself").wait_for()
        await ask(page, "And where do they live?")  # is kept until there is a hub to ask
        await asyncio.sleep(5)
        async with hub_process(tmp_path, config, port=unused_tcp_port) as hub:
            await answered(page, "What do lions eat? And where do they live?")
            assert await page.evaluate("document.querySelector('mynah-voice-chat').client.session") == session
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"{hub.url}/api/v1/sessions/{session}/export") as told,
            ):
                asked = [each["user"] for each in (await told.json())["exchanges"]]
            assert asked == ["What do lions eat?", "And where do they live?"]
            assert await page.locator("mynah-voice-chat .mine .text").all_inner_texts() == asked
            await page.evaluate("document.querySelector('mynah-voice-chat').endSession()")
            page.troubles.clear()  # the browser logs each try


async def ask(page, question):
    await page.locator("mynah-voice-chat .question").fill(question)
    await page.keyboard.press("Enter")


async def answered(page, answer):
    await (
        page.locator("mynah-voice-chat .entry[aria-busy=false] .theirs .text")
        .get_by_text(answer, exact=True)
        .wait_for()
    )
