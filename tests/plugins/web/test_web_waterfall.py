"""The waterfall of a turn: its figures are those of `turn_finished`."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from mynah.testing import run_hub, scripted_engines

pytestmark = pytest.mark.asyncio(loop_scope="session")
DRAW = """async (finished) => {
  const { waterfall } = await import("/web/parts/waterfall.js");
  const { load } = await import("/web/parts/i18n.js");
  document.getElementById("view").replaceChildren(waterfall(finished, await load("en")));
}"""
SPOKEN = {
    "turn": "t1",
    "timeline": {
        "opened": -1200.0,
        "speech_end": 0.0,
        "transcript": 240.0,
        "first_token": 246.0,
        "first_phrase": 250.0,
        "first_audio": 260.0,
        "last_audio": 400.0,
        "finished": 401.0,
    },
    "engine_ms": {"stt": 236.0, "llm": 5.5, "tts": 8.0},
    "own_ms": 10.5,
    "engines": {"stt": "ear", "llm": "facts", "tts": "voice"},
    "troubles": {"tts": ["edge_tts: <img src=x onerror=alert(1)>"]},
    "kept": ["tts"],
}
WRITTEN = {
    "timeline": {"opened": 0.0, "speech_end": 0.0, "first_token": 20.0, "first_phrase": 22.0, "first_audio": 40.0},
    "engine_ms": {"translate": 18.0, "tts": 17.0},
    "engines": {"translate": "phrasebook", "tts": "voice"},
}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def canvas(tmp_path_factory, browsers):
    """Give a page of a hub's to draw on."""
    folder, plugins = tmp_path_factory.mktemp("canvas"), ("http", "web", "websocket")
    async with run_hub(folder, specs=scripted_engines(), config={"persona": "sparrow"}, installed=plugins) as hub:
        context = await (await browsers()).new_context(locale="en-GB")
        page = await context.new_page()
        await page.goto(f"{hub.addresses['http']}/#/interpret")
        await page.wait_for_selector("main[data-view=interpret] h1")
        yield page
        await context.close()


@pytest.fixture
def drawing(canvas):
    """Draw a turn on the page: `async with drawing(finished, width=…) as page`."""

    @asynccontextmanager
    async def draw(finished, width=1280):
        await canvas.set_viewport_size({"width": width, "height": 740})
        await canvas.evaluate(DRAW, finished)
        yield canvas

    return draw


async def steps(page):
    return await page.eval_on_selector_all(
        ".step", "all => all.map(({dataset}) => [dataset.step, Number(dataset.begin), Number(dataset.end)])"
    )


async def test_steps_are_between_the_turns_marks(drawing):
    async with drawing(SPOKEN) as page:
        assert await steps(page) == [
            ["transcript", 0, 240],
            ["first_token", 240, 246],
            ["first_phrase", 246, 250],
            ["first_audio", 250, 260],
            ["rest", 260, 400],
        ]
        svg = page.locator(".waterfall svg")
        track = await svg.locator(".track").first.bounding_box()
        bar = await svg.locator(".bar").first.bounding_box()
        assert bar["width"] / track["width"] == pytest.approx(240 / 400, abs=0.01)


async def test_what_was_asked_in_writing_was_not_heard(drawing):
    async with drawing(WRITTEN) as page:
        assert await steps(page) == [["first_translated", 0, 20], ["first_phrase", 20, 22], ["first_audio", 22, 40]]


async def test_a_turn_without_sound_says_so(drawing):
    async with drawing({"timeline": {"opened": 0, "speech_end": 0}, "engines": {}, "engine_ms": {}}) as page:
        assert await page.inner_text(".waterfall") == "Without sound"


async def test_screen_readers_are_told_the_figures(drawing):
    async with drawing(SPOKEN) as page:
        image = page.get_by_role("img", name="Milliseconds since the end of the question")
        described = await image.evaluate("e => document.getElementById(e.getAttribute('aria-describedby')).textContent")
        assert "First phrase: 250 ms" in described


async def test_closed_it_says_when_the_first_sound_came(drawing):
    async with drawing(SPOKEN) as page:
        assert await page.inner_text(".waterfall summary") == "First sound after 260 ms, 11 ms of it the hub's own"
        await page.click(".waterfall summary")
        assert not await page.locator(".waterfall svg").is_visible()


async def test_says_where_the_audio_came_from(drawing):
    async with drawing(SPOKEN) as page:
        assert await page.inner_text("[data-stage=llm]") == "facts\n5.5 ms"
        told = await page.inner_text("[data-stage=tts]")
        assert told.startswith("voice\n8 ms\nkept from before (cache)")
        assert "not by edge_tts: <img src=x onerror=alert(1)>" in told


async def test_is_read_on_a_phone(drawing):
    async with drawing(SPOKEN, width=360) as page:
        wide = await page.evaluate("() => document.documentElement.scrollWidth")
        assert wide == 360
        sizes = await page.eval_on_selector_all(
            ".waterfall text", "all => all.map((e) => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 12
