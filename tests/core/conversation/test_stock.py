"""Stock phrases: which there are, and that they are spoken ahead while nobody is there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from mynah.bus import EventBus
from mynah.conversation.persona import Persona
from mynah.conversation.stock import Rehearsal, StockPhrase, stock_phrases
from mynah.engines.open_engine import OpenEngine
from mynah.engines.speech_cache import SpeechCache
from mynah.errors import ConfigError
from mynah.speakers import Speakers
from mynah.specs import PersonaSpec
from mynah.testing.engines import ScriptedTextToSpeech, scripted
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.values import Voice

OWL = PersonaSpec(
    name="owl", title="An owl", voice=Voice("wise", rate=0.9), language="en", greeting="Hoo, good evening. Ask me!",
    unknown="Nobody knows.", not_understood="Say that again.", acknowledgement="Hmm, let me see.",
)  # fmt: skip
CROW = PersonaSpec(name="crow", title="A crow", language="de", unknown="Keine Ahnung.", not_understood="Wie bitte?",
                   acknowledgement="")  # fmt: skip
PERSONAS = {spec.name: Persona(spec) for spec in (CROW, OWL)}


def texts(phrases):
    return [phrase.text for phrase in phrases]


# ---------------------------------------------------------------- which there are


def test_they_are_cut_as_a_turn_cuts_them_and_have_the_personas_voice_and_language():
    found = stock_phrases({"owl": Persona(OWL)}, (), None)
    assert texts(found) == ["Hmm, let me see.", "Hoo,", "good evening.", "Ask me!", "Say that again.", "Nobody knows."]
    assert {(phrase.voice, phrase.language) for phrase in found} == {(Voice("wise", rate=0.9), "en")}


def test_without_early_phrases_they_are_whole_sentences():
    found = stock_phrases({"owl": Persona(OWL)}, (), None, early=False)
    assert texts(found)[1:3] == ["Hoo, good evening.", "Ask me!"]


def test_every_persona_has_its_own_and_none_comes_twice():
    found = stock_phrases(PERSONAS, (), None)
    assert StockPhrase("Wie bitte?", Voice(), "de") in found
    assert StockPhrase("Say that again.", Voice("wise", rate=0.9), "en") in found
    assert len(found) == len(set(found)) == 8


def test_a_speaker_adds_what_its_language_makes_of_them():
    speakers = Speakers({"perch": {"persona": "owl", "language": "fr"}, "nest": {"persona": "unheard_of"}}, {})
    found = stock_phrases(PERSONAS, speakers, None)
    assert StockPhrase("Say that again.", Voice("wise", rate=0.9), "fr") in found
    assert StockPhrase("Say that again.", Voice("wise", rate=0.9), "en") in found


def test_a_speaker_without_a_persona_has_the_default_one():
    speakers = Speakers({"perch": {"language": "fr"}}, {})
    assert {p.text for p in stock_phrases(PERSONAS, speakers, "owl") if p.language == "fr"} >= {"Nobody knows."}
    assert {p.text for p in stock_phrases(PERSONAS, speakers, None) if p.language == "fr"} >= {"Wie bitte?"}


def test_a_speakers_context_is_in_its_greeting(tmp_path):
    file = tmp_path / "animals.yaml"
    file.write_text("subjects: [{id: owl, name: barn owl}]")
    guide = PersonaSpec(name="guide", title="A guide", greeting="Welcome. Here live the {subject}.", knowledge=(file,))
    speakers = Speakers({"perch": {"context": {"exhibit": "owl"}}}, {})
    found = texts(stock_phrases({"guide": Persona(guide)}, speakers, None))
    assert "Welcome." in found
    assert "Here live the barn owls." in found


# ---------------------------------------------------------------- speaking them


class Opened:
    """Says that an engine has opened, when told to."""

    def __init__(self):
        self.queue = asyncio.Queue()

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self.queue.get()


class Stage:
    """A rehearsal of the owl's phrases by a scripted voice; someone may be `busy`."""

    def __init__(self, folder, engine, *, cached=True):
        self.cache = SpeechCache(folder, memory_bytes=1 << 20, disk_bytes=0)
        self.is_busy = False
        self.opened = Opened()
        config = {"engine": "voice", "first_timeout": 5.0, "next_timeout": 5.0}
        made = self.cache.keeping(scripted("tts", engine, name="voice", cached=cached))
        self.engine = OpenEngine(made, config, None, EventBus())

    @asynccontextmanager
    async def running(self, phrases=lambda: stock_phrases({"owl": Persona(OWL)}, (), None)):
        tasks = [asyncio.ensure_future(self.engine.keep_open())]
        await self.engine.settled.wait()
        rehearsal = Rehearsal(self.engine, phrases, lambda: self.is_busy, 30.0)
        tasks.append(asyncio.ensure_future(rehearsal.run(self.opened)))
        try:
            yield tasks[1]
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.wait({task})
            await self.cache.close()


async def settle(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # a thread comes in between
            await asyncio.sleep(0.01)


async def test_each_is_said_once_one_after_the_other(tmp_path, caplog):
    caplog.set_level("INFO")
    engine = ScriptedTextToSpeech(total_s=0.01)
    stage = Stage(tmp_path, engine)
    async with stage.running():
        await settle(lambda: "spoken 6 stock phrases ahead" in caplog.text)
        stage.opened.queue.put_nowait(None)
        await asyncio.sleep(0.05)
    assert engine.calls.begun == 6
    assert engine.calls.most == 1
    assert {language for _, language in engine.said} == {"en"}


async def test_a_phrase_that_is_kept_already_is_not_said_again(tmp_path):
    engine = ScriptedTextToSpeech()
    stage = Stage(tmp_path, engine)
    async with stage.running(lambda: [StockPhrase("Hello.", Voice(), "en")] * 2 + [StockPhrase("Bye.", Voice(), "en")]):
        await settle(lambda: len(engine.said) == 2)
    assert [text for text, _ in engine.said] == ["Hello.", "Bye."]


async def test_nothing_is_said_while_somebody_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.conversation.stock.BUSY_POLL_S", 0.005)
    engine = ScriptedTextToSpeech()
    stage = Stage(tmp_path, engine)
    stage.is_busy = True
    async with stage.running():
        await asyncio.sleep(0.1)
        assert engine.calls.begun == 0
        stage.is_busy = False
        await settle(lambda: engine.calls.begun == 6)


async def test_a_phrase_is_left_when_somebody_comes_and_said_later(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.conversation.stock.BUSY_POLL_S", 0.005)
    engine = ScriptedTextToSpeech(total_s=0.2, pieces=20)
    stage = Stage(tmp_path, engine)
    async with stage.running(lambda: [StockPhrase("Hello.", Voice(), "en")]):
        await settle(lambda: engine.calls.begun == 1)
        stage.is_busy = True
        await settle(lambda: engine.calls.ended == 1)
        assert stage.cache.describe()["memory_entries"] == 0
        stage.is_busy = False
        await settle(lambda: stage.cache.describe()["memory_entries"] == 1)
    assert engine.calls.begun == 2


async def test_a_voice_that_fails_is_told_of_once_and_tried_again_when_it_reopens(tmp_path, caplog):
    caplog.set_level("INFO")
    engine = ScriptedTextToSpeech(fault="raise")
    stage = Stage(tmp_path, engine)
    async with stage.running():
        await settle(lambda: "does not speak stock phrases ahead" in caplog.text)
        stage.opened.queue.put_nowait(None)  # another engine
        await asyncio.sleep(0.05)
        assert engine.calls.begun == 1
        engine.fault = ""
        stage.engine.openings += 1
        stage.opened.queue.put_nowait(None)
        await settle(lambda: engine.calls.begun == 7)
    assert caplog.text.count("does not speak stock phrases ahead") == 1
    assert "WARNING" not in caplog.text


def test_a_voice_that_hangs_is_given_up(tmp_path, caplog):
    caplog.set_level("INFO")

    async def hang():
        stage = Stage(tmp_path, ScriptedTextToSpeech(fault="hang"))
        async with stage.running():
            await settle(lambda: "gave nothing for 5 s" in caplog.text)

    run_in_virtual_time(hang())


async def test_faulty_knowledge_is_told_and_nothing_is_said(tmp_path, caplog):
    caplog.set_level("INFO")

    def faulty():
        raise ConfigError([])

    engine = ScriptedTextToSpeech()
    async with Stage(tmp_path, engine).running(faulty) as rehearsal:
        await rehearsal
    assert engine.calls.begun == 0
    assert "stock phrases are not spoken ahead" in caplog.text


async def test_a_voice_without_a_cache_says_nothing(tmp_path):
    engine = ScriptedTextToSpeech()
    async with Stage(tmp_path, engine, cached=False).running():
        await asyncio.sleep(0.05)
    assert engine.calls.begun == 0
