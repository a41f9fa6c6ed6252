from __future__ import annotations

import logging

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah import EngineError, Message, Token, Tool, ToolCall
from mynah_openai.tool_calls import CallParts

VOLUME = Tool("volume", "Sets the volume.", {"type": "object", "properties": {"percent": {"type": "integer"}}})


def piece(index=None, id=None, name=None, arguments=None):
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    told = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
    return {**told, "type": "function", "function": function}


def put_together(*chunks):
    parts = CallParts()
    for chunk in chunks:
        parts.feed(chunk)
    return parts.calls()


async def test_a_tool_is_declared_and_its_call_comes_parsed(server: OpenAIServer, opened, reply):
    server.chat = Script(
        tokens=("One ", "moment."),
        calls=([piece(0, "c1", "volume", "")], [piece(0, arguments='{"perc')], [piece(0, arguments='ent": 30}')]),
        finish="tool_calls",
    )
    async with opened("llm") as engine:
        items = await reply(engine, "Louder!", tools=[VOLUME])
    assert items == [Token("One "), Token("moment."), ToolCall("c1", "volume", {"percent": 30})]
    (tool,) = server.asked("completions")[0].body["tools"]
    assert tool == {
        "type": "function",
        "function": {"name": "volume", "description": "Sets the volume.", "parameters": dict(VOLUME.parameters)},
    }


async def test_calls_and_their_results_go_back_in_the_api_s_form(server: OpenAIServer, opened, reply):
    messages = [
        Message("user", "Louder!"),
        Message("assistant", "", calls=(ToolCall("c1", "volume", {"percent": 30}), ToolCall("c2", "stop", {"": "{"}))),
        Message("tool", "done", call_id="c1"),
        Message("tool", "wrong", call_id="c2"),
    ]
    async with opened("llm") as engine:
        await reply(engine, messages, tools=[VOLUME])
    told = server.asked("completions")[0].body["messages"][1:]
    assert told[1]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "volume", "arguments": '{"percent": 30}'}},
        {"id": "c2", "type": "function", "function": {"name": "stop", "arguments": '{"": "{"}'}},
    ]
    assert told[2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "tool", "tool_call_id": "c2", "content": "wrong"},
    ]


async def test_a_model_without_tools_answers_without_them_from_then_on(server: OpenAIServer, opened, reply, caplog):
    server.chat = [Script(status=400, body={"error": {"message": "tiny does not support tools"}}), Script()]
    async with opened("llm") as engine:
        with caplog.at_level(logging.WARNING, "mynah_openai"):
            for _ in range(2):
                assert len(await reply(engine, tools=[VOLUME])) == 3
    assert ["tools" in seen.body for seen in server.asked("completions")] == [True, False, False]
    assert caplog.text.count("takes no tools") == 1


async def test_another_refusal_is_not_taken_for_a_lack_of_tools(server: OpenAIServer, opened, reply):
    server.chat = Script(status=400, body={"error": {"message": "the prompt is too long"}})
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match=r"refuses the request \(HTTP 400\): the prompt is too long"):
            await reply(engine, tools=[VOLUME])
    assert len(server.asked("completions")) == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "error parsing tool call: raw='{\"percent\": ', err=unexpected end of JSON input"),
        (500, "Failed to parse tool call arguments as JSON"),
        (400, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"),
    ],
)
async def test_a_call_that_was_botched_once_does_not_cost_the_tools_for_good(
    server: OpenAIServer, opened, reply, status, said
):
    server.chat = [Script(status=status, body={"error": {"message": said}}), Script()]
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match="tool"):
            await reply(engine, tools=[VOLUME])
        await reply(engine, tools=[VOLUME])
    assert ["tools" in seen.body for seen in server.asked("completions")] == [True, True]


@pytest.mark.parametrize(
    "said",
    [
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
        "No endpoints found that support tool use.",
        "registry.ollama.ai/library/gemma:2b does not support tools",
        "Unrecognized request argument supplied: tools",
    ],
)
async def test_a_lack_of_tools_is_known_in_every_server_s_words(server: OpenAIServer, opened, reply, said):
    server.chat = [Script(status=400, body={"error": {"message": said}}), Script()]
    async with opened("llm") as engine:
        assert await reply(engine, tools=[VOLUME])


def test_calls_without_index_are_told_apart_by_id():
    assert put_together(
        [piece(id="a", name="one"), piece(id="b", name="two")],
        [piece(id="a", arguments='{"x": 1}'), piece(id="b", arguments='{"y": 2}')],
    ) == [ToolCall("a", "one", {"x": 1}), ToolCall("b", "two", {"y": 2})]


@pytest.mark.parametrize("none", ["", " ", "null"])
def test_a_call_may_have_no_arguments(none):
    assert put_together([piece(0, "a", "one", none)]) == [ToolCall("a", "one", {})]


def test_interleaved_calls_are_told_apart_by_index():
    assert put_together(
        [piece(0, "a", "one", '{"x"'), piece(1, "b", "two", "{")],
        [piece(1, arguments='"y": 2'), piece(0, arguments=": 1}")],
        [piece(1, arguments="}")],
    ) == [ToolCall("a", "one", {"x": 1}), ToolCall("b", "two", {"y": 2})]


def test_arguments_may_be_cut_anywhere():
    text = '{"city": "Zürich \\"old\\"", "n": [1, 2.5, null]}'
    chunks = [[piece(0, "a", "one")], *([piece(0, arguments=letter)] for letter in text)]
    assert put_together(*chunks) == [ToolCall("a", "one", {"city": 'Zürich "old"', "n": [1, 2.5, None]})]


def test_missing_ids_are_made_up_and_differ():
    first, second = put_together([piece(0, None, "one", "{}")], [piece(1, None, "two", "{}")])
    assert first.id != second.id
    assert len(first.id) == 9
    assert first.id.isalnum()


def test_whole_calls_that_all_have_index_0_are_told_apart():
    calls = put_together([piece(0, "a", "one", "{}")], [piece(0, "b", "one", '{"x": 1}')])
    assert [(call.id, call.arguments) for call in calls] == [("a", {}), ("b", {"x": 1})]


def test_whole_calls_without_index_and_id_are_told_apart():
    assert [call.name for call in put_together([piece(name="one"), piece(name="two")])] == ["one", "two"]


def test_a_name_and_id_that_are_repeated_do_not_make_another_call():
    calls = put_together([piece(0, "a", "one", '{"x"')], [piece(0, "a", "one", ": 1}")])
    assert calls == [ToolCall("a", "one", {"x": 1})]


def test_arguments_given_as_an_object_are_taken():
    assert put_together([piece(0, "a", "one", {"x": 1})]) == [ToolCall("a", "one", {"x": 1})]


@pytest.mark.parametrize("text", ['{"x": ', "[1]", '"x"', "loud"])
def test_arguments_that_are_no_object_come_under_the_empty_key(text):
    assert put_together([piece(0, "a", "one", text)]) == [ToolCall("a", "one", {"": text})]


@pytest.mark.parametrize("junk", [None, "text", [None], [{"index": 0}], [{"function": "x"}], [{"index": "z"}]])
def test_junk_makes_no_call(junk):
    assert put_together(junk) == []
