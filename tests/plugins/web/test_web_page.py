"""The page's frame: its views, languages and themes, and what it may load."""

from __future__ import annotations

import json

import aiohttp
import pytest
from yarl import URL

from mynah_web.files import FOLDER, known

pytestmark = pytest.mark.asyncio(loop_scope="session")
VIEWS = ("talk", "interpret", "speakers", "watch")


async def test_opens_every_view(house, pages):
    async with house() as hub, pages(hub.addresses["http"]) as page:
        for view in VIEWS:
            await page.click(f"nav a[href='#/{view}']")
            await page.wait_for_selector(f"main[data-view={view}] h1")
            assert await page.get_attribute(f"nav a[href='#/{view}']", "aria-current") == "page"


async def test_address_of_no_view_is_that_of_the_first(house, pages):
    async with house() as hub, pages(f"{hub.addresses['http']}/#/constructor") as page:
        await page.wait_for_selector("main[data-view=talk] h1")


async def test_way_to_the_content_stays_in_the_view(house, pages):
    async with house() as hub, pages(f"{hub.addresses['http']}/#/interpret") as page:
        await page.wait_for_selector("main[data-view=interpret] h1")
        await page.focus(".skip")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "view"
        assert page.url.endswith("#/interpret")


async def test_speaks_the_browsers_language(house, pages):
    async with house() as hub, pages(hub.addresses["http"], locale="de-DE") as page:
        await page.wait_for_selector("nav a:has-text('Sprechen')")
        await page.select_option("#tools select >> nth=0", "zh")
        await page.wait_for_selector("nav a:has-text('对话')")
        assert await page.get_attribute("html", "lang") == "zh"


async def test_appearance_is_remembered(house, pages):
    async with house() as hub, pages(hub.addresses["http"]) as page:
        await page.select_option("#tools select >> nth=1", "dark")
        await page.reload()
        await page.wait_for_selector("html[data-theme=dark]")


async def test_browser_that_keeps_nothing_shows_the_page(house, pages):
    async with house() as hub, pages(hub.addresses["http"]) as page:
        await page.add_init_script(
            """for (const name of ["localStorage", "sessionStorage"]) {
              Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
            }"""
        )
        await page.reload()
        await page.select_option("#tools select >> nth=1", "dark")
        await page.wait_for_selector("html[data-theme=dark]")
        await page.wait_for_selector(".choice option[value=sparrow]", state="attached")


async def test_texts_have_the_same_keys_in_every_language():
    texts = {path.stem: json.loads(path.read_text()) for path in (FOLDER / "texts").glob("*.json")}
    assert set(texts) == {"en", "es", "de", "zh"}
    for language, words in texts.items():
        assert list(words) == list(texts["en"]), language
        assert all(words.values()), language


async def test_page_says_what_it_may_load(house):
    async with house() as hub, aiohttp.ClientSession(hub.addresses["http"]) as http, http.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.content_type == "text/html"


async def test_file_that_the_browser_has_is_not_sent_again(house):
    async with house() as hub, aiohttp.ClientSession(hub.addresses["http"]) as http:
        async with http.get("/web/app.js") as answer:
            tag = answer.headers["ETag"]
            assert answer.content_type == "text/javascript"
        async with http.get("/web/app.js", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304


@pytest.mark.parametrize("name", ["../routes.py", "nothing.js", "..%2froutes.py", "texts/../../__init__.py"])
async def test_no_other_file_is_sent(house, name):
    async with (
        house() as hub,
        aiohttp.ClientSession(hub.addresses["http"]) as http,
        http.get(URL(f"{hub.addresses['http']}/web/{name}", encoded=True)) as answer,
    ):
        assert answer.status == 404


async def test_every_file_is_known_by_a_type():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert files == known()
