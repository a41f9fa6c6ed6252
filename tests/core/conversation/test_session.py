from __future__ import annotations

import asyncio

import pytest

from mynah.audio import LISTENING, AudioFormat
from mynah.conversation.turns import MAX_TURNS
from mynah.errors import InputError, LimitError
from mynah.events import Heard, Replied, ReplyInterrupted, TurnStarted
from mynah.outputs import (
    LAST,
    Interrupted,
    PhraseReady,
    SpeechChunk,
    SpeechStarted,
    StageStarted,
    TranscriptReady,
    TurnDropped,
    TurnFinished,
    VolumeChanged,
)
from mynah.session_protocol import OutletOptions
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech

LONG = ["Lions eat meat. ", "They hunt at night in groups. ", "A lion sleeps twenty hours a day. "]
LOUD = b"\x01\x10" * 320
QUIET = bytes(640)


def _long_reply(**more):
    return {"llm": ScriptedLanguageModel(LONG), "tts": ScriptedTextToSpeech(0.05, 0.2, **more)}


# ---------------------------------------------------------------- interruption


@pytest.mark.parametrize("after", [0.001, 0.06, 0.3, 0.9, 1.5])
def test_an_interruption_stops_every_stage_and_nothing_of_the_turn_follows(in_room, after):
    engines = _long_reply()

    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(after)
        assert room.session.interrupt()
        told = len(room.outputs)
        await asyncio.sleep(5)
        assert [type(output) for output in room.outputs[told:]] == [Interrupted]
        for engine in engines.values():
            assert engine.calls.begun == engine.calls.ended

    in_room(scenario, buffer_ms=200, **engines)


def test_history_keeps_what_was_heard_by_the_clock(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.05 + 0.3 + 0.25)  # "Lions eat meat." is 300 ms, then 250 of 600 ms of the second phrase
        room.session.interrupt()
        assert room.session.history[-1].reply == "Lions eat meat. They hunt at"

    in_room(scenario, buffer_ms=200, **_long_reply())


def test_history_keeps_what_the_client_says_was_heard(in_room):
    async def scenario(room):
        turn = room.session.submit("what do lions eat")
        await asyncio.sleep(2)
        room.session.played(turn, 160)
        room.session.interrupt()
        assert room.of(SpeechChunk)
        assert room.session.history[-1].reply == "Lions"

    in_room(scenario, **_long_reply())


def test_history_is_cut_at_a_word_mark_where_the_voice_gives_them(in_room):
    async def scenario(room):
        turn = room.session.submit("what do lions eat")
        await asyncio.sleep(2)
        room.session.played(turn, 210)
        room.session.interrupt()
        assert room.session.history[-1].reply == "Lions eat"

    in_room(scenario, **_long_reply(marks=True))


def test_a_reply_that_is_made_but_still_sounds_can_be_interrupted(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.turn_over()
        assert room.session.interrupt()
        assert room.session.history[-1].reply != "".join(LONG)
        await asyncio.sleep(0.1)
        assert isinstance(room.outputs[-1], Interrupted)

    in_room(scenario, **_long_reply())


def test_a_reply_that_was_heard_to_its_end_cannot_be_interrupted(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(10)
        assert not room.session.interrupt()
        assert room.session.history[-1].reply == "".join(LONG)

    in_room(scenario, **_long_reply())


def test_push_to_talk_interrupts_at_the_first_chunk(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.5)
        room.session.listen(LISTENING)
        room.session.feed(LOUD)
        await asyncio.sleep(0.01)
        assert room.of(Interrupted)[0].turn_id == "t1"
        assert isinstance(room.outputs[-1], StageStarted | Interrupted) or room.outputs[-1].turn_id == "t2"

    in_room(scenario, **_long_reply())


def test_a_second_interruption_finds_nothing(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.5)
        assert room.session.interrupt()
        assert not room.session.interrupt()

    in_room(scenario, **_long_reply())


def test_the_bus_hears_of_it(in_room):
    async def scenario(room):
        with room.hub.bus.subscribe(ReplyInterrupted, name="test") as events:
            room.session.submit("what do lions eat")
            await asyncio.sleep(0.5)
            room.session.interrupt("enough")
            event = await anext(aiter(events))
            assert (event.turn_id, event.reason) == ("t1", "enough")

    in_room(scenario, **_long_reply())


# ---------------------------------------------------------------- open microphone


async def _open(room, *parts):
    room.session.listen(LISTENING, "open")
    for data, ms in parts:
        await room.speak(ms, data)


def test_an_open_microphone_answers_after_a_pause(in_room):
    async def scenario(room):
        await _open(room, (QUIET, 500), (LOUD, 600), (QUIET, 1000))
        assert isinstance(await room.turn_over(), TurnFinished)

    in_room(scenario)


def test_the_first_words_are_kept(in_room):
    stt = ScriptedSpeechToText()

    async def scenario(room):
        await _open(room, (QUIET, 500), (LOUD, 600), (QUIET, 1000))
        await room.turn_over()
        first_loud = stt.heard.index(LOUD[:2])
        assert first_loud >= LISTENING.pcm_bytes(250)
        assert stt.heard.count(LOUD) == 30

    in_room(scenario, stt=stt)


def test_two_utterances_are_two_turns(in_room):
    async def scenario(room):
        await _open(room, (LOUD, 600), (QUIET, 1000), (LOUD, 600), (QUIET, 1000))
        await room.turn_over("t1")
        await room.turn_over("t2")

    in_room(scenario, policy="queue")


def test_recognised_speech_interrupts_a_reply_and_the_hub_is_not_deaf_meanwhile(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.5)
        await _open(room, (LOUD, 600), (QUIET, 1000))
        assert room.of(Interrupted)[0].turn_id == "t1"
        assert isinstance(await room.turn_over("t2"), TurnFinished)

    in_room(scenario, **_long_reply())


def test_sound_without_words_does_not_interrupt_and_is_not_answered_over_a_reply(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.1)
        await _open(room, (LOUD, 600), (QUIET, 700))
        assert isinstance(await room.turn_over("t2"), TurnDropped)
        assert not room.of(Interrupted)

    in_room(scenario, stt=ScriptedSpeechToText("", understood=False), **_long_reply(ms_per_word=300))


def test_a_short_noise_leaves_no_turn_on_the_bus_and_nothing_in_history(in_room):
    async def scenario(room):
        with room.hub.bus.subscribe(TurnStarted, name="test") as events:
            await _open(room, (QUIET, 300), (LOUD, 80), (QUIET, 1000))
            if room.outputs:
                assert isinstance(await room.turn_over(), TurnDropped)
            assert not room.session.history
            assert not room.of(TranscriptReady)
            room.session.submit("what do lions eat")
            assert (await anext(aiter(events))).turn_id == f"t{room.session._turns.count}"

    in_room(scenario)


def test_noise_that_never_ends_is_cut_and_said_so(in_room, caplog):
    async def scenario(room):
        await _open(room, (LOUD, 20_000))
        assert [output.reason for output in room.of(TurnDropped)] == ["the sound did not end"]
        assert "did not end" in caplog.text

    caplog.set_level("INFO")
    in_room(
        scenario, stt=ScriptedSpeechToText("", understood=False), config={"listening": {"max_seconds": 5}}
    )  # fmt: skip


def test_an_open_microphone_needs_a_detector(in_room):
    async def scenario(room):
        room.hub._chains["vad"].engines = ()
        with pytest.raises(InputError, match="voice activity"):
            room.session.listen(LISTENING, "open")

    in_room(scenario)


# ---------------------------------------------------------------- policies


def test_queued_input_is_answered_after_the_reply_before_it(in_room):
    async def scenario(room):
        room.session.submit("one")
        room.session.submit("two")
        await room.turn_over("t2")
        turns = [output.turn_id for output in room.of(SpeechChunk)]
        assert turns == sorted(turns)
        assert not room.of(Interrupted)

    in_room(scenario, policy="queue", **_long_reply())


def test_concurrent_input_is_answered_side_by_side(in_room):
    async def scenario(room):
        for number in range(4):
            room.session.submit(f"question {number}")
        for number in range(4):
            await room.turn_over(f"t{number + 1}")
        assert max(room.times) < 0.5

    in_room(scenario, policy="concurrent", **_long_reply())


def test_new_text_interrupts_by_default(in_room):
    async def scenario(room):
        room.session.submit("one")
        await asyncio.sleep(0.3)
        room.session.submit("two")
        await room.turn_over("t2")
        assert [output.turn_id for output in room.of(Interrupted)] == ["t1"]

    in_room(scenario, **_long_reply())


# ---------------------------------------------------------------- outlets


def test_audio_is_paced_to_what_the_loudspeaker_holds(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.turn_over()
        sent = 0.0
        for at, output in zip(room.times, room.outputs, strict=True):
            if isinstance(output, SpeechChunk):
                sent += output.audio.ms
                assert sent - (at - room.at(SpeechChunk)) * 1000 <= 201

    in_room(scenario, buffer_ms=200, **_long_reply())


def test_without_a_buffer_size_everything_is_sent_as_it_is_made(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await room.turn_over()
        assert max(room.times) < 0.5

    in_room(scenario, **_long_reply())


def test_bytes_that_the_loudspeaker_plays_pass_through_untouched(in_room):
    mp3 = AudioFormat("mp3", 24_000, 1)
    made = []

    class Voice:
        async def synthesize(self, text, *, voice, language):
            from mynah.audio import AudioChunk

            for number in range(5):
                made.append(bytes([number]) * 144)
                yield AudioChunk(made[-1], mp3, 24.0)

    async def scenario(room):
        room.session.say("Hello there.")
        await room.turn_over()
        assert [chunk.audio.data for chunk in room.of(SpeechChunk)] == made
        assert all(given.audio.data is data for given, data in zip(room.of(SpeechChunk), made, strict=True))

    in_room(scenario, tts=Voice(), formats=[mp3, AudioFormat()])


def test_other_formats_are_converted_and_said_so(in_room):
    async def scenario(room):
        room.session.say("Hello there.")
        await room.turn_over()
        assert {output.format for output in room.of(SpeechStarted)} == {AudioFormat("mp3", 24_000, 1)}
        assert {output.audio.format for output in room.of(SpeechChunk)} == {AudioFormat("mp3", 24_000, 1)}

    in_room(scenario, formats=[AudioFormat("mp3", 24_000, 1)])


@pytest.mark.parametrize("dropped_at", [0.2, 0.5, 1.0, 1.7])
def test_a_client_that_comes_back_gets_the_rest_to_the_very_sample(in_room, dropped_at):
    async def scenario(room):
        turn = room.session.submit("what do lions eat")
        await asyncio.sleep(dropped_at)
        await room.detach()
        heard_ms = min(room.session._delivery.main(turn).heard_ms, 230.0 + 1000 * dropped_at / 2)
        before = room.audio()[: LISTENING.pcm_bytes(heard_ms + 0.001)]
        room.session.played(turn, heard_ms)
        room.outputs.clear()
        room.times.clear()
        await asyncio.sleep(3)
        room.attach(resume=True)
        await room.turn_over()
        whole = before + room.audio()
        words = sum(len(sentence.split()) for sentence in LONG)
        assert len(whole) == LISTENING.pcm_bytes(100 * words)
        assert whole == b"".join(_phrase(len(sentence.split())) for sentence in LONG)

    in_room(scenario, buffer_ms=500, **_long_reply())


def _phrase(words):
    frames = words * 100 * 16
    return b"".join(number.to_bytes(2, "little") for number in range(frames))


def test_another_outlet_takes_the_place_of_the_first(in_room):
    async def scenario(room):
        first = room.reader
        room.attach()
        await asyncio.sleep(0.01)
        assert first.done()
        room.session.submit("what do lions eat")
        await room.turn_over()

    in_room(scenario)


def test_a_reply_starts_together_where_a_time_is_given(in_room):
    async def scenario(room):
        room.session.say("Dinner is ready. Come along.", start_at=1234.5)
        await room.turn_over()
        assert [output.start_at for output in room.of(SpeechStarted)] == [1234.5, None]

    in_room(scenario)


# ---------------------------------------------------------------- limits and history


def test_history_is_given_to_the_language_model_and_bounded(in_room):
    llm = ScriptedLanguageModel(["Yes."])

    async def scenario(room):
        for number in range(4):
            await room.turn_over(room.session.submit(f"question {number}"))
        contents = [message.content for message in llm.asked[-1]]
        assert contents == ["Answer as a sparrow.", "question 1", "Yes.", "question 2", "Yes.", "question 3"]

    in_room(scenario, llm=llm, tts=ScriptedTextToSpeech(ms_per_word=0.3), config={"sessions": {"history_turns": 2}})


def test_too_long_a_text_is_refused_saying_the_limit(in_room):
    async def scenario(room):
        with pytest.raises(LimitError, match="4000"):
            room.session.submit("x" * 4001)

    in_room(scenario)


def test_audio_before_listen_is_refused(in_room):
    async def scenario(room):
        with pytest.raises(InputError, match="listen"):
            room.session.feed(LOUD)

    in_room(scenario)


def test_an_utterance_that_never_ends_is_cut_at_the_limit_and_answered(in_room):
    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(4000)
        await room.turn_over()
        assert room.at(TranscriptReady) == pytest.approx(2.0, abs=0.1)

    in_room(scenario, config={"limits": {"utterance_seconds": 2}})


def test_a_microphone_that_falls_silent_without_a_word_does_not_hang_the_turn(in_room):
    async def scenario(room):
        room.session.listen(LISTENING)
        room.session.feed(LOUD)
        await room.turn_over()
        assert max(room.times) < 70

    in_room(scenario)


def test_too_many_turns_at_once_are_refused(in_room):
    async def scenario(room):
        for _ in range(MAX_TURNS):
            room.session.submit("question")
        with pytest.raises(LimitError, match=f"{MAX_TURNS} turns"):
            room.session.submit("one more")

    in_room(scenario, policy="queue", **_long_reply())


def test_a_microphone_in_another_format_is_converted(in_room):
    stt = ScriptedSpeechToText()

    async def scenario(room):
        room.session.listen(AudioFormat("pcm_s16le", 48_000, 2))
        for _ in range(10):
            room.session.feed(b"\x01\x10" * 1920)
            await asyncio.sleep(0.02)
        room.session.end_listening()
        await room.turn_over()
        assert len(stt.heard) == pytest.approx(LISTENING.pcm_bytes(200), abs=64)

    in_room(scenario, stt=stt)


def test_persona_language_and_context_can_change(in_room):
    async def scenario(room):
        room.session.update(language="de", context={"exhibit": "lion"})
        room.session.update(context={"weather": "rain", "exhibit": ""})
        assert room.session.describe()["language"] == "de"
        assert room.session.context == {"weather": "rain"}
        with pytest.raises(InputError, match="sparrow"):
            room.session.update(persona="nobody")

    in_room(scenario)


def test_every_turn_is_told_on_the_bus_with_its_timeline(in_room):
    async def scenario(room):
        with (
            room.hub.bus.subscribe(Heard, name="heard") as heard,
            room.hub.bus.subscribe(Replied, name="replied") as replied,
        ):
            await room.ask_aloud()
            await room.turn_over()
            assert (await anext(aiter(heard))).text == "what do lions eat"
            event = await anext(aiter(replied))
            assert event.text == "Lions eat meat."
            assert "first_audio" in event.timeline
            assert set(event.engine_ms) == {"stt", "llm", "tts"}
            assert event.engines == {kind: f"scripted_{kind}" for kind in ("stt", "llm", "tts")}
            assert event.troubles == {}

    in_room(scenario)


def test_a_session_of_a_hub_that_stops_begins_no_turn(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        stopping = asyncio.get_running_loop().create_task(room.hub._sessions.drain(5))
        await asyncio.sleep(0.1)
        with pytest.raises(LimitError, match="stopping"):
            room.session.submit("one more")
        await room.turn_over()
        await stopping

    in_room(scenario, **_long_reply())


def test_a_closed_session_takes_nothing_more(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.1)
        await room.session.close()
        with pytest.raises(InputError, match="ended"):
            room.session.submit("again")
        await asyncio.sleep(0.1)
        assert room.reader.done()

    in_room(scenario, **_long_reply())


def test_an_outlet_that_reads_no_further_does_not_let_outputs_pile_up(in_room):
    async def scenario(room):
        await room.detach()
        room.session.say("Here is one sentence. " * 150)
        await asyncio.sleep(20)
        assert room.session._delivery.spool.waiting_ms < 30_000

    in_room(scenario)


def test_the_outputs_of_a_turn_end_with_one_last_output(in_room):
    async def scenario(room):
        for _ in range(3):
            await room.turn_over(room.session.submit("what do lions eat"))
        for turn_id in ("t1", "t2", "t3"):
            ends = [output for output in room.of(LAST) if output.turn_id == turn_id]
            assert len(ends) == 1

    in_room(scenario, tts=ScriptedTextToSpeech(ms_per_word=0.3))


def test_phrases_count_from_one(in_room):
    async def scenario(room):
        room.session.say("One. Two is here. Three is here.")
        await room.turn_over()
        assert [output.phrase for output in room.of(PhraseReady)] == [1, 2, 3]

    in_room(scenario)


def test_an_outlet_without_options_is_unpaced():
    assert OutletOptions().buffer_ms is None


def test_the_volume_is_told_to_the_client_and_what_the_client_says_is_noted(in_room):
    async def scenario(room):
        assert room.session.volume == 100
        room.session.note_volume(40)
        room.session.set_volume(60)
        await asyncio.sleep(0.01)
        assert [output.percent for output in room.of(VolumeChanged)] == [60]
        assert room.session.volume == 60
        for percent in (-1, 101):
            with pytest.raises(InputError, match="0 to 100"):
                room.session.set_volume(percent)

    in_room(scenario)
