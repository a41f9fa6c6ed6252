"""Drafts: the language model begins on words that are not final yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from mynah.audio import LISTENING
from mynah.conversation.drafts import BUFFERED, MOST_DRAFTS, words_of
from mynah.events import Event
from mynah.outputs import Interrupted, ReplyToken, StageStarted, ToolUsed, TranscriptReady, TurnDropped, TurnFinished
from mynah.specs import ToolSpec
from mynah.testing.engines import Calls, ScriptedLanguageModel, ScriptedTextToSpeech
from mynah.testing.hubs import scripted_engines
from mynah.timeline import now
from mynah.values import ToolCall, Transcript

TEXT = "what do lions eat"
QUIET = bytes(640)


@dataclass
class Recogniser:
    """Gives each of `partials` so many seconds after the beginning, and `final` so long after the end."""

    partials: Sequence[tuple[float, str]] = ((0.1, "what"), (0.2, "what do"), (0.3, TEXT))
    final: str = "What do lions eat?"
    final_s: float = 0.4
    language: str | None = None
    partial_language: str | None = None
    calls: Calls = field(default_factory=Calls)

    async def transcribe(self, audio, format, *, language, hints):
        self.calls.begin()
        began, left = now(), list(self.partials)
        try:
            async for _ in audio:
                while left and now() >= began + left[0][0] - 0.001:
                    yield Transcript(left.pop(0)[1], language=self.partial_language)
            await asyncio.sleep(self.final_s)
            yield Transcript(self.final, True, language=self.language)
        finally:
            self.calls.end()


@dataclass
class Timed(ScriptedLanguageModel):
    """Notes when it was asked."""

    times: list[float] = field(default_factory=list)

    async def reply(self, messages, *, grounding, tools=()):
        self.times.append(now())
        async for item in super().reply(messages, grounding=grounding, tools=tools):
            yield item


def questions(llm) -> list[str]:
    return [messages[-1].content for messages in llm.asked]


@pytest.fixture
def speak(in_room):
    """Speak for `ms` and wait for the end of the turn; return the room, the model and the last output."""

    def run(stt=None, llm=None, ms=1000, **more):
        llm = llm or Timed(first_s=0.3)
        seen = {}

        async def scenario(room):
            await room.ask_aloud(ms)
            seen["last"] = await room.turn_over()
            seen["room"] = room
            await asyncio.sleep(1)
            assert llm.calls.begun == llm.calls.ended

        in_room(scenario, stt=stt or Recogniser(), llm=llm, **more)
        return seen["room"], llm, seen["last"]

    return run


def test_words_that_did_not_change_for_a_moment_begin_a_draft_and_it_is_used(speak):
    room, llm, last = speak()
    assert llm.times[0] - room.began == pytest.approx(0.3 + 0.3, abs=0.05)
    assert questions(llm) == [TEXT]
    assert last.reply == "Lions eat meat."
    assert "".join(token.text for token in room.of(ReplyToken)) == "Lions eat meat."


def test_words_that_came_twice_begin_a_draft_at_once(speak):
    room, llm, _ = speak(Recogniser([(0.3, TEXT), (0.4, "What do lions eat")]))
    assert llm.times[0] - room.began == pytest.approx(0.4, abs=0.05)
    assert len(llm.asked) == 1


def test_a_draft_costs_the_way_to_the_first_audio_only_what_is_still_waited_for(speak):
    _, llm, last = speak(llm=Timed(first_s=1.0))
    waited = last.timeline.ms()["first_token"] - last.timeline.ms()["transcript"]
    assert waited == pytest.approx((llm.times[0] + 1.0 - last.timeline.marks["transcript"]) * 1000, abs=1)
    assert waited < 400
    assert last.timeline.engine_ms["llm"] == pytest.approx(waited, abs=1)
    assert last.timeline.engines["llm"] == "scripted_llm"
    assert last.timeline.own_ms == pytest.approx(0, abs=1)


def test_a_draft_that_is_ready_is_there_with_the_transcript(speak):
    _, _, last = speak()
    marks = last.timeline.ms()
    assert marks["first_token"] == pytest.approx(marks["transcript"], abs=0.1)
    assert last.timeline.engine_ms["llm"] == pytest.approx(0, abs=0.1)


def test_a_draft_is_dropped_at_once_when_the_words_change(speak):
    stt = Recogniser([(0.1, "what do lions"), (0.6, TEXT)])
    _, llm, last = speak(stt, Timed(["A", " lion."], first_s=5))
    assert questions(llm) == ["what do lions", TEXT]
    assert llm.calls.most == 1
    assert last.reply == "A lion."


def test_a_draft_is_dropped_when_the_final_words_are_others(speak):
    _, llm, last = speak(Recogniser(final="what do tigers eat"))
    assert questions(llm) == [TEXT, "what do tigers eat"]
    assert isinstance(last, TurnFinished)


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_draft_is_used_only_in_the_language_that_was_spoken(speak, language):
    _, llm, _ = speak(Recogniser(language=language))
    assert len(llm.asked) == (1 if language == "en" else 2)


def test_a_language_that_is_known_early_is_the_drafts(speak):
    _, llm, _ = speak(Recogniser(language="es", partial_language="es"))
    assert len(llm.asked) == 1


def test_a_draft_is_dropped_when_the_scene_has_changed(in_room):
    llm = Timed()

    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(800)
        assert len(llm.asked) == 1
        room.session.update(context={"exhibit": "lion"})
        room.session.end_listening()
        await room.turn_over()
        assert len(llm.asked) == 2

    in_room(scenario, stt=Recogniser(), llm=llm)


def test_one_word_is_no_reason_for_a_draft(speak):
    _, llm, _ = speak(Recogniser([(0.1, "lions")], "lions"))
    assert llm.times[0] > 1.0
    assert len(llm.asked) == 1


def test_where_words_are_not_parted_a_few_characters_are_enough(speak):
    room, llm, _ = speak(Recogniser([(0.2, "狮子吃什么")], "狮子吃什么？"))
    assert llm.times[0] - room.began == pytest.approx(0.5, abs=0.05)
    assert questions(llm) == ["狮子吃什么"]


def test_a_turn_begins_only_so_many_drafts(speak):
    stt = Recogniser([(number * 0.4, f"word number {number}") for number in range(8)], "word number 7")
    _, llm, _ = speak(stt, ms=4000)
    assert len(llm.asked) == MOST_DRAFTS + 1


def test_drafts_can_be_switched_off(speak):
    _, llm, _ = speak(config={"latency": {"drafts": False}})
    assert llm.times[0] > 1.0
    assert len(llm.asked) == 1


def test_a_draft_gives_nothing_away_before_the_utterance_is_committed(in_room):
    llm = Timed(rounds=[["Let me see. ", ToolCall("1", "feeding", {})], ["At noon."]])
    ran: list[float] = []

    async def feeding(hub, session, arguments):
        ran.append(now())

    async def scenario(room):
        with room.hub.bus.subscribe(Event, name="test") as events:
            room.session.listen(LISTENING)
            await room.speak(900)
            assert len(llm.asked) == llm.calls.ended == 1
            assert not ran
            assert not room.of(ReplyToken)
            assert [stage.stage for stage in room.of(StageStarted)] == ["listening"]
            assert room.session.history == ()
            events.__exit__()
            assert not [event async for event in events]
        room.session.end_listening()
        assert (await room.turn_over()).reply == "Let me see. At noon."
        assert len(ran) == 1
        assert ran[0] - room.began > room.at(TranscriptReady) - 0.001
        assert len(room.of(ToolUsed)) == 1
        assert llm.calls.begun == 2

    tool = ToolSpec(name="time_of_day", run=feeding)
    specs = (*scripted_engines(stt=Recogniser(), llm=llm), tool)
    llm.rounds = [["Let me see. ", ToolCall("1", "time_of_day", {})], ["At noon."]]
    in_room(scenario, specs=specs)


def test_a_draft_of_noise_is_dropped_without_a_trace(in_room):
    llm = Timed(first_s=60)

    async def scenario(room):
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        room.session.listen(LISTENING)
        await room.speak(900)
        assert llm.calls.begun == 1
        room.session.listen(LISTENING)  # begins afresh: what was said is forgotten
        assert isinstance(await room.turn_over(), TurnDropped)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() - before == set()
        assert llm.calls.ended == 1

    in_room(scenario, stt=Recogniser(), llm=llm)


@pytest.mark.parametrize("at_s", [0.7, 1.2, 1.45, 1.8])
def test_an_interruption_in_the_middle_of_a_draft_leaves_nothing_behind(in_room, at_s):
    llm, stt = Timed(["Lions", " eat", " meat."], first_s=0.9, each_s=0.2), Recogniser()

    async def scenario(room):
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        began = now()
        if at_s < 1:
            room.session.listen(LISTENING)
            await room.speak(int(at_s * 1000))
            room.session.end()
        else:
            await room.ask_aloud(1000)
            await asyncio.sleep(began + at_s - now())
            room.session.interrupt()
            assert isinstance(await room.turn_over(), Interrupted)
        await asyncio.sleep(0.01)
        assert llm.calls.begun == 1
        assert asyncio.all_tasks() - before == set()
        assert llm.calls.begun == llm.calls.ended
        assert stt.calls.begun == stt.calls.ended

    in_room(scenario, stt=stt, llm=llm)


def test_a_draft_that_fails_is_asked_for_again(speak):
    class Fails(Timed):
        async def reply(self, messages, *, grounding, tools=()):
            self.fault = "raise" if not self.asked else ""
            async for item in super().reply(messages, grounding=grounding, tools=tools):
                yield item

    _, llm, last = speak(llm=Fails())
    assert len(llm.asked) == 2
    assert last.reply == "Lions eat meat."


def test_a_draft_without_end_is_bounded(in_room):
    llm = Timed(["word "] * (BUFFERED * 10))

    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(2000)
        draft = llm.calls
        assert (draft.begun, draft.ended) == (1, 0)
        room.session.end()
        await asyncio.sleep(0.01)
        assert draft.ended == 1

    in_room(scenario, stt=Recogniser(), llm=llm, tts=ScriptedTextToSpeech())


def test_words_are_compared_without_case_and_punctuation():
    assert words_of("What's that, a lion?") == words_of("what's that a lion") == ("what's", "that", "a", "lion")
    assert words_of("¿Qué comen?") == ("qué", "comen")
