"""The view Interpret: both texts side by side as they come, and both voices."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from importlib import resources

import pytest

from mynah.testing import ScriptedSpeechToText, ScriptedTextToSpeech, ScriptedTranslator

pytestmark = pytest.mark.asyncio(loop_scope="session")
QUESTION = str(resources.files("mynah.cli") / "question.wav")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
STORY = "Good morning. I am the doctor. Where does it hurt?"
NOTE_SOUNDING = """() => {
  window.sounded = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const side = target.classList[1];
      if (target.classList.contains("sounds") && side !== window.sounded.at(-1)) window.sounded.push(side);
    }
  }).observe(document.querySelector(".turns"), { subtree: true, attributeFilter: ["class"] });
}"""


@pytest.fixture
def interpreting(house, pages):
    """Open the view on a hub: `async with interpreting(translator=…, microphone=…) as page`."""

    @asynccontextmanager
    async def open_view(*, viewport=DESKTOP, microphone=None, **engines):
        engines.setdefault("tts", ScriptedTextToSpeech(ms_per_word=30))
        options = {"viewport": viewport, "microphone": microphone}
        async with house(**engines) as hub, pages(hub.addresses["http"] + "/#/interpret", **options) as page:
            page.frames_received = []
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: note(page, frame)))
            await page.wait_for_selector(".interpret .question")
            await page.evaluate(NOTE_SOUNDING)
            yield page

    return open_view


def note(page, frame):
    page.frames_received.append(frame)


async def say(page, text, turns=1):
    await page.fill(".interpret .question", text)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f":nth-match(.interpret .waterfall, {turns})")


async def side(page, which, turn=0):
    return await page.locator(f".side.{which} .text").nth(turn).inner_text()


def speeches(page):
    """Return the tracks of the phrases' audio, in the order in which it came."""
    told = [json.loads(frame) for frame in page.frames_received if isinstance(frame, str)]
    return [message["track"] for message in told if message["type"] == "speech_started"]


@pytest.mark.parametrize(("mode", "viewport"), [("streaming", PHONE), ("parallel", DESKTOP)])
async def test_both_texts_and_both_voices_come_in_the_modes_order(interpreting, mode, viewport):
    async with interpreting(translator=ScriptedTranslator(first_s=0.1, each_s=0.03), viewport=viewport) as page:
        await page.check(f"input[value={mode}]")
        await say(page, STORY)
        assert await side(page, "original") == STORY
        assert await side(page, "translation") == "es GOOD MORNING. es I AM THE DOCTOR. es WHERE DOES IT HURT?"
        tracks = speeches(page)
        assert sorted(tracks) == [0, 0, 0, 1, 1, 1]
        assert (tracks[:3] == [0, 0, 0]) == (mode == "parallel")
        # Both are heard, in the order in which they came.
        order = [("original", "translation")[track] for track in tracks]
        expected = [each for each, before in zip(order, [None, *order], strict=False) if each != before]
        await page.wait_for_function("count => window.sounded.length >= count", arg=len(expected))
        await page.wait_for_function("() => !document.querySelector('.side.sounds')")
        assert await page.evaluate("() => window.sounded") == expected
        assert await page.evaluate("() => document.documentElement.scrollWidth") == viewport["width"]


async def test_what_is_heard_is_shown_as_it_comes(interpreting):
    heard = ScriptedSpeechToText(text="Good morning. Where does it hurt?", language="en")
    async with interpreting(stt=heard, microphone=QUESTION) as page:
        await page.uncheck("input[name=both]")  # so that it is known what is spoken
        await page.locator(".interpret .talk").hover()
        await page.mouse.down()
        await page.wait_for_selector(".original .partial:has-text('Good morning')")
        await page.wait_for_selector(".time:has-text('0:01')")  # what is shorter is a tap
        await page.mouse.up()
        await page.wait_for_selector(".interpret .waterfall")
        assert await side(page, "original") == "Good morning. Where does it hurt?"
        assert await side(page, "translation") == "es GOOD MORNING. es WHERE DOES IT HURT?"
        assert await page.locator(".partial").count() == 0
        assert heard.expected == ["en"]


async def test_open_microphone_is_interpreted_without_a_press(interpreting):
    detector = {"installed": ("vad",), "config": {"engines": {"vad": [{"engine": "vad"}]}}}
    heard = ScriptedSpeechToText(text="Good morning.")
    async with interpreting(stt=heard, microphone=QUESTION, **detector) as page:
        await page.click("[data-mode=open]")
        await page.click(".interpret .talk")
        await page.wait_for_selector(".interpret .waterfall")
        assert await side(page, "translation") == "es GOOD MORNING."


async def test_languages_are_swapped_and_remembered(interpreting):
    translator = ScriptedTranslator()
    async with interpreting(translator=translator) as page:
        await page.select_option("select[name=source]", "de")
        await page.get_by_role("button", name="Swap the languages").click()
        await say(page, "Guten Tag.")
        assert translator.asked == [("Guten Tag.", "es", "de")]
        await page.reload()
        await page.wait_for_selector(".interpret .question")
        assert await page.input_value("select[name=source]") == "es"
        assert await page.input_value("select[name=target]") == "de"


async def test_a_language_is_not_put_into_itself(interpreting):
    async with interpreting() as page:
        await page.select_option("select[name=target]", "en")
        assert await page.input_value("select[name=source]") == "es"


async def test_two_people_share_the_device(interpreting):
    translator = ScriptedTranslator()
    async with interpreting(translator=translator) as page:
        await page.check("input[name=both]")
        await say(page, "Good morning.")
        await page.select_option("select[name=written]", "es")
        await say(page, "Buenos días.", 2)
        assert translator.asked == [("Good morning.", "en", "es"), ("Buenos días.", "es", "en")]
        # The newest is on top.
        assert await side(page, "original") == "Buenos días."
        assert await page.locator(".side .language span:first-child").all_inner_texts() == [
            "Spanish", "English", "English", "Spanish",
        ]  # fmt: skip


async def test_what_could_not_be_translated_is_said(interpreting):
    async with interpreting(translator=ScriptedTranslator(refuse_on="zebra")) as page:
        await say(page, "Good morning. Where is the zebra?")
        assert await side(page, "translation") == "es GOOD MORNING."
        assert await page.inner_text(".untranslated") == "No translator has words for:\nWhere is the zebra?"


async def test_without_the_original_only_the_translation_is_voiced(interpreting):
    async with interpreting() as page:
        await page.uncheck("input[name=original]")
        await say(page, "Good morning.")
        assert speeches(page) == [1]


async def test_texts_stay_when_the_choice_changes(interpreting):
    async with interpreting() as page:
        await say(page, "Good morning.")
        await page.select_option("select[name=target]", "de")
        await say(page, "Where does it hurt?", 2)
        assert await side(page, "translation") == "de WHERE DOES IT HURT?"
        assert await side(page, "translation", 1) == "es GOOD MORNING."


async def test_text_that_the_hub_refuses_is_not_taken_for_the_next_ones(interpreting):
    async with interpreting() as page:
        await page.evaluate(
            "() => document.querySelector('.controls').shadowRoot.querySelector('.question').maxLength = 99999"
        )
        await page.fill(".interpret .question", "x" * 20_001)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".notice:visible")
        await say(page, "Good morning.")
        assert await side(page, "original") == "Good morning."


async def test_connection_that_comes_back_is_waited_for(interpreting):
    async with interpreting() as page:
        await page.route_web_socket(
            "**/ws/v1", lambda socket: page.sockets.append((socket, socket.connect_to_server()))
        )
        page.sockets = []
        await say(page, "Good morning.")
        await page.sockets[0][0].close(code=1012)
        await say(page, "Thank you.", turns=2)
        assert await page.locator(".notice:visible").count() == 0


async def test_interpretation_goes_on_after_another_view_was_looked_at_and_the_microphone_does_not(interpreting):
    async with interpreting(microphone=QUESTION) as page:
        await say(page, "Good morning.")
        await page.click(".interpret .talk")
        await page.wait_for_selector(".interpret .talk[aria-pressed=true]")
        await page.click("nav a[href='#/talk']")
        await page.wait_for_selector("main[data-view=talk] h1", state="attached")
        await page.wait_for_selector(".interpret .talk[aria-pressed=false]", state="attached")
        await page.click("nav a[href='#/interpret']")
        await page.locator(".side.original .text").get_by_text("Good morning.", exact=True).wait_for()
        await say(page, "Where does it hurt?", 2)
        welcomes = [frame for frame in page.frames_received if isinstance(frame, str) and '"welcome"' in frame]
        assert len(welcomes) == 1
