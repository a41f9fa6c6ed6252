"""The speech cache in a hub: what is kept asks no voice, and stock phrases are there when they are needed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from mynah.archive import Archive
from mynah.audio import LISTENING
from mynah.errors import EngineError, InputError
from mynah.outputs import LAST, SpeechChunk
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.specs import PersonaSpec
from mynah.storage import Storage
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, run_hub, scripted
from mynah.values import Token, Voice

OWL = PersonaSpec(
    name="owl", title="An owl", voice=Voice("wise"), greeting="Hoo, good evening. Ask me about {subject}!",
    unknown="Nobody knows that.", not_understood="Say that again, please.", acknowledgement="Hmm, let me see.",
)  # fmt: skip
PHRASES = 6  # with "{subject}" unknown, the greeting is its first sentence


class Silent:
    """A voice that never says anything, and counts who asked."""

    def __init__(self):
        self.asked = []

    async def synthesize(self, text, *, voice, language):
        self.asked.append(text)
        await asyncio.get_running_loop().create_future()
        yield


def specs_of(voice, *, cached=True, heard=None, reply=("Lions", " eat", " meat", ".")):
    return (
        scripted("stt", heard or ScriptedSpeechToText()),
        scripted("llm", ScriptedLanguageModel(reply)),
        scripted("tts", voice, name="voice", cached=cached),
        OWL,
    )


async def rehearsed(hub, entries=PHRASES):
    await until(lambda: hub.health()["speech_cache"]["memory_entries"] >= entries)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # work in the background, which nobody signals
            await asyncio.sleep(0.002)


async def heard_of(hub, do):
    """Return the audio of the turn that `do(session)` begins."""
    session = hub.open_session(SessionOptions(persona="owl"))
    audio = []
    async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
        do(session)
        async for output in outputs:
            if isinstance(output, SpeechChunk):
                audio.append(output.audio.data)
            if isinstance(output, LAST):
                break
    hub.close_session(session.id)
    return b"".join(audio), output


@pytest.mark.parametrize("do", [lambda s: s.greet(), lambda s: s.say(OWL.unknown), lambda s: s.say(OWL.not_understood)])
async def test_a_first_turn_with_stock_phrases_asks_the_voice_for_nothing(tmp_path, do):
    voice = ScriptedTextToSpeech(first_s=0.005)
    async with run_hub(tmp_path, specs=specs_of(voice)) as hub:
        await rehearsed(hub)
        asked = len(voice.said)
        assert asked == PHRASES
        audio, last = await heard_of(hub, do)
        assert len(voice.said) == asked
        assert audio
        assert last.timeline.engines["tts"] == "voice"


async def test_what_was_not_understood_is_apologised_for_without_the_voice(tmp_path):
    voice, ears = ScriptedTextToSpeech(), ScriptedSpeechToText(text="", understood=False)
    async with run_hub(tmp_path, specs=specs_of(voice, heard=ears)) as hub:
        await rehearsed(hub)

        def speak(session):
            session.listen(LISTENING)
            session.feed(b"\1\0" * 1600)
            session.end_listening()

        audio, last = await heard_of(hub, speak)
        assert last.outcome == "not_understood"
        assert audio
        assert len(voice.said) == PHRASES


async def test_a_reply_that_was_given_before_is_the_same_audio_without_the_voice(tmp_path):
    voice = ScriptedTextToSpeech(marks=True)
    config = {"speech_cache": {"stock_phrases": False}}
    async with run_hub(tmp_path, specs=specs_of(voice), config=config) as hub:
        first, _ = await heard_of(hub, lambda session: session.submit("what do lions eat"))
        again, _ = await heard_of(hub, lambda session: session.submit("what do lions eat"))
        assert first == again
        assert len(voice.said) == 1
        assert hub.health()["speech_cache"] | {"disk_entries": 0, "disk_bytes": 0, "memory_bytes": 0} == {
            "hits": 1, "misses": 1, "memory_entries": 1, "memory_bytes": 0, "disk_entries": 0, "disk_bytes": 0,
        }  # fmt: skip


async def test_after_a_restart_the_disk_has_them(tmp_path):
    voice, silent = ScriptedTextToSpeech(), Silent()
    async with run_hub(tmp_path, specs=specs_of(voice)) as hub:
        await rehearsed(hub)
    async with run_hub(tmp_path, specs=specs_of(silent)) as hub:
        await rehearsed(hub)
        audio, _ = await heard_of(hub, lambda session: session.greet())
        assert audio
    assert silent.asked == []


async def test_stock_phrases_can_be_switched_off(tmp_path):
    voice = ScriptedTextToSpeech()
    async with run_hub(tmp_path, specs=specs_of(voice), config={"speech_cache": {"stock_phrases": False}}) as hub:
        await hub.warm(5)
        await asyncio.sleep(0.05)
    assert voice.said == []


@pytest.mark.parametrize("config", [{"memory_mb": 0, "disk_mb": 0}, None], ids=["switched off", "not wanted"])
async def test_a_voice_without_a_cache_is_left_as_it_is(tmp_path, config):
    voice = ScriptedTextToSpeech()
    specs = specs_of(voice, cached=config is not None)
    async with run_hub(tmp_path, specs=specs, config={"speech_cache": config or {}}) as hub:
        for _ in range(2):
            assert (await heard_of(hub, lambda session: session.say("Hello.")))[0]
        assert set(hub.health()["speech_cache"].values()) == {0}
    assert [text for text, _ in voice.said] == ["Hello."] * 2
    assert not (tmp_path / "data" / "cache").exists()


async def test_only_the_first_voice_of_a_chain_speaks_ahead(tmp_path):
    first, second = ScriptedTextToSpeech(), ScriptedTextToSpeech()
    specs = (*specs_of(first), scripted("tts", second, name="spare", cached=True))
    async with run_hub(tmp_path, specs=specs, config={"engines": {"tts": ["voice", "spare"]}}) as hub:
        await rehearsed(hub)
    assert len(first.said) == PHRASES
    assert second.said == []


async def test_a_speakers_greeting_is_spoken_ahead_in_its_language(tmp_path):
    voice = ScriptedTextToSpeech()
    config = {"speakers": {"perch": {"persona": "owl", "language": "fr"}}}
    async with run_hub(tmp_path, specs=specs_of(voice), config=config) as hub:
        await rehearsed(hub, 2 * PHRASES)
    assert ("good evening.", "fr") in voice.said
    assert ("good evening.", "en") in voice.said


async def test_a_folder_that_cannot_be_written_costs_one_line_and_no_turn(tmp_path, caplog):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cache").write_text("a file where the folder should be")
    voice = ScriptedTextToSpeech()
    async with run_hub(tmp_path, specs=specs_of(voice)) as hub:
        await rehearsed(hub)
        assert (await heard_of(hub, lambda session: session.submit("what do lions eat")))[0]
        assert hub.health()["status"] == "healthy"
    warnings = [record.getMessage() for record in caplog.records if record.name.endswith("speech_store")]
    assert len(warnings) == 1
    assert "the hub goes on without" in warnings[0]


async def test_an_interrupted_reply_leaves_nothing_half_in_the_cache(tmp_path):
    voice = ScriptedTextToSpeech(total_s=5.0, pieces=50)
    config = {"speech_cache": {"stock_phrases": False}}
    async with run_hub(tmp_path, specs=specs_of(voice), config=config) as hub:
        session = hub.open_session(SessionOptions(persona="owl"))
        async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
            session.submit("what do lions eat")
            async for output in outputs:
                if isinstance(output, SpeechChunk):
                    session.interrupt()
                    break
        await until(lambda: voice.calls.ended == 1)
        told = hub.health()["speech_cache"]
        assert (told["memory_entries"], told["disk_entries"]) == (0, 0)


class Moody(ScriptedTextToSpeech):
    """A voice that refuses everything while it is `dead`."""

    dead = False

    async def synthesize(self, text, *, voice, language):
        if self.dead:
            raise EngineError("refused")
        async with aclosing(super().synthesize(text, voice=voice, language=language)) as items:
            async for item in items:
                yield item


@pytest.fixture
def moody_house(tmp_path):
    """A hub whose first voice may die, and whose second never does."""
    voice, spare = Moody(), ScriptedTextToSpeech()
    specs = (*specs_of(voice), scripted("tts", spare, name="spare"))
    config = {
        "engines": {"tts": [{"engine": "voice", "retry_after": 60}, "spare"]},
        "speech_cache": {"stock_phrases": False, "disk_mb": 0},
    }
    return voice, spare, run_hub(tmp_path, specs=specs, config=config)


def state_of(hub, name):
    return next(entry for entry in hub.health()["engines"] if entry["name"] == name)


async def test_what_is_kept_says_nothing_of_how_the_engine_is(moody_house):
    voice, spare, house = moody_house
    async with house as hub:
        await heard_of(hub, lambda session: session.say("Hello."))
        voice.dead = True
        for text in ("One.", "Hello.", "Two.", "Hello.", "Three."):
            assert (await heard_of(hub, lambda session, text=text: session.say(text)))[0]
        told = state_of(hub, "voice")
        assert (told["state"], told["calls"], told["failures"]) == ("resting", 4, 3)
    assert [text for text, _ in spare.said] == ["One.", "Two.", "Three."]


async def test_what_a_resting_voice_has_said_before_is_heard_all_the_same(moody_house):
    voice, spare, house = moody_house
    async with house as hub:
        first, _ = await heard_of(hub, lambda session: session.say("Hello."))
        voice.dead = True
        for text in ("One.", "Two.", "Three."):
            await heard_of(hub, lambda session, text=text: session.say(text))
        again, last = await heard_of(hub, lambda session: session.say("Hello."))
        assert again == first
        assert last.timeline.engines["tts"] == "voice"
        assert last.timeline.troubles == {}
        assert state_of(hub, "voice")["state"] == "resting"
    assert len(spare.said) == 3


# ---------------------------------------------------------------- what goes with a session


async def conversed(hub, words):
    """Hold a turn whose reply is these words, in a session that stays open; return the session's id."""
    session = hub.open_session(SessionOptions(persona="owl"))
    async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
        session.submit(words)
        async for output in outputs:
            if isinstance(output, LAST):
                break
    return session.id


class Echo(ScriptedLanguageModel):
    """Replies with what was asked."""

    async def reply(self, messages, *, grounding, tools=()):
        yield Token(f"{messages[-1].content}.")


def echoing(voice):
    return (scripted("stt", ScriptedSpeechToText()), scripted("llm", Echo()),
            scripted("tts", voice, name="voice", cached=True), OWL)  # fmt: skip


async def files(tmp_path, count):
    folder = tmp_path / "data" / "cache" / "speech"
    await until(lambda: len(list(folder.glob("*.speech"))) == count)


async def test_with_a_session_goes_its_speech_and_stock_phrases_stay(tmp_path):
    voice = ScriptedTextToSpeech()
    async with run_hub(tmp_path, specs=echoing(voice)) as hub:
        await rehearsed(hub)
        first = await conversed(hub, "my own secret")
        second = await conversed(hub, "another ones secret")
        for _ in range(2):
            await conversed(hub, "what everybody asks")
        await files(tmp_path, PHRASES + 3)
        assert await hub.delete_session(first) == 1
        await files(tmp_path, PHRASES + 2)
        assert hub.health()["speech_cache"]["memory_entries"] == PHRASES + 2
        said = len(voice.said)
        await conversed(hub, "another ones secret")
        assert len(voice.said) == said
        await conversed(hub, "my own secret")
        assert len(voice.said) == said + 1
        await hub.delete_session()
        await files(tmp_path, PHRASES)
        assert hub.health()["speech_cache"]["memory_entries"] == PHRASES
        with pytest.raises(InputError):
            await hub.delete_session(second)


async def test_the_speech_of_a_session_that_was_before_a_restart_goes_with_it(tmp_path):
    async with run_hub(tmp_path, specs=echoing(ScriptedTextToSpeech())) as hub:
        await rehearsed(hub)
        session = await conversed(hub, "my own secret")
    async with run_hub(tmp_path, specs=echoing(ScriptedTextToSpeech())) as hub:
        await rehearsed(hub)
        await hub.delete_session(session)
        await files(tmp_path, PHRASES)


async def test_what_a_session_says_after_it_was_deleted_by_another_program_is_not_kept(tmp_path):
    voice = ScriptedTextToSpeech()
    async with run_hub(tmp_path, specs=echoing(voice)) as hub:
        await rehearsed(hub)
        session = hub.open_session(SessionOptions(persona="owl", policy="queue"))
        async with asyncio.timeout(10), aclosing(session.outputs(OutletOptions())) as outputs:
            for words in ("before it", "after it"):
                session.submit(words)
                async for output in outputs:
                    if isinstance(output, LAST):
                        break
                if words == "before it":
                    await files(tmp_path, PHRASES + 1)
                    storage = Storage(tmp_path / "data")
                    await Archive(storage, 30).delete(session.id)
                    storage.close()
        assert {"before it.", "after it."} <= {text for text, _ in voice.said}
        await asyncio.sleep(0.1)
        await files(tmp_path, PHRASES + 1)  # as this other program let the cache be
        assert hub.health()["speech_cache"]["memory_entries"] == PHRASES + 1


async def test_without_a_memory_of_sessions_all_but_stock_phrases_goes(tmp_path):
    voice, config = ScriptedTextToSpeech(), {"sessions": {"keep_days": 0}}
    async with run_hub(tmp_path, specs=echoing(voice), config=config) as hub:
        await rehearsed(hub)
        session = await conversed(hub, "my own secret")
        await files(tmp_path, PHRASES + 1)
        await hub.delete_session(session)
        await files(tmp_path, PHRASES)
