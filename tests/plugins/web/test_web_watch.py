"""The view that watches the hub: events, latency, engines, sessions, automations."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import expect

from mynah import EngineFailed, Happened, HubStopping, Replied, TurnStarted
from mynah.statistics import percentile
from mynah.testing import FakeSpeaker, ScriptedTextToSpeech, scripted

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPEAKERS = {"lion_house": {"name": "Lion house", "area": "savanna"}, "hall": {"name": "Hall"}}
CONFIG = {"speakers": SPEAKERS}
FEEDING = {
    "id": "feeding",
    "alias": "Feeding time",
    "triggers": [{"trigger": "event", "event_type": "bell"}],
    "variables": {"animal": "lion"},
    "actions": [
        {
            "alias": "only for lions",
            "if": [{"condition": "template", "value_template": "{{ animal == 'lion' }}"}],
            "then": [{"action": "counter.increment", "target": {"entity_id": "counter.feedings"}}],
        },
        {"condition": "template", "value_template": "{{ animal == 'bear' }}"},
    ],
}
AUTOMATIONS = {**CONFIG, "automations": [FEEDING], "counter": {"feedings": {}}}


@asynccontextmanager
async def view(house, pages, *, config=CONFIG, speakers=(), before=lambda hub: None, page_options=None, **options):
    """A hub, speakers in their sessions, and the page on its view; `before` is called before the page is opened."""
    async with house(config=config, **options) as hub, AsyncExitStack() as stack:
        url = hub.addresses["http"]
        fakes = {id: await stack.enter_async_context(FakeSpeaker(url, speaker=id)) for id in speakers}
        before(hub)
        page = await stack.enter_async_context(pages(f"{url}/#/watch", **(page_options or {})))
        await expect(page.locator(".events")).to_be_visible()
        await expect(page.locator("section .phase[role=status]")).to_have_text("live")
        yield hub, page, fakes


def turn(number, ms, ago_s=0.0):
    """An end of a turn, so long ago."""
    return Replied(
        session_id="s", turn_id=f"t{number}", text="x", outcome="answered", timeline={"first_audio": ms},
        time=time.time() - ago_s,
    )  # fmt: skip


def events(page, kind=""):
    return page.locator(f".events li[data-type={kind}]" if kind else ".events li[data-type]")


# ---------------------------------------------------------------- events


async def test_what_happens_is_shown_as_it_happens(house, pages):
    async with view(house, pages, speakers=("lion_house",)) as (_, page, fakes):
        await fakes["lion_house"].ask_text("What do lions eat?")
        await expect(events(page, "heard")).to_contain_text("What do lions eat?")
        await expect(events(page, "replied")).to_contain_text("answered")
        await expect(events(page, "replied").locator(".who")).to_have_text("Lion house")
        await events(page, "replied").locator("summary").click()
        await expect(events(page, "replied").locator("pre")).to_contain_text('"first_audio"')


async def test_what_happened_before_is_shown_without_words(house, pages):
    async with house(config=CONFIG) as hub:
        url = hub.addresses["http"]
        async with FakeSpeaker(url, speaker="lion_house") as speaker:
            await speaker.ask_text("What do lions eat?")
        async with pages(f"{url}/#/watch") as page:
            await expect(events(page, "heard")).to_have_count(1)
            assert "What do lions eat?" not in await page.inner_text("main")


async def test_events_are_filtered_by_type_speaker_and_words(house, pages):
    async with view(house, pages, speakers=("lion_house", "hall")) as (_, page, fakes):
        for fake in fakes.values():
            await fake.ask_text("What do lions eat?")
        await expect(events(page, "replied")).to_have_count(2)
        await page.get_by_label("Type of event").select_option("heard")
        await expect(events(page)).to_have_count(2)
        await page.get_by_label("Speaker or session").select_option(label="Hall")
        await expect(events(page).locator(".who")).to_have_text(["Hall"])
        await page.get_by_label("Search in events").fill("elephants")
        await expect(page.locator(".events .empty")).to_have_text("Nothing matches.")
        await page.get_by_label("Search in events").fill("LIONS eat")
        await expect(events(page)).to_have_count(1)


async def test_pause_holds_the_list_and_loses_nothing(house, pages):
    async with view(house, pages) as (hub, page, _):
        await page.click("text=Pause")
        hub.bus.publish(Happened(name="bell"))
        await expect(page.locator(".filters .muted")).to_have_text("1 more wait")
        assert await events(page, "happened").count() == 0
        await page.click("text=Go on")
        await expect(events(page, "happened")).to_contain_text("bell")


async def test_thousands_of_events_leave_a_bounded_page(house, pages):
    async with view(house, pages) as (hub, page, _):
        for number in range(5000):
            hub.bus.publish(TurnStarted(session_id="s", turn_id=f"t{number}"))
            if not number % 250:
                await page.evaluate("1")  # a browser's turn, and the hub's
        await expect(events(page).first).to_contain_text("t4999")
        assert await page.locator(".events li").count() == 200
        assert await page.evaluate("document.querySelectorAll('*').length") < 4000


async def test_stream_that_ended_is_taken_up_again_without_repeating_anything(house, pages):
    async with view(house, pages) as (hub, page, _):
        hub.bus.publish(Happened(name="bell"))
        await expect(events(page, "happened")).to_have_count(1)
        hub.bus.publish(HubStopping())
        await expect(page.locator("section .phase[role=status]")).to_have_text("not connected")
        await expect(page.locator("section .phase[role=status]")).to_have_text("live")
        hub.bus.publish(Happened(name="gong"))
        await expect(events(page, "happened")).to_have_count(2)


@pytest.mark.long
async def test_hub_that_was_started_again_is_watched_again(house, pages):
    async with AsyncExitStack() as stack:
        async with house(config=CONFIG) as hub:
            url = hub.addresses["http"]
            page = await stack.enter_async_context(pages(f"{url}/#/watch"))
            await expect(page.locator("section .phase[role=status]")).to_have_text("live")
        await expect(page.locator("#notice")).to_contain_text("The hub does not answer")
        async with house(config={**CONFIG, "http": {"port": int(url.rsplit(":", 1)[1])}}) as hub:
            await expect(page.locator("section .phase[role=status]")).to_have_text("live", timeout=15_000)
            await expect(page.locator("#notice")).to_be_hidden()
            hub.bus.publish(Happened(name="bell"))
            await expect(events(page, "happened")).to_have_count(1)
            page.troubles.clear()  # Chromium logs every call that failed
            await stack.aclose()


async def test_texts_from_outside_stay_text(house, pages):
    evil = "<img src=x onerror=alert(1)>"
    config = {"speakers": {"lion_house": {"name": evil}}}
    async with view(house, pages, config=config, speakers=("lion_house",)) as (hub, page, fakes):
        await fakes["lion_house"].ask_text(evil)
        hub.bus.publish(EngineFailed(engine="espeak", kind="tts", error=evil))
        await expect(events(page, "heard").locator(".what")).to_have_text(evil)
        await expect(page.locator(".failures li")).to_contain_text(evil)
        await expect(page.locator("[data-session] strong")).to_have_text(evil)
        assert await page.locator("main img").count() == 0


# ---------------------------------------------------------------- latency, engines, sessions


async def test_latency_is_drawn_over_time_and_can_be_read_as_a_table(house, pages):
    def before(hub):
        for number in range(100):
            hub.bus.publish(turn(number, ms=100 + number, ago_s=300))

    async with view(house, pages, before=before) as (hub, page, _):
        await expect(page.locator(".chart svg circle")).to_have_count(2)
        label = await page.locator(".chart svg").get_attribute("aria-label")
        assert "149 ms" in label
        assert "194 ms" in label
        await page.click("text=As a table")
        await expect(page.locator(".chart tbody td")).to_have_text(["149 ms", "194 ms", "100"])
        hub.bus.publish(turn(101, ms=500))
        await expect(page.locator(".chart tbody td").nth(0)).to_have_text("500 ms")
        await page.get_by_label("Of the last").select_option(label="hour")
        await expect(page.locator(".chart svg circle").first).to_be_visible()


async def test_percentiles_and_buckets_are_those_of_the_hub(house, pages):
    values = [5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0, 10.0, 11.0]
    async with house(config=CONFIG) as hub, pages(hub.addresses["http"]) as page:
        found = await page.evaluate(
            """async (values) => { const { buckets, percentile } = await import("/web/parts/chart.js");
            const all = buckets([...values.map((value) => [15, value]), [9.99, 1], [20, 2], [30, 3]], 10, 30, 2);
            return [all.map((each) => each.values), [0.5, 0.95].map((share) => percentile(all[0].values, share))]; }""",
            values,
        )
    assert found == [[sorted(values), [2]], [percentile(values, 0.5), percentile(values, 0.95)]]


async def test_without_turns_the_chart_says_how_to_get_some(house, pages):
    async with view(house, pages) as (_, page, _fakes):
        await expect(page.locator(".chart .empty")).to_contain_text("Ask something in Talk")


async def test_failover_is_shown_with_the_reason(house, pages):
    broken = scripted("tts", ScriptedTextToSpeech(fault="raise"), name="broken_voice")
    config = {**CONFIG, "engines": {"tts": [{"engine": "broken_voice"}, {"engine": "scripted_tts"}]}}
    options = {"config": config, "specs": [broken], "speakers": ("lion_house",)}
    async with view(house, pages, **options) as (_, page, fakes):
        names = page.locator(".chain[data-kind=tts] .engine strong")
        await expect(names).to_have_text(["broken_voice", "scripted_tts"])
        await fakes["lion_house"].ask_text("What do lions eat?")
        await expect(page.locator(".failures")).to_contain_text("tts broken_voice the script says so")
        await expect(page.locator("[data-failovers]")).to_contain_text("Voices 1")
        await expect(page.locator(".chain [data-engine=broken_voice] .bad")).to_have_text("the script says so")


async def test_session_is_shown_and_closed(house, pages):
    async with view(house, pages, speakers=("lion_house",)) as (hub, page, fakes):
        await fakes["lion_house"].ask_text("What do lions eat?")
        line = page.locator("[data-session]").first
        await expect(line).to_contain_text("Lion house")
        await expect(line.locator(".state")).to_contain_text("1 turns")
        await page.get_by_role("button", name="Close the session of Lion house").click()
        await expect(page.locator(".rows .empty").first).to_contain_text("Nobody converses")
        assert hub.sessions() == []


# ---------------------------------------------------------------- automations


async def test_automation_is_run_and_its_trace_says_what_it_did_and_why(house, pages):
    async with view(house, pages, config=AUTOMATIONS, installed=("automation",)) as (_, page, _fakes):
        row = page.locator("[data-automation]")
        await expect(row.locator(".last")).to_have_text("has not run yet")
        await row.get_by_role("button", name="Run Feeding time").click()
        run = row.locator(".run-of")
        await expect(run.locator("dd.mono", has_text="lion").last).to_have_text("lion")
        steps = run.locator(".steps-of li")
        await expect(steps.nth(0)).to_contain_text("only for lions")
        await expect(steps.nth(1)).to_contain_text("holds")
        await expect(steps.nth(2)).to_contain_text("counter.increment")
        await expect(steps.nth(4)).to_contain_text("does not hold")
        places = [await steps.nth(n).get_attribute("data-place") for n in range(4)]
        assert places == ["actions/0", "actions/0/if/0", "actions/0/then/0", "actions/1"]


async def test_run_by_a_trigger_shows_what_set_it_off(house, pages):
    async with view(house, pages, config=AUTOMATIONS, installed=("automation",)) as (hub, page, _):
        row = page.locator("[data-automation]")
        await row.locator("summary").click()
        await expect(row.locator(".traces .empty")).to_contain_text("No run since")
        hub.bus.publish(Happened(name="bell", data={"loud": True}))
        await expect(row.locator(".run-of [data-trigger]")).to_contain_text("bell")


async def test_house_without_automations_says_how_to_begin(house, pages):
    async with view(house, pages) as (_, page, _fakes):
        await expect(page.locator(".automations .empty")).to_contain_text("automations:")


@pytest.mark.long
async def test_five_hundred_automations_are_shown_in_part_and_found(house, pages):
    many = [{**FEEDING, "id": f"a{n}", "alias": f"Automation {n}"} for n in range(500)]
    config = {**AUTOMATIONS, "automations": many}
    async with view(house, pages, config=config, installed=("automation",)) as (_, page, _fakes):
        await expect(page.locator("[data-automation]")).to_have_count(50)
        await page.click("text=Show more")
        await expect(page.locator("[data-automation]")).to_have_count(100)
        await page.get_by_label("Find an automation").fill("automation 437")
        await expect(page.locator("[data-automation] strong")).to_have_text(["Automation 437"])


# ---------------------------------------------------------------- whoever looks


async def test_viewer_sees_what_happens_without_words_and_changes_nothing(house, pages):
    config = {**AUTOMATIONS, "http": {"host": "0.0.0.0", "mdns": False}}
    async with house(config=config, installed=("automation",)) as hub:
        url = f"http://127.0.0.1:{hub.addresses['http'].rsplit(':', 1)[1]}"
        admin, viewer = (hub.storage.issue_token(role, role) for role in ("admin", "viewer"))
        async with FakeSpeaker(url, token=admin, speaker="lion_house") as speaker, pages(url) as page:
            await page.evaluate("token => sessionStorage.setItem('mynah.token', token)", viewer)
            page.troubles.clear()  # other views asked before there was a token
            await page.goto(f"{url}/#/watch")
            await speaker.ask_text("What do lions eat?")
            await expect(events(page, "heard")).to_be_visible()
            await expect(page.locator(".note").first).to_contain_text("takes an admin's token")
            await expect(page.get_by_role("button", name="Run Feeding time")).to_be_disabled()
            await expect(page.get_by_role("button", name="Close the session of Lion house")).to_be_disabled()
            assert "What do lions eat?" not in await page.inner_text("main")


async def test_all_is_done_by_keyboard_alone(house, pages):
    async with view(house, pages, config=AUTOMATIONS, installed=("automation",)) as (_, page, _fakes):
        await page.get_by_role("button", name="Run Feeding time").wait_for()
        await page.focus(".latency select")
        for _ in range(12):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.getAttribute('aria-label')") == "Run Feeding time":
                break
        await page.keyboard.press("Enter")
        await expect(page.locator(".run-of").first).to_be_visible()
        for _ in range(8):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent") == "Pause":
                break
        else:
            await page.get_by_label("Search in events").focus()
            await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Go on", pressed=True)).to_be_focused()


async def test_nothing_is_wider_than_the_screen(house, pages):
    def before(hub):
        hub.bus.publish(turn(1, ms=123456))
        hub.bus.publish(EngineFailed(engine="e" * 60, kind="tts", error="x" * 200))

    options = {"config": AUTOMATIONS, "installed": ("automation",), "before": before}
    async with view(house, pages, **options) as (_, page, _fakes):
        await page.get_by_role("button", name="Run Feeding time").click()
        await page.locator(".run-of").wait_for()
        for width in (360, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
