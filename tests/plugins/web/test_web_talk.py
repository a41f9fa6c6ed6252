"""The view Talk: who answers and in what language, and how each answer came about."""

from __future__ import annotations

from importlib import resources

import pytest

from mynah import PersonaSpec
from mynah.testing import ScriptedLanguageModel, ScriptedTextToSpeech, scripted

pytestmark = pytest.mark.asyncio(loop_scope="session")
QUESTION = str(resources.files("mynah.cli") / "question.wav")
OWL = PersonaSpec(name="owl", title="An owl", prompt="Answer as an owl.", language="de", description="Wise at night")
PHONE = {"width": 390, "height": 844}
NOTE_EVENTS = """() => {
  const chat = document.querySelector("mynah-voice-chat");
  window.told = [];
  for (const type of ["welcome", "sound", "playing", "turn_finished"]) {
    chat.client.addEventListener(type, ({ detail }) => window.told.push({ ...detail, type }));
  }
}"""


async def ready(page):
    await page.wait_for_selector(".choice option[value=sparrow]", state="attached")
    await page.wait_for_selector("mynah-voice-chat .question")
    await page.evaluate(NOTE_EVENTS)


async def ask(page, question, answers):
    """Ask in writing; wait until there are so many answers with a waterfall."""
    await page.fill("mynah-voice-chat .question", question)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f":nth-match(.waterfall, {answers})")


async def heard(page):
    """Wait until the answer has sounded; what came before would interrupt it, and only what was heard is remembered."""
    await page.wait_for_function("""() => {
      const playing = window.told.filter((event) => event.type === "playing");
      return playing.length > 1 && playing.at(-1).turn === null;
    }""")


async def told(page, kind):
    return [event for event in await page.evaluate("() => window.told") if event["type"] == kind]


async def test_ask_aloud_and_hear_on_a_phone(house, pages):
    async with house() as hub, pages(hub.addresses["http"], microphone=QUESTION, viewport=PHONE) as page:
        await ready(page)
        button = await page.locator("mynah-voice-chat .talk").bounding_box()
        await page.mouse.move(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)
        await page.mouse.down()
        await page.wait_for_selector("text=what do lions")  # a partial transcript, while the button is held
        await page.wait_for_selector(".time:has-text('0:01')")  # what is shorter is a tap
        await page.mouse.up()
        await page.wait_for_selector("text=Yes. Lions eat meat. They sleep a lot.")
        await page.wait_for_function("() => window.told.some((event) => event.type === 'sound' && event.first)")
        await page.wait_for_selector("[data-stage=stt] >> text=scripted_stt")
        assert await page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]


async def test_waterfall_has_the_turns_figures(house, pages):
    async with (
        house(llm=ScriptedLanguageModel(("Yes. ", "No."), first_s=0.05)) as hub,
        pages(hub.addresses["http"]) as page,
    ):
        await ready(page)
        await ask(page, "What do lions eat?", 1)
        (finished,) = await told(page, "turn_finished")
        ends = await page.eval_on_selector_all(
            ".waterfall .step", "all => all.map((e) => [e.dataset.step, Number(e.dataset.end)])"
        )
        timeline = finished["timeline"]
        assert timeline["first_token"] >= 50
        assert ends == [
            *([name, timeline[name]] for name in ("first_token", "first_phrase", "first_audio")),
            ["rest", timeline["last_audio"]],
        ]
        assert await page.inner_text("[data-stage=llm] .engine") == finished["engines"]["llm"]


async def test_only_the_newest_waterfall_stays_open(house, pages):
    async with house() as hub, pages(hub.addresses["http"]) as page:
        await ready(page)
        await ask(page, "What do lions eat?", 1)
        await ask(page, "And what else?", 2)
        assert await page.eval_on_selector_all(".waterfall", "all => all.map((e) => e.open)") == [False, True]


async def test_persona_is_switched_in_mid_conversation(house, pages):
    model = ScriptedLanguageModel(("Yes.",))
    async with house(llm=model, specs=[OWL]) as hub, pages(hub.addresses["http"]) as page:
        await ready(page)
        await ask(page, "What do lions eat?", 1)
        await heard(page)
        assert await page.inner_text(".talk .who") == "A sparrow answers in English."
        await page.select_option("select[name=persona]", "owl")
        assert await page.inner_text(".talk .who") == "An owl answers in German. Wise at night."
        await ask(page, "Und nachts?", 2)
        assert await page.locator(".bubble.mine .text").all_inner_texts() == ["What do lions eat?", "Und nachts?"]
        assert len(await told(page, "welcome")) == 1  # it is the same session
        said = [message.content for message in model.asked[1]]
        assert said[0].startswith("Answer as an owl.")
        assert said[-3:] == ["What do lions eat?", "Yes.", "Und nachts?"]


async def test_language_is_switched_in_mid_conversation(house, pages):
    voice = ScriptedTextToSpeech()
    async with house(tts=voice, llm=ScriptedLanguageModel(("Yes.",))) as hub, pages(hub.addresses["http"]) as page:
        await ready(page)
        await ask(page, "What do lions eat?", 1)
        await page.select_option("select[name=language]", "de")
        await ask(page, "Was fressen sie?", 2)
        await page.select_option("select[name=language]", "")
        await ask(page, "And what else?", 3)
        assert [language for text, language in voice.said if text == "Yes."] == ["en", "de", "en"]
        assert len(await told(page, "welcome")) == 1


async def test_choice_is_remembered(house, pages):
    model = ScriptedLanguageModel(("Yes.",))
    async with house(llm=model, specs=[OWL]) as hub, pages(hub.addresses["http"]) as page:
        await ready(page)
        await page.select_option("select[name=persona]", "owl")
        await page.select_option("select[name=language]", "es")
        await page.reload()
        await ready(page)
        assert await page.inner_text(".talk .who") == "An owl answers in Spanish. Wise at night."
        await ask(page, "¿Y de noche?", 1)
        assert model.asked[0][0].content.startswith("Answer as an owl.")


async def test_persona_that_is_gone_is_forgotten(house, pages):
    async with house() as hub, pages(hub.addresses["http"]) as page:
        await page.evaluate("""() => localStorage.setItem("mynah.talk", '{"persona": "owl"}')""")
        await page.reload()
        await ready(page)
        await ask(page, "What do lions eat?", 1)
        assert await page.input_value("select[name=persona]") == "sparrow"


async def test_says_what_was_kept_and_who_failed(house, pages):
    tried = [
        scripted("tts", ScriptedTextToSpeech(fault="raise"), name="broken"),
        scripted("tts", ScriptedTextToSpeech(), name="tape", cached=True),
    ]
    engines = {"engines": {"tts": [{"engine": "broken"}, {"engine": "tape"}]}}
    async with house(specs=tried, config=engines) as hub, pages(hub.addresses["http"]) as page:
        await ready(page)
        await ask(page, "What do lions eat?", 1)
        first = await page.inner_text("[data-stage=tts]")
        assert first.startswith("tape")
        assert "not by broken: " in first
        assert "kept from before" not in first
        for number in range(2, 6):  # once the broken one rests, what the other has said is heard again
            await ask(page, "What do lions eat?", number)
        assert "kept from before (cache)" in await page.locator("[data-stage=tts]").last.inner_text()


async def test_conversation_goes_on_while_another_view_is_looked_at(house, pages):
    model = ScriptedLanguageModel(("Yes.",), first_s=0.5)
    async with house(llm=model) as hub, pages(hub.addresses["http"]) as page:
        await ready(page)
        await page.fill("mynah-voice-chat .question", "What do lions eat?")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("mynah-voice-chat .waiting")
        await page.click("nav a[href='#/watch']")
        await page.wait_for_selector("main .events li[data-type=replied]")
        assert not await page.locator("mynah-voice-chat").is_visible()
        await heard(page)
        await page.click("nav a[href='#/talk']")
        await page.wait_for_selector("main .waterfall")
        await ask(page, "And what else?", 2)
        assert len(await told(page, "welcome")) == 1
        assert [message.content for message in model.asked[1]][-3:] == ["What do lions eat?", "Yes.", "And what else?"]


async def test_microphone_goes_off_when_another_view_is_looked_at(house, pages):
    async with house() as hub, pages(hub.addresses["http"], microphone=QUESTION) as page:
        await ready(page)
        await page.click("mynah-voice-chat .talk")
        await page.wait_for_selector("mynah-voice-chat .partial")
        await page.click("nav a[href='#/watch']")
        await page.wait_for_function("() => document.querySelector('mynah-voice-chat').client.listening === null")
        await page.click("nav a[href='#/talk']")
        await page.wait_for_selector("main .talk[aria-pressed=false]")
        await page.wait_for_selector("main .waterfall")  # what was said until then is answered
