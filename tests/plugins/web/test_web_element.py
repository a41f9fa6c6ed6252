"""The element <mynah-voice-chat>, alone in a page of another origin: what people can do with it, and what pages can."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing, asynccontextmanager

import pytest
import pytest_asyncio
from yarl import URL

from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, ScriptedTranslator, as_mp3

pytestmark = pytest.mark.asyncio(loop_scope="session")
REPLY = "Yes. Lions eat meat. They sleep a lot."
LONG = ScriptedTextToSpeech(ms_per_word=5_000)
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Elsewhere</title>
    <link rel="icon" href="data:,">
    <script type="module" src="{hub}/web/element/mynah-voice-chat.js"></script>
    <style>.note {{ color: rgb(1, 2, 3) }}</style>
  </head>
  <body>{body}</body>
</html>"""
EVENTS = ("transcription-complete", "voice-response", "error", "session-status", "turn", "client")
NOTE = f"""() => {{
  globalThis.chat = document.querySelector("mynah-voice-chat");
  globalThis.told = [];
  for (const type of {json.dumps(EVENTS)}) {{
    chat.addEventListener(type, ({{ detail }}) => told.push([type, type === "client" ? null : detail]));
  }}
}}"""


class Chat:
    """The element in a page, as a person and as the page use it."""

    def __init__(self, page):
        self.page = page
        self.hub = page.hub
        self.said = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.said.append(frame)))

    def part(self, selector):
        return self.page.locator(f"mynah-voice-chat {selector}")

    async def ask(self, question):
        await self.part(".question").fill(question)
        await self.page.keyboard.press("Enter")

    async def answer(self, text=REPLY):
        await self.part(".entry[aria-busy=false] .theirs .text").last.get_by_text(text, exact=True).wait_for()

    async def hold(self):
        box = await self.part(".talk").bounding_box()
        await self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await self.page.mouse.down()

    async def longer_than_a_tap(self):
        """Wait until the microphone has been on for so long that it was no tap, and something was said."""
        await self.part(".mine .partial").get_by_text("what do").wait_for()
        await self.until(f"performance.now() > {await self.page.evaluate('performance.now()')} + 350")

    async def until(self, condition):
        return await (await self.page.wait_for_function(condition)).json_value()

    async def told(self, event):
        """Wait for an event; return what it told first."""
        return await self.until(f"told.find(([type]) => type === '{event}')?.[1]")

    @property
    def texts(self):
        return [frame for frame in self.said if isinstance(frame, str)]

    @property
    def hello(self):
        return json.loads(self.texts[0])


class Relay:
    """A port that passes on to a hub, and can be cut."""

    def __init__(self):
        self.to = ""
        self._server = None
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(self, *_):
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def mend(self):
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)

    async def _pass(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        url = URL(self.to)
        there, back = await asyncio.open_connection(url.host, url.port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, back))
                both.create_task(_copy(there, writer))
        finally:
            writer.transport.abort()
            back.transport.abort()


async def _copy(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(elsewhere):
    """Open the element in a page: `async with chat('language="en"', **engines) as it`, `body` being more of it."""

    @asynccontextmanager
    async def open_chat(attributes="", *, body="", **options):
        element = f"<mynah-voice-chat {attributes}></mynah-voice-chat>{body}"
        async with elsewhere(lambda hub: {"/": PAGE.format(hub=hub, body=element)}, **options) as page:
            await page.evaluate(NOTE)
            await page.wait_for_selector("mynah-voice-chat .talk")
            yield Chat(page)

    return open_chat


# ---------------------------------------------------------------- a person


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
    async with chat('mode="open"') as it:
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


async def test_asking_for_the_microphone_is_shown(chat):
    async with chat() as it:
        await it.page.evaluate("void (navigator.mediaDevices.getUserMedia = () => new Promise(() => {}))")
        await it.part(".talk").click()
        await it.part(".hint").get_by_text("Waiting for the microphone").wait_for()
        assert await it.part(".talk").get_attribute("aria-pressed") == "false"


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
    async with Relay() as relay, chat(f'hub="{relay.address}"') as it:
        relay.to = it.hub.addresses["http"]
        await it.page.evaluate("chat.startSession()")
        await it.part(".state").get_by_text("Connected").wait_for()
        relay.cut()
        await it.part(".state").get_by_text("Connection lost; it comes back by itself").wait_for()
        assert await it.part(".notice").is_hidden()
        await relay.mend()
        await it.part(".state").get_by_text("Connected").wait_for()
        await it.ask("What do lions eat?")
        await it.answer()
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


# ---------------------------------------------------------------- a page: methods, events, properties


async def test_session_is_opened_and_ended_by_the_page(chat):
    async with chat() as it:
        assert it.hub.sessions() == []
        assert await it.page.evaluate("chat.startSession()") is True
        assert len(it.hub.sessions()) == 1
        await it.page.evaluate("chat.endSession()")
        assert await it.page.evaluate("chat.getSessionStats().isActive") is False
        await until(lambda: not it.hub.sessions())


async def test_page_has_a_text_spoken(chat):
    voice = ScriptedTextToSpeech()
    async with chat(tts=voice) as it:
        assert await it.page.evaluate("chat.generateSpeech('Welcome to the zoo.')") is True
        await it.answer("Welcome to the zoo.")
        assert [text for text, _ in voice.said] == ["Welcome to the zoo."]
        assert await it.part(".mine").is_hidden()


async def test_page_asks(chat):
    async with chat() as it:
        assert await it.page.evaluate("chat.ask('What do lions eat?')") is True
        await it.answer()


async def test_methods_tell_whether_it_was_done(chat, unused_tcp_port):
    async with chat(f'hub="http://127.0.0.1:{unused_tcp_port}"') as it:
        assert await it.page.evaluate("chat.startSession()") is False
        assert await it.told("error") == "The hub does not answer."
        it.page.troubles.clear()


async def test_statistics_are_those_of_the_older_wire(chat):
    async with chat() as it:
        await it.ask("What do lions eat?")
        await it.answer()
        statistics = await it.page.evaluate("chat.getSessionStats()")
        assert statistics.keys() == {
            *("sessionId", "createdAt", "lastActivity", "isActive", "language", "conversationEntries"),
            *("bufferChunks", "bufferSize", "pendingTranscriptions", "pendingResponses"),
        }
        assert statistics["isActive"] is True
        assert statistics["conversationEntries"] == 2
        assert [each["id"] for each in it.hub.sessions()] == [statistics["sessionId"]]


async def test_session_status_comes_with_each_turn(chat):
    async with chat() as it:
        await it.ask("What do lions eat?")
        told = await it.until(
            "told.find(([type, told]) => type === 'session-status' && told.conversationEntries === 2)?.[1]"
        )
        assert told["isActive"] is True


async def test_transcription_is_told_to_the_page(chat):
    async with chat() as it:
        await it.part(".talk").click()
        await it.part(".mine .partial").wait_for()
        await it.part(".talk").click()
        assert await it.told("transcription-complete") == "what do lions eat"


class Mp3Voice:
    """The scripted voice, as MP3."""

    async def synthesize(self, text, *, voice, language):
        async with aclosing(as_mp3(ScriptedTextToSpeech().synthesize(text, voice=voice, language=language))) as pieces:
            async for piece in pieces:
                for chunk in piece:
                    yield chunk


@pytest.mark.parametrize(("voice", "kind"), [(ScriptedTextToSpeech(), "audio/wav"), (Mp3Voice(), "audio/mpeg")])
async def test_whole_answer_is_told_as_an_address(chat, voice, kind):
    async with chat(tts=voice) as it:
        await it.ask("What do lions eat?")
        url = await it.told("voice-response")
        assert url.startswith("blob:")
        media, seconds = await it.page.evaluate(
            """async (url) => {
                const blob = await (await fetch(url)).blob();
                const sound = await new AudioContext().decodeAudioData(await blob.arrayBuffer());
                return [blob.type, sound.duration];
            }""",
            url,
        )
        assert media == kind
        assert 0.8 <= seconds < 1.3  # eight words; MP3 adds a frame or two to each phrase


async def test_addresses_are_good_for_the_last_answers_only(chat):
    async with chat(llm=ScriptedLanguageModel(("Yes.",))) as it:
        for number in range(9):
            await it.page.evaluate("chat.ask('Really?')")
            await it.until(f"told.filter(([type]) => type === 'voice-response').length === {number + 1}")
        first, *rest = await it.page.evaluate(
            "told.filter(([type]) => type === 'voice-response').map(([, url]) => url)"
        )
        read = "url => fetch(url).then(() => true, () => false)"
        assert await it.page.evaluate(read, first) is False
        assert await it.page.evaluate(read, rest[-1]) is True
        await it.page.evaluate("chat.remove()")
        assert await it.page.evaluate(read, rest[-1]) is False
        it.page.troubles.clear()  # the browser logs what could not be read


async def test_page_puts_its_own_below_an_answer(chat):
    async with chat() as it:
        await it.page.evaluate(
            """chat.addEventListener("turn", ({ detail: { turn, element } }) => {
                element.className = "note";
                element.textContent = turn;
            })"""
        )
        await it.ask("What do lions eat?")
        await it.answer()
        note, answer = it.page.locator(".note"), it.part(".theirs")
        assert await note.evaluate("note => getComputedStyle(note).color") == "rgb(1, 2, 3)"
        top = (await note.bounding_box())["y"]
        assert top >= (await answer.bounding_box())["y"]


async def test_removed_element_ends_its_session(chat):
    async with chat() as it:
        await it.page.evaluate("chat.startSession()")
        await it.page.evaluate("chat.remove()")
        await until(lambda: not it.hub.sessions())


async def test_moved_element_goes_on(chat):
    async with chat() as it:
        await it.page.evaluate("chat.startSession()")
        await it.page.evaluate(
            "document.body.append(document.createElement('section')); document.querySelector('section').append(chat)"
        )
        assert await it.page.evaluate("chat.client.state") == "connected"
        await it.ask("What do lions eat?")
        await it.answer()


async def test_context_and_token_go_into_the_first_message(chat):
    async with chat() as it:
        await it.page.evaluate("Object.assign(chat, {token: 'mk_x', context: {exhibit: 'lion'}}).startSession()")
        assert it.hello["token"] == "mk_x"
        assert it.hello["context"] == {"exhibit": "lion"}


async def test_properties_that_were_set_before_the_script_came_are_kept(chat):
    async with chat() as it:
        token = await it.page.evaluate(
            """() => {
                const early = document.implementation.createHTMLDocument("").createElement("mynah-voice-chat");
                early.token = "mk_x"; // a property of its own: in that document there are no elements of ours
                document.body.append(early);
                return [early.token, Object.hasOwn(early, "token")];
            }"""
        )
        assert token == ["mk_x", False]


async def test_later_context_is_told_in_the_same_session(chat):
    async with chat() as it:
        await it.page.evaluate("chat.startSession()")
        await it.page.evaluate("chat.context = {exhibit: 'lion'}")
        await until(lambda: any('"update"' in frame and "lion" in frame for frame in it.texts))


# ---------------------------------------------------------------- attributes


async def test_attributes_are_what_the_session_is_opened_with(chat):
    plain = {"original": False, "parallel": False}
    both = {"source": "en", "original": True, "parallel": True}
    async with chat(translator=ScriptedTranslator()) as it:
        for attributes, told in (
            ({"persona": "sparrow"}, {"persona": "sparrow"}),
            ({"language": "de"}, {"language": "de"}),
            ({"tracks": "all"}, {"tracks": "all"}),
            ({"interpret": "es"}, {"interpret": {"target": "es", **plain}}),
            ({"interpret": "es", "parallel": "false"}, {"interpret": {"target": "es", **plain}}),
            (
                {"language": "en", "interpret": "es", "parallel": "", "tracks": "all"},
                {"language": "en", "tracks": "all", "interpret": {"target": "es", **both}},
            ),
        ):
            it.said.clear()
            assert await it.page.evaluate(
                """async (attributes) => {
                    await chat.endSession();
                    for (const name of chat.getAttributeNames()) chat.removeAttribute(name);
                    for (const [name, value] of Object.entries(attributes)) chat.setAttribute(name, value);
                    return chat.startSession();
                }""",
                attributes,
            )
            hello = next(json.loads(frame) for frame in it.texts if '"hello"' in frame)
            assert {name: hello[name] for name in told} == told
            assert hello.keys() - told.keys() <= {"type", "version", "plays"}


async def test_interpretation_shows_both_texts(chat):
    async with chat('language="en" interpret="es"', translator=ScriptedTranslator()) as it:
        assert await it.part(".step.translating").is_visible()
        await it.ask("good morning")
        await it.answer("es GOOD MORNING")


async def test_language_and_persona_change_within_the_session(chat):
    async with chat() as it:
        await it.page.evaluate("chat.startSession()")
        session = await it.page.evaluate("chat.client.session")
        await it.page.evaluate("chat.setAttribute('language', 'de')")
        await until(lambda: any('"update"' in frame and '"de"' in frame for frame in it.texts))
        assert await it.page.evaluate("chat.client.session") == session


async def test_other_attributes_are_for_the_next_session(chat):
    async with chat() as it:
        await it.page.evaluate("chat.startSession()")
        await it.page.evaluate("chat.setAttribute('tracks', 'all')")
        await until(lambda: not it.hub.sessions())
        await it.page.evaluate("chat.startSession()")
        hellos = [json.loads(frame) for frame in it.texts if '"hello"' in frame]
        assert [hello.get("tracks") for hello in hellos] == [None, "all"]
        assert "resume" not in hellos[1]
        assert await it.page.evaluate("told.filter(([type]) => type === 'client').length") == 2


@pytest.mark.parametrize("ms", [20, 100])
async def test_chunk_duration_is_how_much_a_frame_holds(chat, ms):
    hears = ScriptedSpeechToText()
    async with chat(f'chunk-duration="{ms}"', stt=hears) as it:
        await it.part(".talk").click()
        await it.part(".mine .partial").get_by_text("eat").wait_for()
        await it.part(".talk").click()
        await it.answer()
        frames = [frame for frame in it.said if isinstance(frame, bytes)]
        heard_ms = len(hears.heard) / 32
        assert heard_ms / len(frames) == pytest.approx(ms, rel=0.5)


async def test_answers_wait_to_be_played_where_the_page_says_so(chat):
    async with chat('auto-play-responses="false"') as it:
        await it.page.evaluate("chat.client.addEventListener('playing', () => told.push(['playing', true]))")
        await it.ask("What do lions eat?")
        await it.told("voice-response")
        await it.part(".entry").get_by_text("Listen").wait_for()
        assert await it.page.evaluate("told.some(([type]) => type === 'playing')") is False


async def test_without_speech_there_is_nothing_to_listen_to(chat):
    async with chat('enable-tts="false"') as it:
        await it.ask("What do lions eat?")
        await it.answer()
        assert await it.part(".entry").get_by_text("Listen").count() == 0
        assert await it.page.evaluate("told.some(([type]) => type === 'voice-response')") is False


async def test_speaks_the_pages_language(chat):
    more = '<div lang="es"><mynah-voice-chat></mynah-voice-chat></div><mynah-voice-chat lang="xx"></mynah-voice-chat>'
    async with chat('ui-language="zh" lang="es"', body=more, page={"locale": "de-DE"}) as it:
        for number, words in enumerate(("输入问题", "Escribe una pregunta", "Schreib eine Frage")):
            await it.page.locator("mynah-voice-chat").nth(number).get_by_placeholder(words).wait_for()


async def test_language_of_buttons_changes_and_the_conversation_stays(chat):
    async with chat() as it:
        await it.ask("What do lions eat?")
        await it.answer()
        await it.page.evaluate("chat.setAttribute('ui-language', 'de')")
        await it.part("[placeholder='Schreib eine Frage']").wait_for()
        await it.answer()


async def until(condition):
    """Wait for what the hub does by itself."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # it is the hub's own business, nobody tells
            await asyncio.sleep(0.01)
