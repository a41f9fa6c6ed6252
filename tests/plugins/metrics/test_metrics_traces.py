"""Traces of real turns, as an OTLP receiver on the loopback gets them from the real SDK."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mynah import LISTENING, OutletOptions, Replied, ReplyFailed, ReplyInterrupted, SessionOptions
from mynah.outputs import LAST
from mynah.testing import ScriptedLanguageModel, ScriptedTextToSpeech, run_hub, scripted_engines
from mynah_metrics.spans import span

TIMELINE = {
    "opened": -2000.0, "speech_end": 0.0, "transcript": 100.0, "first_token": 300.0, "first_phrase": 400.0,
    "first_audio": 450.0, "last_token": 900.0, "last_audio": 1500.0, "finished": 1500.0,
}  # fmt: skip
TOLD = {
    "time": 1_000.0, "session_id": "s1", "turn_id": "t1", "origin": "study", "timeline": TIMELINE,
    "engine_ms": {"stt": 80.0, "llm": 190.0}, "engines": {"stt": "ears", "llm": "wits"},
    "troubles": {"llm": ("broken: it is down",)},
}  # fmt: skip


def seconds(ns):
    return round(ns / 1e9, 3)


# ---------------------------------------------------------------- spans


def test_a_turn_is_a_span_that_ends_when_it_was_over():
    turn = span(Replied(text="Meat.", outcome="answered", **TOLD))
    assert (turn.name, seconds(turn.begin), seconds(turn.end), seconds(turn.first)) == ("turn", 996.5, 1000.0, 998.95)
    assert turn.attributes == {
        "mynah.session": "s1", "mynah.turn": "t1", "mynah.recipe": "converse", "mynah.outcome": "answered",
        "mynah.origin": "study", "mynah.first_audio_ms": 450.0,
    }  # fmt: skip


def test_each_stage_is_a_span_below_it_with_the_engine_that_did_it():
    turn = span(Replied(text="Meat.", outcome="answered", **TOLD))
    told = {each.name: (seconds(each.begin), seconds(each.first), seconds(each.end)) for each in turn.children}
    assert told == {
        "listening": (996.5, 998.5, 998.5),
        "transcribing": (998.5, 998.6, 998.6),
        "thinking": (998.6, 998.8, 999.4),
        "speaking": (998.9, 998.95, 1000.0),
    }
    thinking = turn.children[2].attributes
    assert thinking == {
        "mynah.engine": "wits", "mynah.engine_ms": 190.0, "mynah.troubles": "broken: it is down"
    }  # fmt: skip


@pytest.mark.parametrize("made", [True, False])
def test_a_reply_that_was_stopped_while_it_sounded_has_its_span_already(made):
    found = span(ReplyInterrupted(heard="Me", heard_ms=100.0, reason="button", made=made, **TOLD))
    assert (found is None) == made
    assert made or found.attributes["mynah.outcome"] == "interrupted"


def test_a_turn_that_failed_says_why():
    turn = span(ReplyFailed(error="all engines failed", **TOLD))
    assert (turn.error, turn.attributes["mynah.outcome"]) == ("all engines failed", "failed")


# ---------------------------------------------------------------- sent


class Receiver:
    """Takes what is sent to `/v1/traces`."""

    def __init__(self):
        self.requests = []
        self.headers = []
        self.status = 200

    async def take(self, request):
        self.headers.append(request.headers)
        self.requests.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response(status=self.status)

    def spans(self):
        return [
            each
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for each in scope.spans
        ]

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_post("/v1/traces", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
        finally:
            await runner.cleanup()


async def converse(hub, *, spoken=False, stop=False):
    session = hub.open_session(SessionOptions(origin="study"))
    async with aclosing(session.outputs(OutletOptions())) as outputs:
        if spoken:
            session.listen(LISTENING)
            session.feed(b"\x01\x10" * 3200)
            session.end_listening()
        else:
            session.submit("What do lions eat?")
        if stop:
            asyncio.get_running_loop().call_later(0.05, session.interrupt)
        async for output in outputs:
            if isinstance(output, LAST):
                return


def attributes(each):
    return {pair.key: pair.value.string_value or pair.value.double_value for pair in each.attributes}


async def test_a_turn_arrives_as_one_trace_with_a_span_for_each_stage(tmp_path):
    receiver = Receiver()
    async with receiver.serving() as url:
        config = {"metrics": {"traces": url, "headers": {"x-key": "k"}, "service": "zoo"}}
        async with run_hub(tmp_path, specs=scripted_engines(), config=config, installed=["metrics"]) as hub:
            await converse(hub, spoken=True)
    spans = receiver.spans()
    (turn,) = [each for each in spans if each.name == "turn"]
    stages = {each.name: each for each in spans if each.name != "turn"}
    assert set(stages) == {"listening", "transcribing", "thinking", "speaking"}
    assert {each.trace_id for each in spans} == {turn.trace_id}
    assert {each.parent_span_id for each in stages.values()} == {turn.span_id}
    assert not turn.parent_span_id
    for each in stages.values():
        assert turn.start_time_unix_nano <= each.start_time_unix_nano <= each.end_time_unix_nano
        assert each.end_time_unix_nano <= turn.end_time_unix_nano
        assert [event.name for event in each.events] == ["first result"]
    assert attributes(turn)["mynah.origin"] == "study"
    assert attributes(stages["thinking"])["mynah.engine"] == "scripted_llm"
    assert receiver.headers[0]["x-key"] == "k"
    (service,) = [
        pair.value.string_value
        for pair in receiver.requests[0].resource_spans[0].resource.attributes
        if pair.key == "service.name"
    ]
    assert service == "zoo"


async def test_no_words_of_a_conversation_are_sent(tmp_path):
    receiver = Receiver()
    async with receiver.serving() as url:
        config = {"metrics": {"traces": url}}
        async with run_hub(tmp_path, specs=scripted_engines(), config=config, installed=["metrics"]) as hub:
            await converse(hub)
    assert receiver.requests
    for request in receiver.requests:
        assert b"lions" not in request.SerializeToString().lower()


async def test_a_reply_that_is_stopped_is_a_trace_too(tmp_path):
    receiver = Receiver()
    engines = {"llm": ScriptedLanguageModel(["One two three. "] * 9, each_s=0.1), "tts": ScriptedTextToSpeech(0.1, 0.5)}
    async with receiver.serving() as url:
        config = {"metrics": {"traces": url}}
        async with run_hub(tmp_path, specs=scripted_engines(**engines), config=config, installed=["metrics"]) as hub:
            await converse(hub, stop=True)
    (turn,) = [each for each in receiver.spans() if each.name == "turn"]
    assert attributes(turn)["mynah.outcome"] == "interrupted"


@pytest.mark.parametrize("status", [400, 503])
async def test_a_receiver_that_refuses_or_is_not_there_holds_nobody_up(tmp_path, monkeypatch, status, caplog):
    monkeypatch.setattr("mynah_metrics.traces.SEND_S", 0.3)
    monkeypatch.setattr("mynah_metrics.traces.END_S", 1.0)
    caplog.set_level(logging.CRITICAL, "opentelemetry")
    receiver = Receiver()
    receiver.status = status
    async with receiver.serving() as url:
        config = {"metrics": {"traces": url if status == 400 else "http://127.0.0.1:9/v1/traces"}}
        began = asyncio.get_running_loop().time()
        async with run_hub(tmp_path, specs=scripted_engines(), config=config, installed=["metrics"]) as hub:
            await converse(hub)
            assert hub.statistics()["turns"] == {"answered": 1}
        assert asyncio.get_running_loop().time() - began < 20
