from __future__ import annotations

import asyncio
from itertools import groupby

from mynah.audio import LISTENING
from mynah.outputs import Interrupted, PhraseReady, SpeechChunk, TurnFinished
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech

LONG = ["Lions eat meat. ", "They hunt at night in groups. ", "A lion sleeps twenty hours a day. "]
REPLY = {"llm": ScriptedLanguageModel(LONG), "tts": ScriptedTextToSpeech(0.05, 0.2)}


def _order(room):
    """The turns whose audio went out, in order, each run once."""
    return [turn for turn, _ in groupby(chunk.turn_id for chunk in room.of(SpeechChunk))]


def test_an_announcement_makes_a_reply_pause_and_the_reply_goes_on_after_it(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.5)
        room.session.say("Dinner is ready. Come along.", urgency="announcement")
        await room.turn_over("t1")
        assert _order(room) == ["t1", "t2", "t1"]
        assert not room.of(Interrupted)
        assert len(room.audio("t1")) == LISTENING.pcm_bytes(100 * len("".join(LONG).split()))
        assert len(room.audio("t2")) == LISTENING.pcm_bytes(500)

    in_room(scenario, buffer_ms=200, **REPLY)


def test_an_alarm_goes_before_an_announcement_before_a_reply(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.3)
        room.session.say("Dinner is ready, come along now everybody.", urgency="announcement")
        await asyncio.sleep(0.3)
        room.session.say("Fire. Leave the house.", urgency="alarm")
        await room.turn_over("t1")
        assert _order(room) == ["t1", "t2", "t3", "t2", "t1"]

    in_room(scenario, buffer_ms=200, **REPLY)


def test_an_announcement_is_heard_even_while_much_of_a_reply_waits(in_room):
    async def scenario(room):
        room.session.say("Here is one sentence. " * 150)
        await asyncio.sleep(1)
        room.session.say("Dinner is ready.", urgency="announcement")
        finished = await room.turn_over("t2")
        assert isinstance(finished, TurnFinished)
        assert room.times[-1] < 3

    in_room(scenario, buffer_ms=200, tts=ScriptedTextToSpeech(0.0, 0.01))


def test_somebody_who_speaks_stops_an_announcement_but_not_an_alarm(in_room):
    async def scenario(room):
        room.session.say("Dinner is ready, come along now everybody.", urgency="announcement")
        room.session.say("Fire. Leave the house.", urgency="alarm")
        await asyncio.sleep(0.2)
        await room.ask_aloud(100)
        await room.turn_over("t3")
        assert [output.turn_id for output in room.of(Interrupted)] == ["t1"]
        assert isinstance(await room.turn_over("t2"), TurnFinished)

    in_room(scenario, buffer_ms=200)


def test_an_interruption_without_another_wish_stops_everything(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        room.session.say("Fire. Leave the house.", urgency="alarm")
        await asyncio.sleep(0.2)
        room.session.interrupt()
        await asyncio.sleep(1)
        assert {output.turn_id for output in room.of(Interrupted)} == {"t1", "t2"}
        room.session.submit("and then")
        assert isinstance(await room.turn_over("t3"), TurnFinished)

    in_room(scenario, buffer_ms=200, **REPLY)


def test_a_stopped_announcement_lets_the_reply_go_on(in_room):
    async def scenario(room):
        room.session.submit("what do lions eat")
        await asyncio.sleep(0.3)
        room.session.say("Dinner is ready, come along now everybody.", urgency="announcement")
        await asyncio.sleep(0.2)
        room.session._turns.stop(room.session._turns.known["t2"], "enough")
        await room.turn_over("t1")
        assert _order(room) == ["t1", "t2", "t1"]

    in_room(scenario, buffer_ms=200, **REPLY)


def test_sentences_are_voiced_together_while_plenty_is_to_be_heard(in_room):
    tokens = [f"This is sentence number {number}. " for number in range(40)]

    async def scenario(room):
        room.session.submit("tell me")
        await room.turn_over()
        phrases = [output.text for output in room.of(PhraseReady)]
        assert phrases[0] == "This is sentence number"
        assert len(phrases) < 30
        assert max(map(len, phrases)) < 300
        assert " ".join(phrases) == "".join(tokens).strip()

    in_room(
        scenario, buffer_ms=500, llm=ScriptedLanguageModel(tokens, 0.1, 0.2), tts=ScriptedTextToSpeech(ms_per_word=300)
    )


def test_sentences_are_voiced_one_by_one_while_little_is_to_be_heard(in_room):
    async def scenario(room):
        room.session.submit("tell me")
        await room.turn_over()
        assert len(room.of(PhraseReady)) >= 10

    tokens = [f"This is sentence number {number}. " for number in range(10)]
    in_room(scenario, buffer_ms=500, llm=ScriptedLanguageModel(tokens, 0.1, 0.5))
