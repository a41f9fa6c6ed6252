"""What a person and a client are told when nothing works, and that the next turn does."""

from __future__ import annotations

import pytest

from mynah.audio.chime import chime
from mynah.outputs import PhraseReady, SpeechChunk, SpeechEnded, SpeechStarted, TurnDropped, TurnFailed, TurnFinished
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech

CHIME = chime("failure").data


@pytest.mark.parametrize(("kind", "phrase"), [("stt", 1), ("llm", 1), ("tts", 2)])
def test_a_turn_whose_engines_all_fail_plays_a_chime_and_the_session_still_works(in_room, kind, phrase):
    make = {"stt": ScriptedSpeechToText, "llm": ScriptedLanguageModel, "tts": ScriptedTextToSpeech}[kind]
    engine = make(fault="raise")

    async def scenario(room):
        await room.ask_aloud()
        failed = await room.turn_over()
        assert isinstance(failed, TurnFailed)
        assert failed.message
        started, ended = room.of(SpeechStarted)[-1], room.of(SpeechEnded)[-1]
        assert (started.phrase, started.text, ended.phrase) == (phrase, "", phrase)
        assert room.audio() == CHIME
        assert room.outputs[-2:] == [ended, failed]
        engine.fault = ""
        await room.ask_aloud()
        assert isinstance(await room.turn_over("t2"), TurnFinished)

    in_room(scenario, **{kind: engine})


def test_the_chime_comes_after_what_was_said(in_room):
    async def scenario(room):
        room.session.submit("tell me")
        assert isinstance(await room.turn_over(), TurnFailed)
        assert [started.text for started in room.of(SpeechStarted)] == ["Yes,", ""]
        assert [phrase.text for phrase in room.of(PhraseReady)] == ["Yes,"]
        assert room.audio().endswith(CHIME)
        assert room.of(SpeechStarted)[-1].at_ms == pytest.approx(room.of(SpeechEnded)[0].ms)
        assert room.session.history[-1].reply == "Yes,"

    in_room(scenario, llm=ScriptedLanguageModel(["Yes,", " lions", " eat"], fault="raise", at=2))


def test_what_nobody_asked_fails_without_a_chime(in_room):
    async def scenario(room):
        room.session.say("The zoo closes in ten minutes.")
        assert isinstance(await room.turn_over(), TurnFailed)
        assert not room.of(SpeechChunk)

    in_room(scenario, tts=ScriptedTextToSpeech(fault="raise"))


def test_dropped_noise_makes_no_sound(in_room):
    async def scenario(room):
        from mynah.audio import LISTENING

        room.session.listen(LISTENING, "open")
        await room.speak(80)
        await room.speak(2000, bytes(640))
        assert isinstance(await room.turn_over(), TurnDropped)
        assert not room.of(SpeechChunk)

    in_room(scenario, stt=ScriptedSpeechToText(fault="raise"))


def test_a_defect_is_told_and_heard_as_well(in_room, monkeypatch):
    from mynah.conversation.turn import Turn

    async def breaks(self, *args):
        raise ZeroDivisionError

    monkeypatch.setattr(Turn, "_answer", breaks)

    async def scenario(room):
        room.session.submit("hello")
        failed = await room.turn_over()
        assert failed.message == "internal error"
        assert room.audio() == CHIME

    in_room(scenario)


def test_of_a_reply_that_a_defect_broke_off_history_keeps_what_was_voiced(in_room, monkeypatch):
    from mynah.conversation.speaking import Speaking

    async def breaks(self, *args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(Speaking, "finish", breaks)

    async def scenario(room):
        room.session.submit("hello")
        assert isinstance(await room.turn_over(), TurnFailed)
        assert [phrase.text for phrase in room.of(PhraseReady)] == ["Lions eat meat."]
        assert [exchange.reply for exchange in room.session.history] == ["Lions eat meat."]

    llm = ScriptedLanguageModel(["Lions eat meat. ", "They sleep", " a lot"], each_s=1.0)
    in_room(scenario, llm=llm, tts=ScriptedTextToSpeech())
