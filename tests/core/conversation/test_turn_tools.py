"""What a language model may do while it answers, and what it is told of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import voluptuous as vol

from mynah.conversation.replying import MOST_CALLS, TOOL_ROUNDS
from mynah.conversation.tools import RESULT_CHARS
from mynah.errors import MynahError
from mynah.outputs import Interrupted, PhraseReady, ReplyToken, ToolUsed, TurnFailed, TurnFinished
from mynah.specs import ToolSpec
from mynah.testing.engines import Calls, ScriptedLanguageModel, ScriptedTextToSpeech, scripted
from mynah.testing.hubs import SPARROW, scripted_engines
from mynah.values import Message, Token, ToolCall

ASK = ToolCall("c1", "feeding", {"animal": "lion"})


class Feeding:
    """A tool that takes `takes_s` and then gives `result`, or raises it."""

    def __init__(self, result: object = "at noon", takes_s: float = 0.0) -> None:
        self.result = result
        self.takes_s = takes_s
        self.given: list[dict] = []
        self.sessions: list = []
        self.calls = Calls()

    async def run(self, hub, session, arguments):
        self.calls.begin()
        try:
            self.given.append(arguments)
            self.sessions.append(session)
            await asyncio.sleep(self.takes_s)
            if isinstance(self.result, BaseException):
                raise self.result
            return self.result
        finally:
            self.calls.end()

    @property
    def spec(self) -> ToolSpec:
        schema = {
            vol.Required("animal", description="Which one"): str,
            vol.Optional("day", default="today", description="When"): vol.In(["today", "tomorrow"]),
        }
        return ToolSpec(name="feeding", run=self.run, schema=schema, timeout_s=2.0, description="Feeding times")


def house(tool: Feeding, llm: ScriptedLanguageModel, **engines):
    keeper = replace(SPARROW, tools=("feeding", "not_installed"))
    return (*(spec for spec in scripted_engines(llm=llm, **engines) if spec is not SPARROW), keeper, tool.spec)


@pytest.fixture
def ask(in_room):
    """Ask a question of a model that goes through `rounds` with a `tool`; return what came out and what it was told."""

    def run(rounds, tool=None, **model):
        tool, llm = tool or Feeding(), ScriptedLanguageModel(rounds=rounds, **model)
        seen = {}

        async def scenario(room):
            room.session.submit("when are the lions fed")
            seen["last"] = await room.turn_over()
            seen["room"], seen["history"] = room, room.session.history

        in_room(scenario, specs=house(tool, llm))
        return seen["room"], llm, tool, seen

    return run


def told(llm: ScriptedLanguageModel, number: int = 1) -> list[str]:
    return [message.content for message in llm.asked[number] if message.role == "tool"]


def test_a_model_is_offered_the_tools_of_its_persona_that_there_are(ask):
    _, llm, _, _ = ask([])
    (tool,) = llm.offered[0]
    assert (tool.name, tool.description) == ("feeding", "Feeding times")
    assert tool.parameters["type"] == "object"
    assert tool.parameters["required"] == ["animal"]
    assert tool.parameters["properties"]["animal"] == {"type": "string", "description": "Which one"}


def test_a_call_is_run_and_the_model_answers_with_its_result(ask):
    room, llm, tool, seen = ask([[ASK], ["The lions are fed at noon."]])
    assert tool.given == [{"animal": "lion", "day": "today"}]
    assert tool.sessions == [room.session]
    assert seen["last"].reply == "The lions are fed at noon."
    assert llm.asked[1][-2:] == [
        Message("assistant", "", calls=(ASK,)),
        Message("tool", "at noon", call_id="c1"),
    ]
    (used,) = room.of(ToolUsed)
    assert (used.name, used.ok) == ("feeding", True)


def test_history_keeps_words_only(ask):
    _, _, _, seen = ask([["Let me look. ", ASK], ["At noon."]])
    (exchange,) = seen["history"]
    assert (exchange.user, exchange.reply) == ("when are the lions fed", "Let me look. At noon.")


def test_what_came_before_a_call_is_spoken_while_the_tool_runs(ask):
    room, llm, _, seen = ask([["Let me look", ASK], ["At noon."]], Feeding(takes_s=1.0))
    first, second = room.of(PhraseReady)
    assert (first.text, second.text) == ("Let me look", "At noon.")
    assert room.at(PhraseReady) < 0.1
    assert seen["last"].reply == "Let me look At noon."
    assert llm.asked[1][-2] == Message("assistant", "Let me look", calls=(ASK,))


def test_all_calls_of_one_answer_run_at_once_and_are_answered_in_order(ask):
    calls = [replace(ASK, id=f"c{number}", arguments={"animal": f"a{number}"}) for number in range(3)]
    room, llm, tool, _ = ask([calls, ["Done."]], Feeding(takes_s=1.0))
    assert tool.calls.most == 3
    assert max(room.times) < 1.2
    assert [message.call_id for message in llm.asked[1] if message.role == "tool"] == ["c0", "c1", "c2"]


def test_calls_beyond_the_most_are_not_run_and_the_model_is_told(ask):
    calls = [replace(ASK, id=f"c{number}") for number in range(MOST_CALLS + 2)]
    _, llm, tool, _ = ask([calls, ["Done."]])
    assert tool.calls.begun == MOST_CALLS
    assert len(told(llm)) == MOST_CALLS + 2
    assert "at most" in told(llm)[-1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (replace(ASK, arguments={"animal": 3}), "animal: expected"),
        (replace(ASK, arguments={}), "'animal' is missing"),
        (replace(ASK, arguments={"animal": "lion", "dya": "today"}), "dya: unknown key"),
        (replace(ASK, arguments={"": '{"animal": '}), "must be a JSON object"),
        (replace(ASK, name="feding"), "There are: feeding"),
    ],
    ids=["wrong type", "missing", "unknown key", "unreadable", "unknown tool"],
)
def test_a_call_that_cannot_be_run_is_told_to_the_model(ask, call, words):
    room, llm, tool, seen = ask([[call], ["I do not know."]])
    assert words in told(llm)[0]
    assert not tool.given
    assert [used.ok for used in room.of(ToolUsed)] == [False]
    assert isinstance(seen["last"], TurnFinished)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (MynahError("the keeper is ill"), "the keeper is ill"),
        (ValueError("a secret of the house"), "The tool feeding failed"),
        (asyncio.CancelledError(), "The tool feeding failed"),
    ],
    ids=["its own words", "a defect", "something cancelled"],
)
def test_a_tool_that_fails_is_told_to_the_model_and_the_turn_goes_on(ask, result, words):
    room, llm, _, seen = ask([[ASK], ["I could not find out."]], Feeding(result))
    assert words in told(llm)[0]
    assert "secret" not in told(llm)[0]
    assert [used.ok for used in room.of(ToolUsed)] == [False]
    assert seen["last"].reply == "I could not find out."


def test_a_tool_that_takes_too_long_is_stopped(ask):
    room, llm, tool, _ = ask([[ASK], ["It takes long."]], Feeding(takes_s=100))
    assert "more than 2 s" in told(llm)[0]
    assert tool.calls.ended == 1
    assert max(room.times) < 2.5


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "Done."),
        ({"hours": [11, 16]}, '{"hours": [11, 16]}'),
        ("viel Fleisch für Löwen", "viel Fleisch für Löwen"),
    ],
)
def test_results_are_told_as_text(ask, result, words):
    _, llm, _, _ = ask([[ASK], ["Done."]], Feeding(result))
    assert told(llm) == [words]


def test_a_long_result_is_cut(ask):
    _, llm, _, _ = ask([[ASK], ["Done."]], Feeding("x" * 100_000))
    assert len(told(llm)[0]) < RESULT_CHARS + 100
    assert "100,000" in told(llm)[0]


def test_after_the_last_round_the_model_must_answer_without_tools(ask):
    _, llm, tool, seen = ask([[ASK]] * TOOL_ROUNDS, tokens=["Enough."])
    assert tool.calls.begun == TOOL_ROUNDS
    assert [bool(tools) for tools in llm.offered] == [True] * TOOL_ROUNDS + [False]
    assert seen["last"].reply == "Enough."


def test_a_model_that_never_stops_calling_ends_the_turn(ask):
    _, _, tool, seen = ask([[ASK]] * (TOOL_ROUNDS + 1))
    assert tool.calls.begun == TOOL_ROUNDS
    assert isinstance(seen["last"], TurnFailed)


def test_the_calls_of_an_engine_that_failed_are_not_run(ask):
    _, _, tool, seen = ask([[ASK, ASK]], fault="raise", at=1)
    assert not tool.given
    assert isinstance(seen["last"], TurnFailed)


@pytest.mark.parametrize("second", [["I do not know."], []])
@pytest.mark.parametrize("aloud", [False, True])
def test_the_calls_of_an_engine_that_another_replaced_are_not_run(in_room, second, aloud):
    tool = Feeding()
    first, other = ScriptedLanguageModel(rounds=[[ASK, "x"]], fault="raise", at=1), ScriptedLanguageModel(second)
    specs = [spec for spec in house(tool, first) if spec.name != "scripted_llm"]
    llms = (scripted("llm", first, name="a_first"), scripted("llm", other, name="b_second"))

    async def scenario(room):
        if aloud:  # a draft
            await room.ask_aloud(1000)
        else:
            room.session.submit("when are the lions fed")
        last = await room.turn_over()
        assert isinstance(last, TurnFinished if second else TurnFailed)
        assert not tool.given
        assert first.calls.begun == 1

    in_room(scenario, specs=(*specs, *llms))


def test_the_time_that_tools_take_is_not_the_hubs_own(ask):
    _, _, _, seen = ask([[ASK, ASK], [ASK], ["At noon."]], Feeding(takes_s=0.5))
    timeline = seen["last"].timeline
    assert timeline.engine_ms["tools"] == pytest.approx(1000, abs=2)
    assert timeline.engines["tools"] == "feeding"
    assert timeline.own_ms == pytest.approx(0, abs=2)


def test_an_interruption_in_the_middle_of_a_call_leaves_nothing_behind(in_room):
    tool, llm = Feeding(takes_s=1.5), ScriptedLanguageModel(rounds=[["One moment. ", ASK], ["At noon."]])

    async def scenario(room):
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        room.session.submit("when are the lions fed")
        await room.until(lambda outputs: tool.calls.begun == 1)
        await asyncio.sleep(1.0)
        room.session.interrupt()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() - before == set()
        assert tool.calls.ended == llm.calls.begun == llm.calls.ended == 1
        assert isinstance(room.outputs[-1], Interrupted)
        assert not room.of(ToolUsed)
        assert room.session.history[-1].reply == "One moment."
        room.session.submit("and now")
        assert isinstance(await room.turn_over("t2"), TurnFinished)

    in_room(scenario, specs=house(tool, llm), buffer_ms=300)


def test_a_tool_may_stop_the_reply_that_uses_it(in_room):
    class Stop(Feeding):
        async def run(self, hub, session, arguments):
            await super().run(hub, session, arguments)
            session.interrupt("stop")
            await asyncio.sleep(10)

    tool, llm = Stop(), ScriptedLanguageModel(rounds=[[ASK], ["Still here."]])

    async def scenario(room):
        room.session.submit("be quiet")
        assert (await room.turn_over()).reason == "stop"
        await asyncio.sleep(1)
        assert not room.of(ReplyToken)
        assert tool.calls.ended == llm.calls.ended == 1

    in_room(scenario, specs=house(tool, llm))


def test_a_model_that_is_offered_nothing_is_called_without_tools(in_room):
    class Plain:
        async def reply(self, messages, *, grounding):
            yield Token("Hello.")

    async def scenario(room):
        room.session.submit("hello")
        assert (await room.turn_over()).reply == "Hello."

    in_room(scenario, llm=Plain(), tts=ScriptedTextToSpeech())


def test_a_result_that_is_no_json_is_the_tools_failure_and_the_turn_goes_on(ask):
    room, llm, _, seen = ask([[ASK], ["I cannot look it up."]], Feeding({("lion", 1): "at noon"}))
    assert told(llm) == ["The tool feeding failed. It cannot be used now."]
    assert seen["last"].reply == "I cannot look it up."
    assert [used.ok for used in room.of(ToolUsed)] == [False]


def test_a_timeout_inside_a_tool_is_not_taken_for_its_own_limit(ask):
    _, llm, _, _ = ask([[ASK], ["Later."]], Feeding(TimeoutError("the feeder did not answer")))
    assert told(llm) == ["The tool feeding failed. It cannot be used now."]


def test_a_model_that_failed_is_not_waited_for_again_after_a_tool(in_room):
    dead = ScriptedLanguageModel(fault="hang")
    llm, tool = ScriptedLanguageModel(rounds=[[ASK], ["At noon."]]), Feeding()
    others = [spec for spec in house(tool, llm) if getattr(spec, "kind", "") != "llm"]
    entries = [{"engine": "dead", "first_timeout": 3, "next_timeout": 3}, "llm"]

    async def scenario(room):
        room.session.submit("when are the lions fed")
        assert (await room.turn_over()).reply == "At noon."
        assert dead.calls.begun == 1
        assert max(room.times) < 4

    specs = (*others, scripted("llm", dead, name="dead"), scripted("llm", llm, name="llm"))
    in_room(scenario, specs=specs, config={"engines": {"llm": entries}})
