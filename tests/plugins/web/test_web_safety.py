"""What comes from outside stays text, tokens stay out of addresses, and the page's policy is never broken."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from mynah import PersonaSpec
from mynah.testing import FakeSpeaker, ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, scripted

pytestmark = pytest.mark.asyncio(loop_scope="session")
VIEWS = ("talk", "interpret", "speakers", "watch")
EVIL = '<img src=x onerror="window.hurt=1">'
HURT = """() => {
  const roots = [document, ...[...document.querySelectorAll("*")].map((each) => each.shadowRoot).filter(Boolean)];
  return [window.hurt ?? 0, ...roots.map((root) => root.querySelectorAll("img[src=x]").length)];
}"""
SHOWN = {"speakers": ".speaker", "watch": ".events li[data-type]"}
VIOLATIONS = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    window.violations.push(`${violatedDirective} ${blockedURI}`));
"""
PERSONA = PersonaSpec(name="evil", title=EVIL, prompt=EVIL, description=EVIL, greeting=EVIL)
CONFIG = {
    "persona": "evil",
    "engines": {"tts": [{"engine": "broken"}, {"engine": "scripted_tts"}]},
    "speakers": {"evil": {"name": EVIL, "area": "yard", "context": {"exhibit": EVIL}}},
    "automations": [{"id": "evil", "alias": EVIL, "triggers": [], "actions": [{"delay": 0}]}],
}


@asynccontextmanager
async def evil_house(house):
    """A hub all of whose texts are meant to hurt, and a speaker that has said some."""
    engines = {
        "stt": ScriptedSpeechToText(text=EVIL),
        "llm": ScriptedLanguageModel(("Yes. ", EVIL)),
        "specs": [scripted("tts", ScriptedTextToSpeech(fault="raise"), name="broken"), PERSONA],
    }
    async with (
        house(config=CONFIG, installed=("automation",), **engines) as hub,
        FakeSpeaker(hub.addresses["http"], speaker="evil") as speaker,
    ):
        await speaker.ask_text(EVIL)
        yield hub


@asynccontextmanager
async def guarded(pages, url):
    """Open a page that notes what its policy forbids."""
    async with pages("about:blank") as page:
        await page.add_init_script(VIOLATIONS)
        await page.goto(url)
        yield page


async def use(page, view):
    """Do in a view what brings texts into it."""
    await page.wait_for_selector(f"main[data-view={view}] h1")
    if view in ("talk", "interpret"):
        await page.fill("main .question", EVIL)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main .waterfall")
    else:
        await page.wait_for_selector(SHOWN[view])


async def test_texts_from_outside_stay_texts(house, pages):
    async with evil_house(house) as hub, guarded(pages, hub.addresses["http"]) as page:
        for view in VIEWS:
            await page.click(f"nav a[href='#/{view}']")
            await use(page, view)
            assert await page.locator("main").get_by_text(EVIL).count()
            assert not any(await page.evaluate(HURT))
            assert await page.evaluate("() => window.violations") == []


async def test_policy_forbids_what_stands_in_the_page(house, pages):
    async with house() as hub, guarded(pages, hub.addresses["http"]) as page:
        await page.evaluate(
            "() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"hurt=1\">'); }"
        )
        await page.wait_for_function("() => window.violations.length")
        assert await page.evaluate("() => window.hurt") is None
        page.troubles.clear()


async def test_token_is_asked_for_and_never_in_an_address(house, pages):
    config = {"http": {"host": "0.0.0.0", "mdns": False}, "speakers": {"lion_house": {}}}
    async with house(config=config) as hub, pages("about:blank") as page:
        token = hub.storage.issue_token("visitor", "admin")
        addresses = []
        page.on("request", lambda request: addresses.append(request.url))
        page.on("websocket", lambda socket: addresses.append(socket.url))
        await page.goto(hub.addresses["http"])
        await page.fill("dialog.token input", token)
        await page.keyboard.press("Enter")
        for view in VIEWS:
            await page.click(f"nav a[href='#/{view}']")
            await use(page, view)
        addresses.append(page.url)
        assert any(address.startswith("ws") for address in addresses)
        assert not [address for address in addresses if token in address]
        assert not [trouble for trouble in page.troubles if "401" not in trouble]
        page.troubles.clear()
