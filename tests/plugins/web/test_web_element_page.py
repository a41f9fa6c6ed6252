"""The element <mynah-voice-chat>, as its page uses it: methods, events, properties, attributes."""

from __future__ import annotations

import json

import pytest

from counterparts.browser import Mp3Voice
from counterparts.chat import until
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, ScriptedTranslator

pytestmark = pytest.mark.asyncio(loop_scope="session")


def mp3_voice():
    return Mp3Voice(ScriptedTextToSpeech())


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


@pytest.mark.parametrize(
    ("voice", "kind"), [(ScriptedTextToSpeech(), "audio/wav"), (Mp3Voice(ScriptedTextToSpeech()), "audio/mpeg")]
)
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
    async with chat(translator=ScriptedTranslator(), apart=True) as it:
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
