"""Debian's Chromium, and hubs for its pages.

The browser lives as long as the tests do, so everything here runs in one event loop:
`pytestmark = pytest.mark.asyncio(loop_scope="session")` in each file.
"""

from __future__ import annotations

import mimetypes
import shutil
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import async_playwright

from counterparts.chat import NOTE, PAGE, Chat
from mynah.testing import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    run_hub,
    scripted_engines,
)

REPLY = ("Yes. ", "Lions eat meat. ", "They sleep a lot.")
"""A reply of three phrases."""
FLAGS = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browsers():
    """Give Chromium by what its microphone hears, a WAV file that is played once (None: a beep, again and again)."""
    running = {}
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())

        async def browser(microphone=None):
            if microphone not in running:
                heard = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
                running[microphone] = await playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=[*FLAGS, *heard]
                )
                stack.push_async_callback(running[microphone].close)
            return running[microphone]

        yield browser


@pytest.fixture
def house(tmp_path):
    """Run a hub with the web page on scripted engines: stt=, llm=, tts= and so on in place of the usual ones."""

    @asynccontextmanager
    async def run(*, config=None, specs=(), installed=(), **engines):
        engines.setdefault("stt", ScriptedSpeechToText())
        engines.setdefault("llm", ScriptedLanguageModel(REPLY))
        engines.setdefault("tts", ScriptedTextToSpeech())
        async with run_hub(
            tmp_path,
            specs=[*scripted_engines(**engines), *specs],
            config={"persona": "sparrow", **(config or {})},
            installed=("http", "web", "websocket", *installed),
        ) as hub:
            yield hub

    return run


@pytest.fixture
def pages(browsers):
    """Open pages: `async with pages(url, microphone=wav, permissions=("microphone",), locale="en", …) as page`.

    What the page logs as an error, or throws, fails the test; `page.troubles` may be cleared by a test that expects it.
    """

    @asynccontextmanager
    async def open_page(url, *, microphone=None, permissions=("microphone",), locale="en-GB", **options):
        browser = await browsers(microphone)
        context = await browser.new_context(locale=locale, permissions=list(permissions), **options)
        try:
            page = await context.new_page()
            page.troubles = []
            page.on("pageerror", lambda error: page.troubles.append(str(error)))
            page.on("console", lambda said: page.troubles.append(said.text) if said.type == "error" else None)
            await page.goto(url)
            yield page
            assert page.troubles == []
        finally:
            await context.close()

    return open_page


@pytest.fixture
def elsewhere(house, pages):
    """Open a page of another origin than the hub's: `async with elsewhere(write) as page`.

    `write(hub's address)` returns the texts of its files by path, the page's own being "/". `page.hub` is the hub;
    `config` and engines are for that, `page` is what `pages` takes.
    """

    @asynccontextmanager
    async def open_elsewhere(write, *, page=None, config=None, **engines):
        files = {}

        async def file(request):
            if request.path not in files:
                raise web.HTTPNotFound
            kind = mimetypes.guess_type(request.path)[0] or "text/html"
            return web.Response(text=files[request.path], content_type=kind)

        app = web.Application()
        app.router.add_get("/{path:.*}", file)
        async with TestServer(app) as site:
            origin = f"http://{site.host}:{site.port}"
            http = {**(config or {}).get("http", {}), "allowed_origins": [origin]}
            async with house(config={**(config or {}), "http": http}, **engines) as hub:
                files |= write(hub.addresses["http"])
                async with pages(origin, **(page or {})) as opened:
                    opened.hub = hub
                    yield opened

    return open_elsewhere


@pytest.fixture
def chat(elsewhere):
    """Open the element in a page: `async with chat('language="en"', **engines) as it`, `body` being more of it."""

    @asynccontextmanager
    async def open_chat(attributes="", *, body="", **options):
        element = f"<mynah-voice-chat {attributes}></mynah-voice-chat>{body}"
        async with elsewhere(lambda hub: {"/": PAGE.format(hub=hub, body=element)}, **options) as page:
            await page.evaluate(NOTE)
            await page.wait_for_selector("mynah-voice-chat .talk")
            yield Chat(page)

    return open_chat
