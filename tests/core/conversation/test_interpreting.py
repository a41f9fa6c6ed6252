"""Turns that put what is said into another language."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from mynah.audio import LISTENING
from mynah.conversation.interpreting import WAITING, Pair, apart
from mynah.outputs import (
    PhraseFailed,
    PhraseReady,
    ReplyToken,
    SpeechChunk,
    SpeechEnded,
    SpeechStarted,
    StageStarted,
    TranscriptReady,
    TranslationReady,
    TurnFailed,
    TurnFinished,
)
from mynah.session_protocol import Interpretation, OutletOptions
from mynah.testing.engines import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedTranslator,
    scripted,
)
from mynah.testing.hubs import scripted_engines
from mynah.timeline import now

SPANISH = Interpretation(target="es", source="en")
ALL = OutletOptions(tracks="all")
STORY = "Good morning. I am the doctor. Where does it hurt?"


def track(outputs, number):
    return [output for output in outputs if output.track == number]


async def attach_all(room):
    await room.detach()
    room.options = ALL
    room.attach()
    await asyncio.sleep(0)


def test_what_is_asked_as_text_is_translated_and_both_are_voiced(in_room):
    voice = ScriptedTextToSpeech()

    async def scenario(room):
        await attach_all(room)
        room.session.submit("Where does it hurt?", interpret=SPANISH)
        end = await room.turn_over()
        assert [o.stage for o in room.of(StageStarted)] == ["translating", "speaking"]
        assert room.of(TranslationReady) == [
            TranslationReady(turn_id="t1", text="es WHERE DOES IT HURT?", language="es")
        ]
        assert "".join(o.text for o in room.of(ReplyToken)) == end.reply == "es WHERE DOES IT HURT?"
        assert [(o.text, o.language) for o in track(room.of(PhraseReady), 0)] == [("Where does it hurt?", "en")]
        assert all(o.language == "es" for o in track(room.of(PhraseReady), 1))
        assert sum(c.audio.ms for c in track(room.of(SpeechChunk), 0)) == 400
        assert sum(c.audio.ms for c in track(room.of(SpeechChunk), 1)) == 500
        assert {language for _, language in voice.said} == {"en", "es"}

    in_room(scenario, tts=voice)


def test_no_language_model_is_asked(in_room):
    model = ScriptedLanguageModel()

    async def scenario(room):
        room.session.submit("Where does it hurt?", interpret=SPANISH)
        await room.turn_over()
        assert model.asked == []

    in_room(scenario, llm=model)


def test_a_loudspeaker_that_asks_for_nothing_gets_the_translation_alone(in_room):
    async def scenario(room):
        room.session.submit("Where does it hurt?", interpret=SPANISH)
        await room.turn_over()
        for kind in (PhraseReady, SpeechStarted, SpeechChunk, SpeechEnded):
            assert {output.track for output in room.of(kind)} == {0}

    in_room(scenario, buffer_ms=200)


def test_the_original_is_not_made_where_it_is_not_wanted(in_room):
    voice = ScriptedTextToSpeech()

    async def scenario(room):
        await attach_all(room)
        room.session.submit("Where does it hurt?", interpret=Interpretation(target="es", original=False))
        await room.turn_over()
        assert {language for _, language in voice.said} == {"es"}

    in_room(scenario, tts=voice)


def test_what_is_said_aloud_is_transcribed_and_translated(in_room):
    hears = ScriptedSpeechToText(text="good morning", language="en")

    async def scenario(room):
        room.session.listen(LISTENING, interpret=SPANISH)
        await room.speak(200)
        assert room.session.end_listening() == "t1"
        await room.turn_over()
        assert [o.stage for o in room.of(StageStarted)] == ["listening", "transcribing", "translating", "speaking"]
        assert [o.text for o in room.of(TranscriptReady)] == ["good morning"]
        assert [o.text for o in room.of(TranslationReady)] == ["es GOOD MORNING"]
        assert hears.expected == ["en"]
        assert [(e.user, e.reply) for e in room.session.history] == [("good morning", "es GOOD MORNING")]

    in_room(scenario, stt=hears)


def test_a_settled_sentence_is_heard_while_the_person_still_speaks(in_room):
    hears = ScriptedSpeechToText(text=STORY, language="en", final_s=0.3)

    async def scenario(room):
        room.session.listen(LISTENING, interpret=SPANISH)
        await room.speak(600)
        spoke_at = room.times[-1]
        room.session.end_listening()
        end = await room.turn_over()
        assert room.at(SpeechChunk) < spoke_at
        assert room.at(SpeechChunk) < room.at(TranscriptReady)
        assert end.reply == "es GOOD MORNING. es I AM THE DOCTOR. es WHERE DOES IT HURT?"
        assert [o.text for o in room.of(TranslationReady)] == [end.reply]

    in_room(scenario, stt=hears)


@pytest.mark.parametrize(("parallel", "whole_s"), [(False, 1.3), (True, 1.3)])
def test_the_whole_takes_the_critical_path_of_the_engines(in_room, parallel, whole_s):
    """Translation 0.5 s, each voice 0.8 s: the original is voiced beside the translation, or beside its voice."""
    engines = {
        "translator": ScriptedTranslator(first_s=0.5),
        "tts": ScriptedTextToSpeech(first_s=0.2, total_s=0.8),
    }

    async def scenario(room):
        await attach_all(room)
        began = room.times[-1] if room.times else 0.0
        room.session.submit("Stop.", interpret=Interpretation(target="es", source="en", parallel=parallel))
        await room.turn_over()
        ends = {o.track: t for t, o in zip(room.times, room.outputs, strict=True) if isinstance(o, SpeechEnded)}
        assert room.times[-1] - began == pytest.approx(whole_s, rel=0.05)
        assert ends[1] - began == pytest.approx(1.3, rel=0.05)
        assert ends[0] - began == pytest.approx(0.8 if parallel else 1.3, rel=0.05)

    in_room(scenario, **engines)


def test_the_timeline_tells_the_time_of_the_translator(in_room):
    async def scenario(room):
        room.session.submit("Stop.", interpret=SPANISH)
        end = await room.turn_over()
        assert end.timeline.engine_ms["translate"] == pytest.approx(500, abs=5)
        assert end.timeline.engine_ms["tts"] == pytest.approx(200, abs=5)
        assert end.timeline.own_ms < 5

    in_room(scenario, translator=ScriptedTranslator(first_s=0.5), tts=ScriptedTextToSpeech(first_s=0.2, total_s=0.8))


def test_sentences_are_translated_side_by_side_and_heard_in_order(in_room):
    translator = ScriptedTranslator(first_s=1.0)

    async def scenario(room):
        room.session.submit(STORY, interpret=SPANISH)
        end = await room.turn_over()
        assert translator.calls.most == 3
        assert room.at(TranslationReady) == pytest.approx(1.0, rel=0.05)
        assert end.reply == "es GOOD MORNING. es I AM THE DOCTOR. es WHERE DOES IT HURT?"

    in_room(scenario, translator=translator)


def test_what_cannot_be_translated_is_said_plainly(in_room):
    async def scenario(room):
        room.session.submit(STORY, interpret=SPANISH)
        end = await room.turn_over()
        assert isinstance(end, TurnFinished)
        assert end.outcome == "unknown"
        ready = room.of(TranslationReady)
        assert [o.text for o in ready] == ["es GOOD MORNING. es WHERE DOES IT HURT?"]
        assert [o.untranslated for o in ready] == [("I am the doctor.",)]
        assert room.of(PhraseReady)[-1].text == "I'm sorry, I don't know that."
        assert room.of(PhraseReady)[-1].language == "en"

    in_room(scenario, translator=ScriptedTranslator(refuse_on="doctor"))


def test_a_translator_that_fails_is_replaced_by_the_next(in_room):
    specs = (
        scripted("translator", ScriptedTranslator(fault="raise"), name="first"),
        *scripted_engines(),
    )

    async def scenario(room):
        room.session.submit("Stop.", interpret=SPANISH)
        end = await room.turn_over()
        assert end.reply == "es STOP."
        assert end.timeline.engines["translate"] == "scripted_translator"
        assert end.timeline.troubles["translate"] == ("first: the script says so",)

    in_room(
        scenario,
        specs=specs,
        config={"engines": {"translator": [{"engine": "first"}, {"engine": "scripted_translator"}]}},
    )


def test_a_translation_that_breaks_off_ends_the_turn_after_what_was_said(in_room):
    async def scenario(room):
        room.session.submit(STORY, interpret=SPANISH)
        end = await room.turn_over()
        assert isinstance(end, TurnFailed)
        assert end.message == "scripted_translator: the script says so"
        assert room.of(PhraseReady)[0].text == "es GOOD MORNING."
        assert not room.of(TranslationReady)
        assert room.of(SpeechChunk)[-1].phrase == room.of(PhraseReady)[-1].phrase + 1  # the chime

    in_room(scenario, translator=ScriptedTranslator(fault="raise", fail_on="doctor"))


def test_a_long_text_whose_translation_breaks_off_ends_the_turn_too(in_room):
    text = " ".join(["The doctor is out.", *(f"This is sentence number {n} of it." for n in range(WAITING + 20))])

    async def scenario(room):
        room.session.submit(text, interpret=SPANISH)
        async with asyncio.timeout(60):
            end = await room.turn_over()
        assert isinstance(end, TurnFailed)

    in_room(scenario, translator=ScriptedTranslator(fault="raise", fail_on="doctor"))


def test_an_original_that_cannot_be_voiced_keeps_nobody_from_the_translation(in_room):
    async def scenario(room):
        await attach_all(room)
        room.session.submit("Stop now.", interpret=SPANISH)
        end = await room.turn_over()
        assert isinstance(end, TurnFinished)
        assert [o.track for o in room.of(PhraseFailed)] == [0]

    in_room(scenario, tts=ScriptedTextToSpeech(fault="raise", fail_on="now"))


def test_the_language_may_change_by_the_utterance(in_room):
    hears = ScriptedSpeechToText(
        turns=[("where does it hurt", "en"), ("me duele la cabeza", "es"), ("thank you", "en")]
    )
    translator = ScriptedTranslator()
    both = Interpretation(target="es", source="en", both_ways=True)

    async def scenario(room):
        for number in range(1, 4):
            room.session.listen(LISTENING, interpret=both)
            await room.speak(200)
            room.session.end_listening()
            await room.turn_over(f"t{number}")
        assert [(source, target) for _, source, target in translator.asked] == [
            ("en", "es"),
            ("es", "en"),
            ("en", "es"),
        ]
        assert [o.language for o in room.of(TranslationReady)] == ["es", "en", "es"]
        assert hears.expected == [None, None, None]

    in_room(scenario, stt=hears, translator=translator)


@pytest.mark.parametrize("both_ways", [True, False])
def test_who_of_two_people_wrote_is_told_by_the_words(in_room, both_ways):
    translator = ScriptedTranslator()
    interpret = Interpretation(target="es", source="en", both_ways=both_ways)

    async def scenario(room):
        for number, text in enumerate(("Where does it hurt?", "Me duele la cabeza.", "Paracetamol."), 1):
            room.session.submit(text, interpret=interpret)
            await room.turn_over(f"t{number}")
        there, back = ("en", "es"), ("es", "en") if both_ways else ("en", "es")
        assert [(source, target) for _, source, target in translator.asked] == [there, back, there]

    in_room(scenario, translator=translator)


def test_ten_requests_at_once_in_one_session(in_room):
    async def scenario(room):
        await attach_all(room)
        turns = [room.session.submit(f"Number {n}.", interpret=SPANISH) for n in range(5)]
        for _ in range(5):
            room.session.listen(LISTENING, interpret=SPANISH)
            await room.speak(100)
            turns.append(room.session.end_listening())
        assert len(set(turns)) == 10
        for turn in turns:
            assert isinstance(await room.turn_over(turn), TurnFinished)
            assert {o.track for o in room.of(SpeechEnded, turn)} == {0, 1}
        assert [room.of(TranslationReady, turn)[0].text for turn in turns] == [
            *(f"es NUMBER {n}." for n in range(5)),
            *["es WHAT DO LIONS EAT"] * 5,
        ]

    in_room(
        scenario, policy="concurrent", translator=ScriptedTranslator(first_s=2.0),
        tts=ScriptedTextToSpeech(first_s=0.2, total_s=0.8),
    )  # fmt: skip


def test_an_interruption_stops_both_tracks_at_once(in_room):
    async def scenario(room):
        await attach_all(room)
        room.session.submit(STORY, interpret=SPANISH)
        await room.until(lambda outputs: any(isinstance(o, SpeechChunk) for o in outputs))
        room.session.interrupt()
        end = await room.turn_over()
        seen = len(room.of(SpeechChunk))
        await asyncio.sleep(5)
        assert len(room.of(SpeechChunk)) == seen
        assert [(e.user, e.reply) for e in room.session.history] == [(STORY, end.heard)]

    in_room(scenario, tts=ScriptedTextToSpeech(first_s=0.1, total_s=5))


def test_silence_is_told_as_such(in_room):
    async def scenario(room):
        room.session.listen(LISTENING, interpret=SPANISH)
        room.session.end_listening()
        end = await room.turn_over()
        assert (end.outcome, end.reply) == ("no_speech", "")
        assert not room.of(TranslationReady)

    in_room(scenario)


def test_what_was_not_understood_is_not_guessed_at(in_room):
    async def scenario(room):
        room.session.listen(LISTENING, interpret=SPANISH)
        await room.speak(200)
        room.session.end_listening()
        end = await room.turn_over()
        assert end.outcome == "not_understood"
        assert room.of(PhraseReady)[0].language == "en"

    in_room(scenario, stt=ScriptedSpeechToText(text="", understood=False))


@pytest.mark.parametrize(
    ("interpret", "said", "pair"),
    [
        (Interpretation(target="es"), None, ("en-GB", "es")),
        (Interpretation(target="es"), "fr", ("fr", "es")),
        (Interpretation(target="es", source="de"), None, ("de", "es")),
        (Interpretation(target="es", both_ways=True), "es-MX", ("es-MX", "en-GB")),
        (Interpretation(target="es", source="zh", both_ways=True), "es", ("es", "zh")),
        (Interpretation(target="es", source="zh", both_ways=True), "fr", ("fr", "es")),
    ],
)
def test_the_languages_of_an_utterance(interpret, said, pair):
    assert Pair.of(interpret, said, "en-GB") == Pair(*pair)


@pytest.mark.parametrize(
    ("before", "text", "joined"),
    [("", "Hola", "Hola"), ("Hola.", "Bien", " Bien"), ("你好。", "请坐", "请坐"), ("Hola. ", "Bien", "Bien")],
)
def test_sentences_are_set_apart_where_the_script_does(before, text, joined):
    assert apart(before, text) == joined


def test_each_track_has_a_buffer_of_its_own(in_room):
    """Two tracks of about a second, in a buffer of 200 ms each: the second begins while the first still sounds."""

    async def scenario(room):
        await room.detach()
        room.options = OutletOptions(tracks="all", buffer_ms=200)
        room.attach()
        await asyncio.sleep(0)
        began = now()
        room.session.submit("one two three four five six seven eight nine ten", interpret=SPANISH)
        await room.turn_over()
        lengths = {n: sum(c.audio.ms for c in track(room.of(SpeechChunk), n)) for n in (0, 1)}
        assert lengths == pytest.approx({0: 1000.0, 1: 1100.0})
        assert now() - began < (sum(lengths.values()) - 400) / 1000

    in_room(scenario)


def test_a_client_that_comes_back_gets_the_rest_of_both_tracks(in_room):
    async def scenario(room):
        await room.detach()
        room.options = OutletOptions(tracks="all", buffer_ms=200)
        room.attach()
        room.session.submit("one two three four five six seven eight nine ten", interpret=SPANISH)
        await room.until(lambda outputs: sum(isinstance(o, SpeechChunk) for o in outputs) > 13)
        await room.detach()
        before = {n: sum(c.audio.ms for c in track(room.of(SpeechChunk), n)) for n in (0, 1)}
        assert 0 < before[0] < 1000
        assert before[1] > 1000
        room.outputs.clear()
        room.times.clear()
        room.attach(resume=True)
        await room.turn_over()
        after = {n: sum(c.audio.ms for c in track(room.of(SpeechChunk), n)) for n in (0, 1)}
        # What was in the buffer comes again.
        assert 999 <= before[0] + after[0] <= 1201
        assert 1099 <= before[1] + after[1] <= 1301

    in_room(scenario)


def test_a_turn_of_which_one_track_is_left_out_is_forgotten_when_it_was_heard(in_room):
    async def scenario(room):
        for number in range(1, 4):
            room.session.submit("Stop now.", interpret=SPANISH)
            await room.turn_over(f"t{number}")
            await asyncio.sleep(60)
        assert len(room.session._turns.known) == 1

    in_room(scenario, buffer_ms=500)


def test_a_voice_of_another_language_is_not_asked_for_by_name(in_room):
    voices = []

    class Voices(ScriptedTextToSpeech):
        async def synthesize(self, text, *, voice, language):
            voices.append((language, voice.name, voice.rate))
            async with aclosing(super().synthesize(text, voice=voice, language=language)) as items:
                async for item in items:
                    yield item

    async def scenario(room):
        await attach_all(room)
        room.session.submit("Stop.", interpret=SPANISH)
        await room.turn_over()
        assert sorted(voices) == [("en", "Ann", 0.9), ("es", "", 0.9)]

    in_room(
        scenario, tts=Voices(), config={"personas": {"sparrow": {"voice": {"name": "Ann", "rate": 0.9}}}}
    )  # fmt: skip


@pytest.mark.parametrize("parallel", [False, True])
def test_a_whole_spoken_request_takes_the_critical_path_of_the_engines(in_room, parallel):
    """Recognition 0.4 s after the end of speech, translation 0.5 s, a voice 0.8 s: 1.7 s and at most 5 % more."""

    async def scenario(room):
        await attach_all(room)
        room.session.listen(LISTENING, interpret=Interpretation(target="es", source="en", parallel=parallel))
        await room.speak(200)
        ended = now()
        room.session.end_listening()
        await room.turn_over()
        assert 1.7 - 0.01 <= now() - ended <= 1.7 * 1.05
        assert len(room.of(SpeechEnded)) >= 2

    in_room(
        scenario, stt=ScriptedSpeechToText(text="stop", final_s=0.4), translator=ScriptedTranslator(first_s=0.5),
        tts=ScriptedTextToSpeech(first_s=0.2, total_s=0.8),
    )  # fmt: skip
