"""The view of speakers: what the page shows of them, and what it has them do."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import segno
from playwright.async_api import expect

from counterparts.accessibility import serious_in_any_theme
from counterparts.mqtt_speaker import SimulatedSpeaker, until
from mynah import PersonaSpec
from mynah.provisioning import read_code
from mynah.testing import FakeSpeaker, ScriptedTextToSpeech

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPEAKERS = {
    "lion_house": {"name": "Lion house", "area": "savanna"},
    "giraffe_deck": {"name": "Giraffe deck", "area": "savanna"},
    "hall": {},
}
CONFIG = {"speakers": SPEAKERS, "groups": {"outside": ["savanna"], "cats": ["lion_house"]}}
MQTT = {**CONFIG, "mqtt": {"broker": "embedded", "embedded": {"port": 0}}}
FIRMWARE = Path(__file__).parents[3] / "docs" / "firmware.md"


@asynccontextmanager
async def view(house, pages, *, config=CONFIG, speakers=("lion_house",), page_options=None, **options):
    """A hub, speakers in their sessions, and the page on its view."""
    async with house(config=config, **options) as hub:
        url = hub.addresses["http"]
        async with AsyncExitStack() as stack:
            fakes = {id: FakeSpeaker(url, speaker=id) for id in speakers}
            for fake in fakes.values():
                await fake.connect()
                stack.push_async_callback(fake.drop)
            page = await stack.enter_async_context(pages(f"{url}/#/speakers", **(page_options or {})))
            if config.get("speakers"):
                await page.wait_for_selector(".speaker")
            yield hub, page, fakes


def card(page, id):
    return page.locator(f".speaker[data-id={id}]")


async def test_speakers_are_listed_by_area_with_what_they_are_doing(house, pages):
    async with view(house, pages) as (_, page, fakes):
        areas = await page.locator(".area h2").all_text_contents()
        assert areas == ["savanna", "Without an area"]
        await expect(card(page, "lion_house").locator(".phase")).to_have_text("ready")
        await expect(card(page, "giraffe_deck").locator(".phase")).to_have_text("not here")
        await expect(page.locator(".count")).to_have_text("1 of 3 are here")
        await fakes["lion_house"].drop()
        await expect(card(page, "lion_house").locator(".phase")).to_have_text("not here")


async def test_speakers_are_found_and_ordered_by_group(house, pages):
    async with view(house, pages, speakers=()) as (_, page, _fakes):
        await page.select_option(".tools-row select", "group")
        assert await page.locator(".area h2").all_text_contents() == ["outside", "In no group"]
        await page.fill("input[type=search]", "cats")
        assert await page.locator(".speaker h3").all_text_contents() == ["Lion house"]
        await page.fill("input[type=search]", "zebra")
        await expect(page.locator(".empty")).to_have_text("No speaker matches.")


async def test_announcement_shows_who_hears_it_who_heard_it_and_who_did_not(house, pages):
    config = {**CONFIG, "speakers": {**SPEAKERS, "pond": {"name": "Pond", "area": "savanna"}}}
    voice = ScriptedTextToSpeech(ms_per_word=150)
    async with view(house, pages, config=config, speakers=("giraffe_deck",), tts=voice) as (hub, page, _):
        url = hub.addresses["http"]
        async with FakeSpeaker(url, speaker="lion_house", playback="real_time", buffer_ms=100) as slow:
            await expect(page.locator(".count")).to_have_text("2 of 4 are here")
            await page.fill("#announce-text", "Feeding time in ten minutes")
            await page.select_option("#announce-where", "savanna")
            await page.uncheck("#announce-chime")
            await page.click("text=Announce >> nth=-1")
            await expect(page.locator(".heard li[data-state=waiting]", has_text="Lion house")).to_be_visible()
            await expect(page.locator(".run .status")).to_have_text("1 of 3 have heard it so far")
            await expect(page.locator(".heard li[data-state=heard]")).to_have_text(["✓ Giraffe deck", "✓ Lion house"])
            await expect(page.locator(".heard li[data-state=missed]")).to_have_text("✗ Pond it is not connected")
            await expect(page.locator(".run .status")).to_have_text("Over: 2 of 3 heard it")
            assert [turn.reply for turn in slow.turns.values()] == ["Feeding time in ten minutes"]


async def test_announcement_can_be_stopped(house, pages):
    voice = ScriptedTextToSpeech(ms_per_word=2000)
    async with (
        view(house, pages, speakers=(), tts=voice) as (hub, page, _),
        FakeSpeaker(hub.addresses["http"], speaker="lion_house", playback="real_time", buffer_ms=100),
    ):
        await expect(page.locator(".count")).to_have_text("1 of 3 are here")
        await page.click("[aria-label='Say something on Lion house']")
        assert await page.input_value("#announce-where") == "lion_house"
        await page.keyboard.type("One two three four five six")
        await page.click(".announce .primary")
        await page.click(".run button")
        await expect(page.locator(".heard li[data-state=missed]")).to_contain_text("it was interrupted: stop")


async def test_volume_and_silence_reach_the_speaker(house, pages):
    async with view(house, pages) as (_hub, page, fakes):
        slider = page.get_by_role("slider", name="Volume of Lion house")
        await slider.focus()
        await page.keyboard.press("ArrowLeft")
        assert (await fakes["lion_house"].expect("volume")).data["percent"] == 99
        await page.get_by_role("button", name="Mute Lion house").click()
        assert (await fakes["lion_house"].expect("volume")).data["percent"] == 0
        muted = page.get_by_role("button", name="Mute Lion house", pressed=True)
        await expect(muted).to_have_text("Muted")
        await expect(slider).to_have_value("99")


async def test_volume_that_was_set_elsewhere_is_shown(house, pages):
    async with view(house, pages) as (_, page, fakes):
        await fakes["lion_house"].send("volume", percent=33)
        await expect(card(page, "lion_house").locator(".percent")).to_have_text("33 %")


async def test_who_speaks_there_is_chosen(house, pages):
    crow = PersonaSpec(name="crow", title="A crow", prompt="You are a crow.")
    async with view(house, pages, specs=[crow]) as (hub, page, _):
        await card(page, "lion_house").locator("summary").click()
        await card(page, "lion_house").locator("select").select_option("A crow")
        await expect(card(page, "lion_house").locator("dd").nth(1)).to_have_text("crow")
        assert hub.sessions()[0]["persona"] == "crow"


async def test_what_is_around_the_speaker_is_set(house, pages):
    async with view(house, pages) as (hub, page, _):
        await card(page, "lion_house").locator("summary").click()
        await card(page, "lion_house").get_by_label("Fact, such as exhibit").fill("exhibit")
        await card(page, "lion_house").get_by_label("Its value; empty removes it").fill("lion")
        await page.keyboard.press("Enter")
        await expect(card(page, "lion_house").locator("dd", has_text="exhibit: lion")).to_be_visible()
        assert hub.sessions()[0]["context"] == {"exhibit": "lion"}


async def test_added_speaker_is_told_by_code_and_steps_and_its_token_is_good(house, pages):
    async with view(house, pages) as (hub, page, _):
        await page.click("text=Add a speaker")
        await page.fill("#adding-id", "new_one")
        await page.fill("#adding-name", "The new one")
        await page.fill("#adding-area", "savanna")
        await page.select_option("#adding-board", "esp32c3")
        await page.click("dialog .primary")
        code = await page.input_value("[data-told=code]")
        told = read_code(code)
        assert (told["id"], told["board"]) == ("new_one", "esp32c3")
        rows = await page.evaluate(
            """() => { const svg = document.querySelector(".qr");
            const size = svg.viewBox.baseVal.width - 8;
            const rows = Array.from({length: size}, () => Array(size).fill("0"));
            const dark = svg.lastChild.getAttribute("d").matchAll(/M(\\d+) (\\d+)/g);
            for (const [, x, y] of dark) rows[y - 4][x - 4] = "1";
            return rows.map((row) => row.join("")); }"""
        )
        assert rows == ["".join(map(str, row)) for row in segno.make(code, error="l", micro=False).matrix]
        commands = "\n".join(await page.locator(".steps pre").all_inner_texts()).splitlines()
        page_of_firmware = FIRMWARE.read_text()
        assert "esptool write-flash 0x0 ESP32_GENERIC_C3-….bin" in commands
        assert "python firmware/pack.py compile build rv32imc" in commands
        for command in commands:
            told_there = re.sub("0x0 ESP32_GENERIC_C3", "0x1000 ESP32_GENERIC", command).replace("rv32imc", "xtensawin")
            assert told_there in page_of_firmware, command
        await page.click("text=Done")
        await expect(card(page, "new_one").locator("h3")).to_have_text("The new one")
        async with FakeSpeaker(hub.addresses["http"], token=told["token"], speaker="new_one"):
            await expect(card(page, "new_one").locator(".phase")).to_have_text("ready")
        assert hub.access(told["token"]) == ("speaker", "new_one")


async def test_what_is_wrong_with_a_new_speaker_is_told_where_it_was_typed(house, pages):
    async with view(house, pages) as (hub, page, _):
        hub.add_speaker("hall", {})
        await page.click("text=Add a speaker")
        await page.fill("#adding-id", "hall")
        await page.click("dialog .primary")
        await expect(page.locator("dialog [role=alert]")).to_contain_text("has a token already")
        page.troubles.clear()  # Chromium logs every answer of 400
        await page.check("#adding-renew")
        await page.click("dialog .primary")
        await expect(page.locator("dialog h2")).to_have_text("hall is added")


async def test_speaker_is_removed_only_when_that_was_confirmed(house, pages):
    async with view(house, pages) as (hub, page, _):
        secrets = hub.add_speaker("new_one", {"name": "New one"})
        for answer in ("Keep it", "Remove it"):
            await card(page, "new_one").wait_for()
            if answer == "Keep it":
                await card(page, "new_one").locator("summary").click()
            await card(page, "new_one").locator("text=Remove…").click()
            await page.click(f"dialog >> text='{answer}'")
        await expect(card(page, "new_one")).to_have_count(0)
        assert hub.access(secrets.token) is None


@asynccontextmanager
async def by_mqtt(hub, id, **info):
    """A speaker at the hub's broker."""
    port = int(hub.addresses["mqtt"].rsplit(":", 1)[1])
    speaker = SimulatedSpeaker(port, id, hub.add_speaker(id, {}).token)
    speaker.info |= info
    async with speaker:
        yield speaker


async def test_speaker_with_mqtt_does_it_by_itself(house, pages):
    async with (
        view(house, pages, config=MQTT, speakers=(), installed=("mqtt",)) as (hub, page, _),
        by_mqtt(hub, "giraffe_deck") as speaker,
    ):
        await expect(card(page, "giraffe_deck").locator(".percent")).to_have_text("50 %")
        await card(page, "giraffe_deck").locator("summary").click()
        for button, command in (("Listen for 8 s", "listen"), ("Stop", "stop"), ("Restart", "reboot")):
            await card(page, "giraffe_deck").locator(f"button:text-is('{button}')").click()
            await until(lambda command=command: command in [each["command"] for each in speaker.done], command)
        assert next(each["seconds"] for each in speaker.done if each["command"] == "listen") == 8


@pytest.mark.long
async def test_firmware_is_sent_to_the_speaker(house, pages):
    async with (
        view(house, pages, config=MQTT, speakers=(), installed=("mqtt",)) as (hub, page, _),
        by_mqtt(hub, "giraffe_deck", firmware="0.0.1", mpy=2 << 10) as speaker,
    ):
        await card(page, "giraffe_deck").locator(f"text=Update to {hub.firmware_version}").click()
        await until(lambda: speaker.done, "the command", 60)
        assert (speaker.done[0]["command"], speaker.done[0]["version"]) == ("update", hub.firmware_version)


async def test_how_an_update_goes_is_shown_and_why_it_cannot_be(house, pages):
    async with view(house, pages, config=MQTT, speakers=(), installed=("mqtt",)) as (hub, page, _):
        version = hub.firmware_version
        async with by_mqtt(hub, "giraffe_deck", firmware="0.0.1") as speaker:
            update = card(page, "giraffe_deck").locator(".update")
            await update.get_by_text(f"Update to {version}").click()
            await expect(card(page, "giraffe_deck").get_by_role("alert")).to_contain_text("for which chip")
            assert await serious_in_any_theme(page, "[data-id=giraffe_deck]") == []
            for status, words in (
                ("loading", f"Loading {version}…"),
                ("rebooting", f"Restarting with {version}…"),
                ("rolled_back", "The update did not run and was taken back."),
            ):
                event = {"event": "update", "status": status, "version": version}
                await speaker.publish(speaker.topic("event"), event)
                await expect(update).to_contain_text(words)
                if status == "loading":
                    await expect(update.locator("progress")).to_have_accessible_name(words)
                    assert await serious_in_any_theme(page, "[data-id=giraffe_deck]") == []
            await speaker.publish(speaker.topic("info"), {**speaker.info, "firmware": version}, retain=True)
            await speaker.publish(speaker.topic("event"), {**event, "status": "confirmed"})
            await expect(update).to_have_text(f"Runs {version}")


async def test_viewer_sees_all_and_can_change_nothing(house, pages):
    config = {**CONFIG, "http": {"host": "0.0.0.0", "mdns": False}}
    async with house(config=config) as hub:
        url = f"http://127.0.0.1:{hub.addresses['http'].rsplit(':', 1)[1]}"
        token = hub.storage.issue_token("guest", "viewer")
        async with pages(url) as page:
            await page.goto(f"{url}/#/speakers")
            await page.fill("dialog.token input", token)
            assert await serious_in_any_theme(page, "dialog.token") == []
            await page.click("dialog.token .primary")
            page.troubles.clear()  # Chromium logs the 401 that led to the question
            await expect(page.locator(".note")).to_contain_text("that takes an admin's token")
            await expect(page.locator(".speaker")).to_have_count(3)
            assert await page.locator("main button:not([disabled])").count() == 0
            assert await page.locator("main input[type=range]:not([disabled])").count() == 0
            assert token not in page.url


async def fits(page, part):
    """Whether a part of the page is no wider than a phone or a desktop shows."""
    wide = []
    for width in (360, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        wide += await page.evaluate(
            "part => [document.documentElement, document.querySelector(part)]"
            ".map((each) => each.scrollWidth - each.clientWidth)",
            part,
        )
    return max(wide) <= 0


async def test_what_opens_over_the_speakers_fits_and_is_accessible(house, pages):
    async with view(house, pages) as (hub, page, _):
        hub.add_speaker("new_one", {"name": "New one"})
        await page.click("text=Add a speaker")
        assert await serious_in_any_theme(page, "dialog.adding") == []
        await page.fill("#adding-id", "other_one")
        await page.click("dialog .primary")
        await page.click("dialog .qr ~ * >> nth=0")
        await page.locator("dialog summary").click()
        assert await fits(page, "dialog.adding")
        assert await serious_in_any_theme(page, "dialog.adding") == []
        await page.click("text=Done")
        await card(page, "new_one").locator("summary").click()
        await card(page, "new_one").locator("text=Remove…").click()
        assert await serious_in_any_theme(page, "dialog[open]") == []
        await page.click("dialog >> text='Keep it'")
        await page.fill("#announce-text", "Feeding time")
        await page.locator(".announce").get_by_label("own volume").check()
        await page.click(".announce .primary")
        await expect(page.locator(".run .status")).to_contain_text("Over: 1 of 5 heard it")
        assert await fits(page, "main")
        assert await serious_in_any_theme(page, "main") == []


async def test_house_without_speakers_says_what_to_do(house, pages):
    async with view(house, pages, config={}, speakers=()) as (_, page, _fakes):
        await expect(page.locator(".empty")).to_contain_text("mynah speaker simulate")


async def test_names_from_outside_stay_text(house, pages):
    evil = "<img src=x onerror=alert(1)>"
    config = {"speakers": {"lion_house": {"name": evil, "area": "savanna"}}}
    async with view(house, pages, config=config) as (_, page, _fakes):
        await expect(page.locator(".speaker h3")).to_have_text(evil)
        await page.fill("#announce-text", evil)
        await page.click(".announce .primary")
        await expect(page.locator(".run .words")).to_contain_text(evil)
        assert await page.locator("main img").count() == 0


async def test_two_hundred_speakers_are_shown_and_touched_only_where_something_changes(house, pages):
    config = {"speakers": {f"s{n}": {"name": f"Speaker {n}", "area": f"area{n % 10}"} for n in range(200)}}
    async with view(house, pages, config=config, speakers=("s7",)) as (_, page, fakes):
        await expect(page.locator(".speaker")).to_have_count(200)
        await page.evaluate(
            """() => { window.changed = new Set();
            const id = ({target}) => (target.closest ? target : target.parentElement).closest(".speaker")?.dataset.id;
            new MutationObserver((all) => all.forEach((each) => window.changed.add(id(each)))).observe(
              document.querySelector(".areas"), {subtree: true, childList: true, characterData: true, attributes: true}
            ); }"""
        )
        await fakes["s7"].send("volume", percent=12)
        await expect(card(page, "s7").locator(".percent")).to_have_text("12 %")
        assert await page.evaluate("[...window.changed]") == ["s7"]


async def test_hub_that_was_gone_is_seen_again(house, pages):
    async with view(house, pages) as (_, page, _fakes):
        await page.route("**/api/v1/speakers", lambda route: route.abort())
        await expect(page.locator("#notice")).to_contain_text("The hub does not answer")
        await page.unroute("**/api/v1/speakers")
        await expect(page.locator("#notice")).to_be_hidden()
        page.troubles.clear()


async def test_all_is_done_by_keyboard_alone(house, pages):
    async with view(house, pages) as (_hub, page, _fakes):
        await page.focus("#announce-text")
        await page.keyboard.type("Hello")
        for _ in range(5):
            await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Announce"
        await page.keyboard.press("Enter")
        await expect(page.locator(".heard li[data-state=heard]")).to_have_text("✓ Lion house")
        for _ in range(10):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.getAttribute('aria-label')") == "Mute Lion house":
                break
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Mute Lion house", pressed=True)).to_be_focused()
