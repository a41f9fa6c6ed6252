"""The element <mynah-voice-chat>, alone in a page of another origin: what people can do with it."""

from __future__ import annotations

import re

import pytest
from yarl import URL

from counterparts.network import StallingProxy
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, ScriptedTranslator

pytestmark = pytest.mark.asyncio(loop_scope="session")
LONG = ScriptedTextToSpeech(ms_per_word=5_000)
NOTE_STAGES = """() => {
  const stages = chat.shadowRoot.querySelector(".stages");
  globalThis.said = [];
  globalThis.seen = [];
  const note = (list, text) => text && text !== list.at(-1) && list.push(text);
  new MutationObserver(() => {
    note(said, stages.querySelector("[role=status]").textContent);
    note(seen, stages.querySelector(".step.now[aria-current=step]")?.textContent);
  }).observe(stages, { subtree: true, childList: true, attributeFilter: ["class", "aria-current"] });
}"""
"""Note what screen readers are told of, and which step is marked."""
MOVING = """() => [document, document.querySelector("mynah-voice-chat").shadowRoot]
  .flatMap((root) => root.getAnimations()).map(({ effect }) => effect.target.className)"""


async def test_asks_in_writing_and_reads_the_answer(chat):
    async with chat() as it:
        await it.ask("What do lions eat?")
        await it.answer()
        assert await it.part(".mine .text").text_content() == "What do lions eat?"
        assert await it.part(".question").input_value() == ""


async def test_question_stands_there_before_the_hub_knows_of_it(chat):
    async with chat(llm=ScriptedLanguageModel(("Yes.",), first_s=600)) as it:
        await it.ask("What do lions eat?")
        await it.part(".entry[aria-busy=true] .mine").wait_for()
        await it.part(".waiting .dots").wait_for()
        await it.part(".step.thinking.now").wait_for()
        assert await it.part(".stages [role=status]").text_content() == "Thinking"
        await it.page.keyboard.press("Escape")


async def test_tokens_are_read_as_they_come(chat):
    async with chat(llm=ScriptedLanguageModel(("Lions ", "eat meat."), each_s=600)) as it:
        await it.ask("What do lions eat?")
        await it.part(".coming .text").get_by_text("Lions").wait_for()
        await it.page.keyboard.press("Escape")


async def test_held_button_talks_until_it_is_let_go(chat):
    hears = ScriptedSpeechToText()
    async with chat(stt=hears) as it:
        await it.hold()
        await it.part(".talk[aria-pressed=true]").wait_for()
        await it.part(".mine .partial").get_by_text("what do").wait_for()
        await it.until("chat.shadowRoot.querySelector('.meter').ariaValueNow > 0")
        assert re.fullmatch(r"0:0\d / 1:00", await it.part(".time").text_content())
        await it.part(".step.listening.now").wait_for()
        await it.longer_than_a_tap()
        await it.page.mouse.up()
        await it.answer()
        assert await it.part(".mine .text").text_content() == "what do lions eat"
        assert await it.part(".talk").get_attribute("aria-pressed") == "false"
        assert await it.part(".meter").is_hidden()
        assert any(hears.heard)


async def test_tap_talks_until_the_next_tap(chat):
    async with chat() as it:
        await it.part(".talk").click()
        await it.part(".mine .partial").get_by_text("what do").wait_for()
        assert await it.part(".talk").get_attribute("aria-label") == "Finish what I say"
        await it.part(".talk").click()
        await it.answer()


async def test_touch_talks(chat):
    async with chat(page={"has_touch": True}) as it:
        await it.part(".talk").tap()
        await it.part(".mine .partial").get_by_text("what do").wait_for()
        await it.part(".talk").tap()
        await it.answer()


async def test_space_bar_talks_while_it_is_held(chat):
    async with chat() as it:
        await it.part(".log").focus()
        await it.page.keyboard.down("Space")
        await it.longer_than_a_tap()
        await it.page.keyboard.up("Space")
        await it.answer()


async def test_space_bar_writes_where_one_writes(chat):
    async with chat() as it:
        await it.part(".question").focus()
        await it.page.keyboard.type("a b")
        assert await it.part(".question").input_value() == "a b"
        assert await it.page.evaluate("chat.client.listening") is None


async def test_open_microphone_listens_until_it_is_closed(chat):
    async with chat('mode="open"') as it:
        await it.part(".talk").click()
        await it.part(".talk[aria-label='Close the microphone']").click()
        await it.until("chat.client.listening === null")


async def test_person_chooses_how_the_microphone_listens(chat):
    async with chat() as it:
        await it.part("[data-mode=open]").click()
        assert await it.page.evaluate("chat.getAttribute('mode')") == "open"
        assert await it.part("[data-mode=open]").get_attribute("aria-pressed") == "true"


async def test_speaking_interrupts_what_sounds(chat):
    async with chat(tts=LONG) as it:
        await it.ask("What do lions eat?")
        await it.part(".step.speaking.now").wait_for()
        await it.hold()
        await it.part(".entry").first.get_by_text("Interrupted").wait_for()
        await it.page.mouse.up()


@pytest.mark.parametrize("stop", ["button", "key", "method"])
async def test_answer_is_stopped(chat, stop):
    async with chat(tts=LONG) as it:
        await it.ask("What do lions eat?")
        await it.until("chat.shadowRoot.querySelector('.stop').disabled === false")
        if stop == "button":
            await it.part(".stop").click()
        elif stop == "key":
            await it.page.keyboard.press("Escape")
        else:
            await it.page.evaluate("chat.stopAudio()")
        await it.part(".entry").get_by_text("Interrupted").wait_for()
        await it.until("chat.shadowRoot.querySelector('.stop').disabled")


async def test_mute_and_volume_are_the_loudspeakers(chat):
    async with chat() as it:
        await it.part("[aria-label=Mute]").click()
        assert await it.page.evaluate("chat.client.muted") is True
        assert await it.part("[aria-label=Mute]").get_attribute("aria-pressed") == "true"
        await it.part(".volume").fill("40")
        assert await it.page.evaluate("chat.client.volume") == pytest.approx(0.4)


async def test_keyboard_alone_is_enough(chat):
    async with chat('mode="open"', apart=True) as it:
        reached = []
        for _ in range(9):
            await it.page.keyboard.press("Tab")
            reached.append(
                await it.page.evaluate(
                    "(({ariaLabel, textContent}) => ariaLabel ?? textContent)(chat.shadowRoot.activeElement)"
                )
            )
        assert reached == [
            *("Statistics", "Conversation", "Type a question", "Send", "Hold", "Open", "Open the microphone"),
            *("Mute", "Volume"),
        ]
        await it.part(".talk").focus()
        await it.page.keyboard.press("Enter")
        await it.until("chat.client.listening === 'open'")
        await it.page.keyboard.press("Space")
        await it.until("chat.client.listening === null")


async def test_statistics_can_be_opened(chat):
    async with chat() as it:
        await it.ask("What do lions eat?")
        await it.answer()
        await it.part("[aria-label=Statistics]").click()
        figures = await it.part(".figures").inner_text()
        assert "Connected since" in figures
        assert re.search(r"Messages\s+2\n", figures)


async def test_all_stages_of_a_turn_are_seen_in_their_order(chat):
    async with chat('language="en"', translator=ScriptedTranslator()) as it:
        for target, work in (("", "Thinking"), ("es", "Translating")):
            if target:
                await it.page.evaluate("target => chat.setAttribute('interpret', target)", target)
            await it.page.evaluate(NOTE_STAGES)
            await it.part(".talk").click()
            await it.longer_than_a_tap()
            await it.part(".talk").click()
            await it.until("said.at(-1) === 'Ready'")
            assert await it.page.evaluate("said") == ["Listening", "Transcribing", work, "Speaking", "Ready"]
            assert await it.page.evaluate("seen") == await it.page.evaluate("said.slice(0, -1)")
        steps = await it.part(".step:visible").all_text_contents()
        assert steps == ["Listening", "Transcribing", "Thinking", "Translating", "Speaking"]


async def test_nothing_moves_for_who_wants_no_motion(chat):
    async with chat(llm=ScriptedLanguageModel(("Yes.",), first_s=600), page={"reduced_motion": "reduce"}) as it:
        await it.ask("What do lions eat?")
        await it.part(".waiting .dots").wait_for()
        await it.part(".step.thinking.now").wait_for()
        assert await it.page.evaluate(MOVING) == []
        await it.page.emulate_media(reduced_motion="no-preference")
        await it.until(f"({MOVING})().length > 3")  # three dots and the stage's picture: it would have been seen


async def test_answer_can_be_heard_again(chat):
    async with chat() as it:
        await it.ask("What do lions eat?")
        await it.answer()
        await it.until("chat.shadowRoot.querySelector('.stop').disabled")
        await it.part(".entry").get_by_text("Listen").click()
        await it.until("!chat.shadowRoot.querySelector('.stop').disabled")
        await it.until("chat.shadowRoot.querySelector('.stop').disabled")


async def test_keys_in_what_the_page_put_there_are_the_pages(chat):
    async with chat() as it:
        await it.page.evaluate(
            """chat.addEventListener("turn", ({ detail: { element } }) => {
                element.append(document.createElement("details"));
                element.firstChild.append(document.createElement("summary"), "more");
            })"""
        )
        await it.ask("What do lions eat?")
        await it.answer()
        await it.page.locator("summary").focus()
        await it.page.keyboard.press("Space")
        await it.page.locator("details[open]").wait_for()
        assert await it.page.evaluate("chat.client.listening") is None


async def test_only_the_text_of_what_comes_is_shown(chat):
    async with chat(llm=ScriptedLanguageModel(("<img src=x onerror=alert(1)> ", "is a tag."))) as it:
        await it.ask("<b>What</b>?")
        await it.answer("<img src=x onerror=alert(1)> is a tag.")
        assert await it.part(".mine .text").text_content() == "<b>What</b>?"
        assert await it.part("img").count() == 0


# ---------------------------------------------------------------- what goes wrong, and the way out


async def test_denied_microphone_offers_to_type(chat):
    async with chat(page={"permissions": ()}) as it:
        await it.part(".talk").click()
        notice = it.part("[data-code=microphone_denied]")
        await notice.wait_for()
        assert "address bar" in await notice.inner_text()
        assert "not allowed" in await it.told("error")
        await notice.get_by_text("Type instead").click()
        await it.until("chat.shadowRoot.activeElement?.name === 'question'")


async def test_asking_for_the_microphone_is_shown_and_can_be_called_off(chat):
    async with chat(apart=True) as it:
        await it.page.evaluate("void (navigator.mediaDevices.getUserMedia = () => new Promise(() => {}))")
        await it.part(".talk").click()
        await it.part(".hint").get_by_text("Waiting for the microphone").wait_for()
        assert await it.part(".talk").get_attribute("aria-pressed") == "false"
        await it.part(".talk").click()
        await it.part(".hint").get_by_text("Hold the button").wait_for()
        assert await it.page.evaluate("chat.client.listening") is None


async def test_space_bar_that_comes_up_elsewhere_has_come_up(chat):
    async with chat(body="<input>") as it:
        await it.part(".log").focus()
        await it.page.keyboard.down("Space")
        await it.longer_than_a_tap()
        await it.page.locator("body > input").focus()
        await it.answer()


async def test_hub_that_wants_a_token_is_given_one(chat):
    async with chat(config={"http": {"host": "0.0.0.0", "mdns": False}}) as it:
        token = it.hub.storage.issue_token("visitor", "admin")
        await it.part(".talk").click()
        field = it.part("[data-code=unauthorized] input")
        await field.fill(token)
        await it.page.keyboard.press("Enter")
        await it.part(".state").get_by_text("Connected", exact=True).wait_for()
        assert await it.part(".notice").is_hidden()


async def test_microphone_can_be_tried_again(chat):
    async with chat(page={"permissions": ()}) as it:
        await it.part(".talk").click()
        again = it.part("[data-code=microphone_denied]").get_by_text("Try the microphone again")
        await again.wait_for()
        await it.page.context.grant_permissions(["microphone"])
        await again.click()
        await it.until("chat.client.listening === 'push_to_talk'")


async def test_dead_hub_is_told_and_can_be_tried_again(chat, house, unused_tcp_port):
    async with chat(f'hub="http://127.0.0.1:{unused_tcp_port}"') as it:
        await it.ask("What do lions eat?")
        notice = it.part("[data-code=unreachable]")
        await notice.wait_for()
        assert "Is it running" in await notice.inner_text()
        assert await it.part(".state").inner_text() == "Not connected"
        assert await it.part(".failed").get_by_text("This could not be sent.").count() == 1
        await it.page.evaluate("hub => chat.setAttribute('hub', hub)", it.hub.addresses["http"])
        await it.part(".failed").get_by_text("Ask again").click()
        await it.answer()
        assert await it.part(".notice").is_hidden()
        it.page.troubles.clear()  # the browser logs what could not be reached


async def test_lost_connection_is_shown_until_it_is_back(chat):
    async with chat() as it:
        proxy = StallingProxy(URL(it.hub.addresses["http"]).port, every_s=3_600)
        async with proxy.running() as port:
            await it.page.evaluate(f"chat.setAttribute('hub', 'http://127.0.0.1:{port}')")
            await it.page.evaluate("chat.startSession()")
            await it.part(".state").get_by_text("Connected").wait_for()
            proxy.there = False
            proxy.cut()
            await it.part(".state").get_by_text("Connection lost; it comes back by itself").wait_for()
            assert await it.part(".notice").is_hidden()
            proxy.there = True
            await it.part(".state").get_by_text("Connected").wait_for()
            await it.ask("What do lions eat?")
            await it.answer()
            await it.page.evaluate("chat.endSession()")
        it.page.troubles.clear()  # the browser logs each try


async def test_failed_turn_can_be_asked_again(chat):
    model = ScriptedLanguageModel(("Yes. ", "Lions eat meat. ", "They sleep a lot."), fault="raise")
    async with chat(llm=model) as it:
        await it.ask("What do lions eat?")
        again = it.part(".failed").get_by_text("Ask again")
        await again.wait_for()
        assert await it.told("error")
        model.fault = ""
        await again.click()
        await it.answer()


async def test_question_that_the_hub_refuses_says_why(chat):
    async with chat(config={"limits": {"text_chars": 10}}) as it:
        await it.ask("What do lions eat?")
        await it.part(".failed").get_by_text("characters").wait_for()
        assert "characters" in await it.told("error")


async def test_session_that_lasts_too_long_can_be_begun_anew(chat):
    async with chat('max-session-duration="200"') as it:
        await it.page.evaluate("chat.startSession()")
        notice = it.part("[data-code=session_over]")
        await notice.wait_for()
        await notice.get_by_text("Try again").click()
        await it.part(".state").get_by_text("Connected", exact=True).wait_for()
