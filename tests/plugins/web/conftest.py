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
    # What costs time and is of no use here: drawing by a GPU that there is not, and a process for a next page.
    "--disable-gpu",
    "--disable-features=SpareRendererForSitePerProcess",
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
            page = noting(await context.new_page())
            await page.goto(url)
            yield page
            assert page.troubles == []
        finally:
            await context.close()

    return open_page


@pytest.fixture
def bare(pages):
    """Open a page of a hub's that holds nothing and is there at once: `async with bare(url, …) as page`."""
    return lambda url, **options: pages(f"{url}/web/icon.svg", bypass_csp=True, **options)


def noting(page):
    """Have a page note its errors, as `troubles`."""
    page.troubles = []

    def said(message):
        # A browser looks for that by itself where a page names no icon.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            page.troubles.append(message.text)

    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", said)
    return page


@pytest.fixture
def elsewhere(house, pages):
    """Open a page of another origin than the hub's: `async with elsewhere(write) as page`.

    `write(hub's address)` returns the texts of its files by path, the page's own being "/". `page.hub` is the hub;
    `config` and engines are for that, `page` is what `pages` takes.
    """

    @asynccontextmanager
    async def open_elsewhere(write, *, page=None, config=None, **engines):
        async with (
            site() as (origin, files),
            house(config=allowing(origin, config), **engines) as hub,
        ):
            files |= write(hub.addresses["http"])
            async with pages(origin, **(page or {})) as opened:
                opened.hub = hub
                yield opened

    return open_elsewhere


@asynccontextmanager
async def site():
    """Serve pages; gives their origin, and the texts of their files by path, to be filled."""
    files = {}

    async def file(request):
        if request.path not in files:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(request.path)[0] or "text/html"
        return web.Response(text=files[request.path], content_type=kind)

    app = web.Application()
    app.router.add_get("/{path:.*}", file)
    async with TestServer(app) as served:
        yield f"http://{served.host}:{served.port}", files


def allowing(origin, config):
    """Return a hub's configuration with an origin that its pages may come from."""
    config = config or {}
    return {**config, "http": {**config.get("http", {}), "allowed_origins": [origin]}}


@pytest.fixture
def chat(elsewhere, house, desk):
    """Open the element in a page: `async with chat('language="en"', **engines) as it`, `body` being more of it.

    Each element is a new one, and so is its hub; the page that they stand in stays, as it takes most of the time. With
    options for a `page`, or with `apart`, it has one of its own.
    """

    @asynccontextmanager
    async def open_chat(attributes="", *, body="", page=None, apart=False, config=None, **engines):
        if page or apart:
            text = f"<mynah-voice-chat {attributes}></mynah-voice-chat>{body}"
            write = lambda hub: {"/": PAGE.format(hub=hub, body=text)}  # noqa: E731  # it is one line
            async with elsewhere(write, page=page, config=config, **engines) as opened, talking(opened) as it:
                yield it
            return
        async with house(config=allowing(desk.origin, config), **engines) as hub, desk.page() as opened:
            opened.hub = hub
            # Of two attributes of a name the first one is taken.
            text = f'<mynah-voice-chat {attributes} hub="{hub.addresses["http"]}"></mynah-voice-chat>{body}'
            async with talking(opened, text) as it:
                yield it

    return open_chat


@asynccontextmanager
async def talking(page, body=None):
    """Give the element that stands in a page, or is put there, as people use it."""
    it = Chat(page)
    if body is not None:
        await page.evaluate("body => { document.body.innerHTML = body; }", body)
    await page.evaluate(NOTE)
    await page.wait_for_selector("mynah-voice-chat .talk")
    yield it
    if body is not None:
        await page.evaluate("document.body.replaceChildren()")
    it.close()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def desk(browsers, tmp_path_factory):
    """Give a `Desk`, whose page has the element's code from a hub of its own."""
    async with AsyncExitStack() as stack:
        origin, files = await stack.enter_async_context(site())
        hub = await stack.enter_async_context(
            run_hub(
                tmp_path_factory.mktemp("desk"),
                specs=scripted_engines(),
                config=allowing(origin, {"persona": "sparrow"}),
                installed=("http", "web", "websocket"),
            )
        )
        files["/"] = PAGE.format(hub=hub.addresses["http"], body="")
        yield Desk(browsers, origin)


class Desk:
    """A page that stays open for one test after the other; it is made anew after one that failed."""

    def __init__(self, browsers, origin):
        self.origin = origin
        self._browsers = browsers
        self._page = None

    @asynccontextmanager
    async def page(self):
        """Give the page; what it logs as an error fails the test."""
        page, self._page = self._page or await self._open(), None
        page.troubles.clear()
        try:
            yield page
            assert page.troubles == []
            self._page = page
        finally:
            if not self._page:
                await page.context.close()

    async def _open(self):
        browser = await self._browsers()
        context = await browser.new_context(locale="en-GB", permissions=["microphone"])
        page = noting(await context.new_page())
        await page.goto(self.origin)
        await page.evaluate("customElements.whenDefined('mynah-voice-chat').then(() => null)")
        return page
