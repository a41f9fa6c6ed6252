"""How every view looks and what it is like to use: on a phone and a desktop, light and dark.

With MYNAH_PICTURES=docs/images/web in the environment the pictures of docs/web.md are taken on the way.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from counterparts.accessibility import serious
from mynah.testing import FakeSpeaker, ScriptedSpeechToText, run_hub, scripted
from mynah_web.files import FOLDER

pytestmark = pytest.mark.asyncio(loop_scope="session")
VIEWS = ("talk", "interpret", "speakers", "watch")
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
LOOK = (Path(__file__).parent / "looks.js").read_text("utf-8")
CONTROLS = (Path(__file__).parent / "controls.js").read_text("utf-8")
MOTION = """() => [document, ...[...document.querySelectorAll("*")].map(({ shadowRoot }) => shadowRoot).filter(Boolean)]
  .flatMap((root) => [...root.querySelectorAll("*")])
  .filter((each) => (({ animationName, transitionProperty, transitionDuration }) => animationName !== "none"
    || (transitionProperty !== "none" && transitionDuration !== "0s"))(getComputedStyle(each)))
  .map(({ localName, className }) => `${localName} ${className}`)"""
"""What would move although the person wants no motion."""
FIRST_LOAD = 150_000
MOST_HEIGHT = 1_100
PICTURES = os.environ.get("MYNAH_PICTURES")
# Pictures have the engines that come with Mynah; a scripted ear is there sooner.
EARS = [] if PICTURES else [scripted("stt", ScriptedSpeechToText())]
INSTALLED = ["http", "web", "websocket", "zoo_guide", "phrasebook", "facts", "espeak", "vad", "automation"]
INSTALLED += ["pocketsphinx"] if PICTURES else []
CONFIG = {
    "persona": "zoo_guide",
    "engines": {
        "llm": [{"engine": "facts"}],
        "tts": [{"engine": "espeak"}],
        "vad": [{"engine": "vad"}],
        "translator": [{"engine": "phrasebook"}],
    },
    "speakers": {
        "lion_house": {"name": "Lion house", "area": "savanna", "context": {"exhibit": "lion"}},
        "giraffe_deck": {"name": "Giraffe deck", "area": "savanna"},
        "ticket_office": {"name": "Ticket office", "area": "entrance"},
    },
    "groups": {"outside": ["savanna"]},
    "automations": [
        {
            "id": "feeding",
            "alias": "Feeding time",
            "triggers": [{"trigger": "time", "at": "14:30:00"}],
            "actions": [{"action": "announce", "data": {"where": "savanna", "text": "The lions are fed now."}}],
        }
    ],
}


async def look_at_talk(page):
    await page.fill("mynah-voice-chat .question", "What do red pandas eat?")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waterfall")


async def look_at_interpret(page):
    await page.fill(".interpret .question", "Good morning. Where does it hurt? Thank you.")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waterfall")


async def look_at_speakers(page):
    await page.wait_for_selector(".speaker[data-id=lion_house]")


async def look_at_watch(page):
    await page.wait_for_selector(".events li[data-type]")


LOOKS = {"talk": look_at_talk, "interpret": look_at_interpret, "speakers": look_at_speakers, "watch": look_at_watch}
"""What is done in each view, so that there is something to be seen."""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def zoo(tmp_path_factory):
    """Give the address of a hub that has something to show in every view."""
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("zoo")
        hub = await stack.enter_async_context(run_hub(folder, specs=EARS, config=CONFIG, installed=INSTALLED))
        await hub.warm(60)
        url = hub.addresses["http"]
        for speaker in ("lion_house", "ticket_office"):
            device = await stack.enter_async_context(FakeSpeaker(url, speaker=speaker))
            for question in ("What do lions eat?", "How long do lions sleep?", "Where do giraffes live?"):
                await device.ask_text(question)
        yield url


@pytest.fixture
def look(zoo, pages):
    """Open a view with something to be seen in it: `async with look("talk", viewport=…) as page`."""

    @asynccontextmanager
    async def open_view(view, **options):
        async with pages(f"{zoo}/#/{view}", **options) as page:
            await page.wait_for_selector(f"main[data-view={view}] h1")
            await LOOKS[view](page)
            yield page

    return open_view


@pytest.mark.parametrize("view", VIEWS)
async def test_view_looks_well_and_is_accessible(look, view):
    async with look(view, reduced_motion="reduce") as page:
        assert await page.evaluate(MOTION) == []
        for size, viewport in SIZES.items():
            await page.set_viewport_size(viewport)
            for theme in ("light", "dark"):
                await page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
                assert await page.evaluate(LOOK) == [], (size, theme)
                assert await serious(page) == [], (size, theme)
                if PICTURES:
                    await take_picture(page, Path(PICTURES) / f"{view}-{size}-{theme}.png")
        await reach_every_control(page)


@pytest.mark.long
@pytest.mark.parametrize("language", ["es", "de", "zh"])
@pytest.mark.parametrize("view", VIEWS)
async def test_view_looks_well_in_every_language(look, view, language):
    for size in SIZES.values():
        async with look(view, viewport=size, locale=language, reduced_motion="reduce") as page:
            assert await page.evaluate(LOOK) == []


async def take_picture(page, file):
    """Take a picture of the page's upper part once nothing is under way."""
    await page.wait_for_function("() => !document.querySelector('.sounds, [aria-busy=true]')")
    await page.evaluate("() => document.activeElement.blur()")
    width, height = await page.evaluate("() => [innerWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, MOST_HEIGHT)}
    await page.screenshot(path=file, full_page=True, clip=clip, animations="disabled")
    assert file.stat().st_size < 150_000


async def test_look_finds_what_is_wrong(look):
    async with look("talk", viewport=SIZES["phone"]) as page:
        await page.evaluate("() => { document.querySelector('.choice').style.marginBottom = '-2rem'; }")
        assert any("overlap" in trouble for trouble in await page.evaluate(LOOK))
        await page.evaluate("() => { document.querySelector('h1').style.width = '500px'; }")
        assert any("wide" in trouble for trouble in await page.evaluate(LOOK))


async def test_first_load_is_light(zoo, pages):
    """All that the browser fetches until one can talk, uncompressed, in the language that takes most."""
    sizes, loads = {}, []

    async def weigh(answer):
        sizes[answer.url.removeprefix(zoo)] = len(await answer.body())

    async with pages("about:blank", locale="en-GB") as page:
        page.on("response", lambda answer: loads.append(asyncio.ensure_future(weigh(answer))))
        await page.goto(zoo)
        await page.wait_for_selector("mynah-voice-chat .talk")
        await page.wait_for_load_state("networkidle")
        await asyncio.gather(*loads)
        assert {"/", "/web/element/mynah-voice-chat.js", "/web/texts/en.json"} < set(sizes)
        assert [name for name in sizes if "/views/" in name] == ["/web/views/talk.js"]
        sizes["/web/texts/en.json"] = max(file.stat().st_size for file in (FOLDER / "texts").iterdir())
        assert sum(sizes.values()) <= FIRST_LOAD, sizes


async def reach_every_control(page):
    """Assert that the keyboard reaches every control of a page, and that the focus is seen."""
    if await page.locator("main .stop").count():  # which is there as long as something sounds
        await page.locator("main .question").press("Escape")
        await page.wait_for_selector("main .stop:disabled")
    await page.evaluate("() => document.activeElement.blur()")
    wanted = await page.evaluate(CONTROLS, "all")
    assert wanted
    reached = set()
    for _ in range(2 * len(wanted) + 5):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(CONTROLS, "focused")
        assert focused["seen"], f"it is not seen that {focused} has the focus"
        reached.add(focused["is"])
        if reached.issuperset(wanted):
            return
    pytest.fail(f"not reached: {set(wanted) - reached}")


async def test_talking_takes_no_mouse(zoo, pages):
    async with pages(f"{zoo}/#/watch") as page:
        await page.wait_for_selector("main[data-view=watch] h1")
        await page.keyboard.press("Tab")
        assert "Skip to the content" in (await page.evaluate(CONTROLS, "focused"))["is"]
        await page.keyboard.press("Tab")  # the page's name
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("mynah-voice-chat .talk")
        for _ in range(20):
            await page.keyboard.press("Tab")
            if "Type a question" in (await page.evaluate(CONTROLS, "focused"))["is"]:
                break
        await page.keyboard.type("What do lions eat?")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".waterfall")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("mynah-voice-chat .stop:disabled")
