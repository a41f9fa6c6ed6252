"""The speaker in Python that stands in where MicroPython has no build."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from mynah.audio import LISTENING, wav_header
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, run_hub, scripted_engines
from mynah.testing.stand_in import StandInSpeaker

INSTALLED = ("http", "websocket")


@pytest.fixture
def question(tmp_path):
    """A file for the microphone, whose samples count up."""
    pcm = b"".join((n % 9000 + 100).to_bytes(2, "little") for n in range(16 * 200))
    file = tmp_path / "question.wav"
    file.write_bytes(wav_header(LISTENING, len(pcm)) + pcm)
    return file


class Told(list):
    """What the speaker has told: lines, and states."""

    @property
    def phases(self):
        return [each["phase"] for each in self if not isinstance(each, str)]

    @property
    def connections(self):
        return [each["hub"] for each in self if not isinstance(each, str)]

    async def until(self, found):
        async with asyncio.timeout(10):
            while not any(found(each) for each in self):  # noqa: ASYNC110  # it tells by a callback
                await asyncio.sleep(0.02)


@asynccontextmanager
async def conversation(folder, *, words=4, config=None, **settings):
    """A hub, its recogniser, a speaker that is connected to it, and what that has told."""
    stt, tokens = ScriptedSpeechToText(text="hello"), [f"word{n} " for n in range(words)]
    specs = scripted_engines(
        stt=stt, llm=ScriptedLanguageModel(tokens=tokens), tts=ScriptedTextToSpeech(ms_per_word=100)
    )
    (folder / "speaker").mkdir()
    told = Told()
    async with run_hub(folder, specs=specs, config=config, installed=INSTALLED) as hub:
        url = hub.addresses["http"].replace("http", "ws") + "/ws/v1"
        async with StandInSpeaker(folder / "speaker", hub=url, told=told.append, **settings) as speaker:
            await speaker.tell("watch")
            await speaker.connected()
            yield hub, stt, speaker, told


async def test_it_asks_what_its_microphone_hears_and_plays_the_reply(tmp_path, question):
    async with conversation(tmp_path, id="hall", config={"speakers": {"hall": {}}}) as (hub, stt, speaker, told):
        assert hub.speakers()[0]["online"]
        await speaker.tell(f"ask {question}")
        last = await speaker.played()
        await speaker.quit()
        assert question.read_bytes()[44:] in bytes(stt.heard)
    assert abs(len(speaker.sound()) / 32 - 400) < 60
    assert (last["underruns"], last["hub"]) == (0, True)
    phases = told.phases
    assert phases.index("listening") < phases.index("speaking")
    assert phases[-1] == "idle"


async def test_the_button_silences_it_and_the_hub(tmp_path, question):
    async with conversation(tmp_path, words=60) as (_, _, speaker, told):
        await speaker.tell(f"ask {question}")
        await told.until(lambda each: not isinstance(each, str) and each["phase"] == "speaking")
        await asyncio.sleep(0.3)
        await speaker.tell("press")
        await told.until(lambda each: told.phases[-1] == "listening")
        sounded = len(speaker.sound())
        await asyncio.sleep(0.4)
        assert len(speaker.sound()) == sounded
        await speaker.tell("release")
    assert sounded < 2 * 32_000


async def test_a_lost_connection_is_told_and_made_again(tmp_path):
    async with conversation(tmp_path) as (hub, _, _, told):
        for session in hub.sessions():
            hub.close_session(session["id"])
        await told.until(lambda each: isinstance(each, str) and each.startswith("hub: "))
        await told.until(lambda each: told.connections[-2:] == [False, True])


async def test_a_hub_that_does_not_let_it_in_is_told(tmp_path):
    told = Told()
    async with run_hub(tmp_path, specs=scripted_engines(), config={"http": {"host": "0.0.0.0", "mdns": False}},
                       installed=INSTALLED) as hub:  # fmt: skip
        url = f"ws://127.0.0.1:{hub.addresses['http'].rsplit(':', 1)[1]}/ws/v1"
        async with StandInSpeaker(tmp_path, hub=url, id="hall", token="wrong", told=told.append):
            await told.until(lambda each: isinstance(each, str) and "token" in each)
    assert not any("wrong" in each for each in told if isinstance(each, str))


async def test_a_recording_that_is_none_is_told_and_nothing_is_asked(tmp_path):
    async with conversation(tmp_path) as (_, _, speaker, told):
        await speaker.tell(f"ask {tmp_path / 'missing.wav'}")
        await told.until(lambda each: isinstance(each, str) and "missing.wav" in each)
        assert set(told.phases) <= {"idle"}
