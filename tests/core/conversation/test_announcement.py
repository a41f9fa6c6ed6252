"""Announcements: made once for all who say it, begun together, followed to the end of each loudspeaker."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import Any

import pytest

from mynah.audio import LISTENING, AudioFormat
from mynah.audio.chime import chime
from mynah.conversation import revoicing
from mynah.errors import InputError
from mynah.outputs import LAST, Interrupted, PhraseReady, SpeechChunk, SpeechStarted, TurnFinished, VolumeChanged
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.specs import PersonaSpec
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech
from mynah.testing.hubs import run_hub, scripted_engines
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now
from mynah.values import Voice

HOUSE = {
    "speakers": {"kitchen": {"area": "downstairs"}, "hall": {"area": "downstairs"}, "attic": {}},
    "groups": {"house": ["downstairs", "attic"]},
}
TEXT = "Dinner is ready. Please come to the table now."
ADPCM = AudioFormat("ima_adpcm", 16_000, 1)
MP3 = AudioFormat("mp3", 24_000, 1)


class Listener:
    """A session of a speaker and all that goes out of it; by the clock, as nothing is reported."""

    def __init__(self, hub: Any, speaker: str, **options: Any) -> None:
        self.session = hub.open_session(SessionOptions(speaker=speaker))
        self.options = OutletOptions(**options)
        self.outputs: list[Any] = []
        self.times: list[float] = []
        self.pause = 0.0
        self.task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        async with aclosing(self.session.outputs(self.options)) as outputs:
            async for output in outputs:
                self.outputs.append(output)
                self.times.append(now())
                await asyncio.sleep(self.pause)

    def of(self, kind: Any) -> list[Any]:
        return [output for output in self.outputs if isinstance(output, kind)]

    def audio(self, turn_id: str = "t1") -> bytes:
        return b"".join(chunk.audio.data for chunk in self.of(SpeechChunk) if chunk.turn_id == turn_id)

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


class CountingVoice(ScriptedTextToSpeech):
    """A voice that notes what it was asked to say."""

    def __init__(self, *timing: float, **more: Any) -> None:
        super().__init__(*timing, **more)
        self.asked: list[tuple[str, str, str]] = []

    def synthesize(self, text, *, voice, language):
        self.asked.append((text, voice.name, language))
        return super().synthesize(text, voice=voice, language=language)


@pytest.fixture
def in_house(tmp_path):
    def run(scenario, *, config=None, specs=(), **engines):
        async def main():
            async with run_hub(
                tmp_path, specs=[*scripted_engines(**engines), *specs], config=HOUSE | (config or {})
            ) as hub:
                await scenario(hub)

        run_in_virtual_time(main())

    return run


def test_a_text_is_spoken_once_for_a_group_and_encoded_once_for_each_format(in_house, monkeypatch):
    voice = CountingVoice(0.05, 0.02)
    made: Counter[str] = Counter()
    real = revoicing.converter

    def counted(source, target):
        made[target.codec] += source != target
        return real(source, target)

    async def scenario(hub):
        ears = [
            Listener(hub, "kitchen", formats=(ADPCM,), buffer_ms=400),
            Listener(hub, "hall", formats=(ADPCM,), buffer_ms=700),
            Listener(hub, "attic", formats=(LISTENING,), buffer_ms=400),
        ]
        await asyncio.sleep(0)
        monkeypatch.setattr(revoicing, "converter", counted)
        announcement = hub.announce(TEXT, "house")
        assert announcement.taken == ("kitchen", "hall", "attic")
        report = await announcement.finished()
        assert (report.heard, report.missed) == (("kitchen", "hall", "attic"), {})
        phrases = [phrase.text for phrase in ears[0].of(PhraseReady)]
        assert " ".join(phrases) == TEXT
        assert [text for text, *_ in voice.asked] == phrases
        assert made["ima_adpcm"] == len(phrases) + 1  # with the chime
        assert ears[0].audio() == ears[1].audio() != b""
        lasts = chime("attention").ms + 100 * len(TEXT.split())
        assert LISTENING.pcm_ms(len(ears[2].audio())) == pytest.approx(lasts, abs=5)

    in_house(scenario, tts=voice)


def test_it_begins_on_all_at_the_same_time_of_the_hubs_clock_and_no_buffer_overflows(in_house):
    async def scenario(hub):
        ears = [Listener(hub, "kitchen", buffer_ms=300), Listener(hub, "hall"), Listener(hub, "attic", buffer_ms=600)]
        await asyncio.sleep(0)
        began = now()
        await hub.announce(TEXT, "all").finished()
        starts = [[output.start_at for output in ear.of(SpeechStarted)] for ear in ears]
        assert len({start for start, *_ in starts}) == 1
        assert all(later is None for _, *rest in starts for later in rest)
        lead = starts[0][0] / 1000 - began
        assert 0.25 <= lead < 0.5  # the voice took 50 ms
        for ear, buffer_ms in ((ears[0], 300), (ears[2], 600)):
            sent_ms = 0.0
            for at, output in zip(ear.times, ear.outputs, strict=True):
                if isinstance(output, SpeechChunk):
                    sent_ms += output.audio.ms
                    sounded_ms = max(0.0, at * 1000 - starts[0][0])
                    assert sent_ms - sounded_ms <= buffer_ms + 1.5

    in_house(scenario, tts=ScriptedTextToSpeech(0.05, 0.02))


def test_one_speaker_alone_need_not_wait_for_any_other(in_house):
    async def scenario(hub):
        ear = Listener(hub, "attic")
        await asyncio.sleep(0)
        began = now()
        await hub.announce(TEXT, "attic").finished()
        assert [output.start_at for output in ear.of(SpeechStarted)] == [None] * len(ear.of(SpeechStarted))
        assert ear.times[ear.outputs.index(ear.of(SpeechChunk)[0])] - began < 0.01

    in_house(scenario, tts=ScriptedTextToSpeech(1.0, 0.02))


def test_a_speaker_that_is_not_connected_missed_it(in_house):
    async def scenario(hub):
        Listener(hub, "kitchen")
        gone = Listener(hub, "attic")
        await asyncio.sleep(0)
        await gone.leave()
        announcement = hub.announce(TEXT, "house")
        assert announcement.taken == ("kitchen", "attic")  # it may come back
        report = await announcement.finished()
        assert report.heard == ("kitchen",)
        assert report.missed == {"hall": "it is not connected", "attic": "it is not connected"}

    in_house(scenario)


def test_a_laggard_is_given_up_and_named_and_the_others_do_not_wait_for_it(in_house):
    async def scenario(hub):
        ears = [Listener(hub, speaker, buffer_ms=400) for speaker in ("kitchen", "hall")]
        ears[1].pause = 1.0
        await asyncio.sleep(0)
        began = now()
        report = await hub.announce("Please come to the table now. " * 20, "downstairs").finished()
        assert report.heard == ("kitchen",)
        assert report.missed == {"hall": "it was too slow for the others"}
        assert isinstance(ears[0].of(LAST)[0], TurnFinished)
        assert ears[0].times[-1] - began < 75
        assert now() - began < 90

    in_house(scenario)


def test_who_is_interrupted_or_hung_up_on_missed_it(in_house):
    async def scenario(hub):
        ears = [Listener(hub, speaker, buffer_ms=400) for speaker in ("kitchen", "hall", "attic")]
        await asyncio.sleep(0)
        announcement = hub.announce(TEXT, "all")
        await asyncio.sleep(0.8)
        ears[0].session.interrupt("button")
        hub.close_session(ears[1].session.id)
        report = await announcement.finished()
        assert report.heard == ("attic",)
        assert report.missed == {
            "kitchen": "it was interrupted: button",
            "hall": "its conversation has ended",
        }

    in_house(scenario)


def test_a_voice_that_fails_is_told_of_everybody(in_house):
    async def scenario(hub):
        Listener(hub, "kitchen")
        Listener(hub, "hall")
        report = await hub.announce(TEXT, "downstairs", chime=False).finished()
        assert report.heard == ()
        assert set(report.missed) == {"kitchen", "hall"}
        assert all(report.missed.values())

    in_house(scenario, tts=ScriptedTextToSpeech(fault="raise"))


def test_a_reply_pauses_for_it_and_goes_on_after_it(in_house):
    async def scenario(hub):
        ears = [Listener(hub, speaker, buffer_ms=200) for speaker in ("kitchen", "hall")]
        ears[0].session.submit("what do lions eat")
        await asyncio.sleep(1)
        report = await hub.announce(TEXT, "downstairs").finished()
        assert report.heard == ("kitchen", "hall")
        await asyncio.sleep(20)
        order = list(dict.fromkeys(chunk.turn_id for chunk in ears[0].of(SpeechChunk)))
        assert order == ["t1", "t2"]
        assert ears[0].of(SpeechChunk)[-1].turn_id == "t1"
        assert not ears[0].of(Interrupted)

    in_house(scenario, llm=ScriptedLanguageModel(["One two three four five six seven eight nine ten. "] * 3))


def test_without_resume_what_it_interrupts_does_not_go_on_but_an_alarm_does(in_house):
    async def scenario(hub):
        ear = Listener(hub, "attic", buffer_ms=200)
        ear.session.say("One two three four five six seven eight nine ten.")
        ear.session.say("Fire. Leave the house.", urgency="alarm")
        await asyncio.sleep(0.3)
        report = await hub.announce(TEXT, "attic", resume=False).finished()
        assert report.heard == ("attic",)
        assert [(output.turn_id, output.reason) for output in ear.of(Interrupted)] == [("t1", "announcement")]

    in_house(scenario)


def test_the_volume_is_set_for_it_and_set_back_where_it_is_known(in_house):
    async def scenario(hub):
        ears = [Listener(hub, speaker) for speaker in ("kitchen", "hall")]
        ears[0].session.note_volume(30)
        await asyncio.sleep(0)
        await hub.announce(TEXT, "downstairs", volume=80).finished()
        await asyncio.sleep(0.1)
        assert [output.percent for output in ears[0].of(VolumeChanged)] == [80, 30]
        assert ears[0].outputs.index(ears[0].of(VolumeChanged)[0]) < ears[0].outputs.index(ears[0].of(SpeechStarted)[0])
        assert not ears[1].of(VolumeChanged)
        with pytest.raises(InputError, match="from 0 to 100"):
            hub.announce(TEXT, "downstairs", volume=101)

    in_house(scenario)


def test_a_volume_that_somebody_changed_meanwhile_stays(in_house):
    async def scenario(hub):
        ear = Listener(hub, "attic")
        ear.session.note_volume(30)
        await asyncio.sleep(0)
        announcement = hub.announce(TEXT, "attic", volume=80)
        await asyncio.sleep(0.5)
        ear.session.note_volume(55)
        await announcement.finished()
        assert ear.session.volume == 55

    in_house(scenario)


def test_it_has_one_voice_that_of_the_default_persona_or_of_a_given_one(in_house):
    voice = CountingVoice(0.05, 0.02)
    crow = PersonaSpec(name="crow", title="A crow", language="de", voice=Voice("croak"))
    config = {"speakers": {"attic": {"persona": "crow"}}, "groups": {}, "persona": "sparrow"}

    async def scenario(hub):
        Listener(hub, "attic")
        await asyncio.sleep(0)
        await hub.announce("Hello.", "attic").finished()
        await hub.announce("Hallo.", "attic", voice_of="crow").finished()
        await hub.announce("Salut.", "attic", voice_of="crow", language="fr").finished()
        assert voice.asked == [("Hello.", "", "en"), ("Hallo.", "croak", "de"), ("Salut.", "croak", "fr")]
        with pytest.raises(InputError, match="no persona named 'emu'"):
            hub.announce("Hello.", "attic", voice_of="emu")

    in_house(scenario, tts=voice, specs=[crow], config=config)


def test_without_a_chime_the_words_come_first(in_house):
    async def scenario(hub):
        ear = Listener(hub, "attic")
        await asyncio.sleep(0)
        await hub.announce("Hello there.", "attic", chime=False).finished()
        assert [output.text for output in ear.of(SpeechStarted)] == ["Hello there."]
        assert ear.of(TurnFinished)[0].reply == "Hello there."

    in_house(scenario)


def test_an_announcement_that_nobody_takes_is_over_at_once(in_house):
    async def scenario(hub):
        began = now()
        report = await hub.announce("Hello there.", "house").finished()
        assert report.heard == ()
        assert set(report.missed) == {"kitchen", "hall", "attic"}
        assert now() - began < 0.1

    in_house(scenario)


def test_a_hub_that_stops_ends_an_announcement(tmp_path):
    async def main():
        async with run_hub(tmp_path, specs=scripted_engines(), config=HOUSE | {"shutdown": {"grace": 0.1}}) as hub:
            Listener(hub, "attic", buffer_ms=200)
            await asyncio.sleep(0)
            announcement = hub.announce(TEXT * 20, "attic")
            await asyncio.sleep(0.5)
        assert set((await announcement.finished()).missed) == {"attic"}

    run_in_virtual_time(main())


def test_an_alarm_is_repeated_until_it_is_stopped_on_one_speaker_and_everywhere(in_house):
    async def scenario(hub):
        ears = [Listener(hub, name, formats=(LISTENING,), buffer_ms=400) for name in ("kitchen", "hall")]
        await asyncio.sleep(0)
        alarm = hub.announce("", "downstairs", play="chime:alarm", chime=False, urgency="alarm", repeat_s=1_000)
        await asyncio.sleep(20)
        assert min(LISTENING.pcm_ms(len(ear.audio())) for ear in ears) > 15_000
        ears[0].session.submit("Hello?")  # which an alarm does not give way to
        alarm.stop(speaker="kitchen")
        await asyncio.sleep(1)
        assert set(alarm.report.missed) == {"kitchen"}
        alarm.stop()
        report = await alarm.finished()
        assert (report.heard, set(report.missed)) == ((), {"kitchen", "hall"})
        for ear in ears:
            await ear.leave()

    in_house(scenario)


def test_a_session_may_have_a_voice_of_its_own(in_house):
    voice = CountingVoice(0.05, 0.02)

    async def scenario(hub):
        session = hub.open_session(SessionOptions(speaker="kitchen"))
        for name in ("deep", ""):
            session.update(voice=name)
            assert session.describe()["voice"] == (name or None)
            session.say("Hello.")
            await asyncio.sleep(2)

    in_house(scenario, tts=voice)
    assert [name for _, name, _ in voice.asked][-2:] == ["deep", ""]
