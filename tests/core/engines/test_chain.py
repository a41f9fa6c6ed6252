"""Chains: engines opened and kept open, tried in order, each within its limits, and let go of afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import logging
from contextlib import aclosing, asynccontextmanager

import pytest

from mynah.bus import EventBus
from mynah.engines.chain import Chain, Meter, OpenEngine
from mynah.engines.open_engine import REOPEN_S
from mynah.errors import EngineError, InputError, Refusal
from mynah.events import EngineFailed, EngineReady, EngineStateChanged
from mynah.specs import EngineSpec
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech, scripted
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now
from mynah.values import Grounding, ReplyNote, Token


def virtual(test):
    """Run an async test in virtual time."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        run_in_virtual_time(test(*args, **kwargs))

    return run


class Script:
    """Gives items, waiting where one is a number, failing where one is an exception."""

    def __init__(self, *items):
        self.items = items
        self.begun = 0
        self.closed = 0

    async def run(self):
        self.begun += 1
        try:
            for item in self.items:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, int | float):
                    await asyncio.sleep(item)
                else:
                    yield item
        finally:
            self.closed += 1


FOREVER = 1e9


@asynccontextmanager
async def chain_of(*engines, kind="llm", first=10.0, following=5.0, wait=True):
    """A chain of engines, each a `Script`, another engine, or a whole `EngineSpec`; all settled if `wait`."""
    bus = EventBus()
    opened = []
    for number, engine in enumerate(engines, 1):
        spec = engine if isinstance(engine, EngineSpec) else scripted(kind, engine, name=f"e{number}")
        config = {"engine": spec.name, "first_timeout": first, "next_timeout": following}
        opened.append(OpenEngine(spec, config, None, bus))
    tasks = [asyncio.ensure_future(engine.keep_open()) for engine in opened]
    try:
        for engine in opened if wait else ():
            await engine.settled.wait()
        yield Chain(kind, opened, bus)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks) if tasks else None


def run(engine):
    return engine.run()


async def collect(chain, call=run, *, total=60.0, **options):
    async with aclosing(chain.stream(call, total=total, **options)) as outputs:
        return [output async for output in outputs]


def failures(chain):
    """Return how often each engine failed that did."""
    return {engine.spec.name: engine.failures for engine in chain.engines if engine.failures}


async def failure(chain, call=run, **options):
    """Return the message of a stream that fails."""
    with pytest.raises(EngineError) as caught:
        await collect(chain, call, **options)
    return str(caught.value)


# ---------------------------------------------------------------- who answers


@virtual
async def test_the_first_engine_answers():
    one, two = Script("a", "b"), Script("c")
    async with chain_of(one, two) as chain:
        assert await collect(chain) == ["a", "b"]
    assert (one.begun, one.closed, two.begun) == (1, 1, 0)


@pytest.mark.parametrize("error", [EngineError("no power"), RuntimeError("a defect"), TimeoutError("its own")])
@virtual
async def test_an_engine_that_fails_before_its_first_output_gives_way_to_the_next(error):
    one = Script(1, error)
    async with chain_of(one, Script("b")) as chain:
        with chain.bus.subscribe(EngineFailed, name="test") as failed:
            assert await collect(chain) == ["b"]
        assert [(event.engine, event.kind) async for event in failed] == [("e1", "llm")]
        assert failures(chain) == {"e1": 1}
    assert one.closed == 1


@virtual
async def test_an_engine_that_fails_after_an_output_ends_the_stream():
    two = Script("c")
    async with chain_of(Script("a", EngineError("no power")), two) as chain:
        given = []
        message = await failure(chain, final=lambda output: given.append(output) or True)
        assert message == "e1: no power"
        assert given == ["a"]
    assert two.begun == 0


@virtual
async def test_outputs_that_are_not_final_may_be_followed_by_another_engines():
    one = Script("partial", EngineError("no power"))
    async with chain_of(one, Script("partial", "final")) as chain:
        assert await collect(chain, final=lambda text: text == "final") == ["partial", "partial", "final"]


@virtual
async def test_when_all_fail_the_message_names_each():
    async with chain_of(Script(EngineError("no power")), Script(FOREVER), Script(ValueError("oh"))) as chain:
        message = await failure(chain)
        assert message == "e1: no power; e2: gave nothing for 10 s; e3: ValueError: oh"
        assert failures(chain) == {"e1": 1, "e2": 1, "e3": 1}


@virtual
async def test_failures_are_counted_and_the_next_call_tries_the_first_again():
    one = Script(EngineError("no power"))
    async with chain_of(one, Script("b")) as chain:
        for _ in range(3):
            await collect(chain)
        assert failures(chain) == {"e1": 3}
    assert one.begun == 3


@virtual
async def test_a_call_that_is_no_stream_is_that_engines_failure():
    async def no_stream():
        return "text"

    engine = Script("b")
    async with chain_of(Script(), engine) as chain:
        made = []

        def call(given):
            made.append(no_stream() if given is not engine else engine.run())
            return made[-1]

        assert await collect(chain, call) == ["b"]
        made[0].close()


@virtual
async def test_an_engine_whose_own_task_was_cancelled_gives_way_to_the_next():
    class Confused:
        async def run(self):
            task = asyncio.ensure_future(asyncio.sleep(FOREVER))
            asyncio.get_running_loop().call_later(1, task.cancel)
            await task
            yield "never"

    async with chain_of(Confused(), Script("b")) as chain:
        assert await collect(chain) == ["b"]
        assert await collect(chain, armed=lambda: True) == ["b"]


@virtual
async def test_without_any_engine_the_message_says_where_to_add_one():
    async with chain_of(kind="tts") as chain:
        assert await failure(chain) == "no text-to-speech engine is configured; add one under 'engines: tts:'"


@virtual
async def test_a_scripted_fault_fails_over_in_a_real_engines_calls():
    def reply(engine):
        return engine.reply([], grounding=Grounding())

    broken = ScriptedLanguageModel(fault="raise")
    async with chain_of(broken, ScriptedLanguageModel(tokens=("Yes.",))) as chain:
        items = await collect(chain, reply, final=lambda item: not isinstance(item, ReplyNote))
    assert items == [ReplyNote(), ReplyNote(), Token("Yes.")]
    assert broken.calls.ended == 1


@virtual
async def test_an_engine_that_ends_without_a_word_has_failed():
    async with chain_of(Script(1), Script("b")) as chain:
        assert await collect(chain) == ["b"]
        assert failures(chain) == {"e1": 1}
    async with chain_of(Script()) as chain:
        assert await failure(chain) == "e1: ended without an answer"


# ---------------------------------------------------------------- engines that are not open yet, or not any more


@virtual
async def test_a_ready_engine_is_used_at_once_while_the_one_before_it_is_opening():
    slow = scripted("llm", Script("slow"), name="slow", open_s=3)
    async with chain_of(slow, Script("fast"), wait=False) as chain:
        await chain.engines[1].settled.wait()
        began = now()
        assert await collect(chain) == ["fast"]
        assert now() - began < 0.1
        await chain.engines[0].settled.wait()
        assert await collect(chain) == ["slow"]


@virtual
async def test_an_engine_that_is_opening_is_waited_for_where_no_other_is_ready():
    async with chain_of(scripted("llm", Script("late"), name="slow", open_s=3), wait=False) as chain:
        began = now()
        assert await collect(chain) == ["late"]
        assert now() - began == pytest.approx(3, abs=0.1)


@virtual
async def test_an_engine_that_does_not_open_does_not_end_the_wait_for_another():
    broken = scripted("llm", None, name="broken", open_s=1, fault="no model")
    async with chain_of(broken, scripted("llm", Script("late"), name="slow", open_s=3), wait=False) as chain:
        assert await collect(chain) == ["late"]


@virtual
async def test_an_engine_that_is_opening_is_waited_for_where_the_ready_one_fails():
    slow = scripted("llm", Script("late"), name="slow", open_s=3)
    async with chain_of(Script(EngineError("no power")), slow, wait=False) as chain:
        assert await collect(chain) == ["late"]


@virtual
async def test_an_engine_is_not_waited_for_for_ever():
    async with chain_of(scripted("tts", None, name="slow", open_s=FOREVER), kind="tts", wait=False) as chain:
        began = now()
        assert await failure(chain) == "no text-to-speech engine can be used (slow: still loading)"
        assert now() - began == pytest.approx(5, abs=0.1)


@virtual
async def test_engines_that_did_not_open_are_named_with_their_reasons():
    engines = [scripted("stt", None, name=name, fault=f"no {name} here") for name in ("whisper", "sphinx")]
    async with chain_of(*engines, kind="stt") as chain:
        began = now()
        message = await failure(chain)
        assert now() - began < 0.1
    assert message == "no speech-to-text engine can be used (whisper: no whisper here; sphinx: no sphinx here)"


def opening(outcomes, engine=None):
    """A spec whose opening follows `outcomes`: an exception, or the seconds for which it stays open; and its times."""
    times, left = [], iter(outcomes)

    @asynccontextmanager
    async def open_engine(config, folder):
        times.append(now())
        outcome = next(left, FOREVER)
        if isinstance(outcome, Exception):
            raise outcome
        async with asyncio.TaskGroup() as group:
            group.create_task(break_after(outcome))
            yield engine

    async def break_after(seconds):
        await asyncio.sleep(seconds)
        raise EngineError("the server has gone")

    return EngineSpec(name="moody", kind="llm", open=open_engine), times


def pauses(times):
    return [round(later - earlier, 2) for earlier, later in itertools.pairwise(times)]


@virtual
async def test_an_engine_that_fails_to_open_is_tried_again_after_growing_pauses():
    spec, times = opening([EngineError("no model")] * 6, Script("at last"))
    async with chain_of(spec) as chain:
        (engine,) = chain.engines
        assert (engine.state, engine.error) == ("failed", "no model")
        with chain.bus.subscribe(EngineReady, name="test") as ready:
            async for _ in ready:
                break
        assert pauses(times) == [*REOPEN_S, REOPEN_S[-1], REOPEN_S[-1]]
        assert (engine.state, engine.error) == ("ready", "")
        assert await collect(chain) == ["at last"]


@virtual
async def test_an_engine_that_raises_anything_is_reported_with_its_type(caplog):
    spec, _ = opening([ZeroDivisionError("division by zero")])
    async with chain_of(spec) as chain:
        assert chain.engines[0].error == "ZeroDivisionError: division by zero"
    assert "Traceback" in caplog.text


@virtual
async def test_a_known_failure_is_one_line_in_the_log(caplog):
    spec, _ = opening([EngineError("no model; run 'mynah fetch'")])
    async with chain_of(spec):
        pass
    assert "no model; run 'mynah fetch'" in caplog.text
    assert "Traceback" not in caplog.text


@virtual
async def test_an_engine_that_breaks_while_it_is_open_is_opened_again():
    spec, times = opening([100, FOREVER], Script("here"))
    async with chain_of(spec, Script("other")) as chain:
        assert await collect(chain) == ["here"]
        await asyncio.sleep(100.5)
        assert chain.engines[0].state == "failed"
        assert "the server has gone" in chain.engines[0].error
        assert await collect(chain) == ["other"]
        await asyncio.sleep(1)
        assert await collect(chain) == ["here"]
    assert pauses(times) == [101]


@virtual
async def test_pauses_begin_anew_after_an_engine_was_open_for_long():
    spec, times = opening([EngineError("x"), EngineError("x"), 1000, FOREVER])
    async with chain_of(spec):
        await asyncio.sleep(3000)
    assert pauses(times) == [1, 5, 1001]


@virtual
async def test_pauses_go_on_growing_for_an_engine_that_breaks_soon_after_it_opened():
    spec, times = opening([0.1, 0.1, 0.1, FOREVER])
    async with chain_of(spec):
        await asyncio.sleep(3000)
    assert pauses(times) == [1.1, 5.1, 15.1]


@virtual
async def test_an_engine_that_lets_a_cancellation_out_by_mistake_is_opened_again():
    spec, times = opening([asyncio.CancelledError()])

    @asynccontextmanager
    async def confused(config, folder):
        if not times:
            times.append(now())
            raise asyncio.CancelledError
        yield Script("here")

    async with chain_of(EngineSpec(name="confused", kind="llm", open=confused)) as chain:
        assert chain.engines[0].state == "failed"
        await asyncio.sleep(1.1)
        assert await collect(chain) == ["here"]
    assert spec


@virtual
async def test_stopping_closes_the_engine():
    events = []

    @asynccontextmanager
    async def open_engine(config, folder):
        events.append("open")
        try:
            yield Script()
        finally:
            await asyncio.sleep(1)
            events.append("closed")

    async with chain_of(EngineSpec(name="e", kind="llm", open=open_engine)):
        pass
    assert events == ["open", "closed"]


@pytest.mark.parametrize("fails", [True, False])
@virtual
async def test_an_engine_that_does_not_close_in_good_order_is_not_opened_again(fails):
    opened = []

    @asynccontextmanager
    async def open_engine(config, folder):
        opened.append(now())
        with contextlib.suppress(asyncio.CancelledError):
            yield Script()
        if fails:
            raise RuntimeError("the worker was gone already")

    engine = OpenEngine(EngineSpec(name="e", kind="llm", open=open_engine), {}, None, EventBus())
    task = asyncio.ensure_future(engine.keep_open())
    await engine.settled.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=0.5)
    assert task.done()
    assert (type(None if task.cancelled() else task.exception()) is RuntimeError) is fails
    assert len(opened) == 1


@virtual
async def test_an_engine_is_given_its_own_options_only():
    seen = []

    @asynccontextmanager
    async def open_engine(config, folder):
        seen.append((dict(config), folder))
        yield Script()

    config = {"engine": "e", "first_timeout": 1, "next_timeout": 1, "model": "base.en"}
    engine = OpenEngine(EngineSpec(name="e", kind="stt", open=open_engine), config, "its folder", EventBus())
    task = asyncio.ensure_future(engine.keep_open())
    await engine.settled.wait()
    task.cancel()
    await asyncio.wait({task})
    assert seen == [({"model": "base.en"}, "its folder")]


# ---------------------------------------------------------------- limits


async def time_until_failure(chain, **options):
    began = now()
    message = await failure(chain, **options)
    return message, now() - began


@virtual
async def test_the_first_output_has_its_limit():
    async with chain_of(Script(10.5, "too late")) as chain:
        message, seconds = await time_until_failure(chain)
    assert message == "e1: gave nothing for 10 s"
    assert seconds == pytest.approx(10, abs=0.1)


@virtual
async def test_each_further_output_has_its_limit():
    async with chain_of(Script(9, "a", 4, "b", 5.5, "too late")) as chain:
        message, seconds = await time_until_failure(chain)
    assert message == "e1: gave nothing for 5 s"
    assert seconds == pytest.approx(18, abs=0.1)


@virtual
async def test_all_outputs_together_have_their_limit():
    async with chain_of(Script(*[2, "a"] * 20)) as chain:
        message, seconds = await time_until_failure(chain, total=15)
    assert message == "e1: took more than 15 s in all"
    assert seconds == pytest.approx(15, abs=0.1)


@virtual
async def test_outputs_within_all_limits_pass():
    async with chain_of(Script(9.9, "a", 4.9, "b", 4.9)) as chain:
        assert await collect(chain, total=20) == ["a", "b"]


@virtual
async def test_what_one_engine_took_is_not_taken_from_the_next_ones_limit():
    async with chain_of(Script(FOREVER), Script(*[2, "a"] * 6)) as chain:
        assert await collect(chain, total=15) == ["a"] * 6


@virtual
async def test_time_that_the_consumer_takes_is_not_charged_to_the_engine():
    meter = Meter()
    async with chain_of(Script(1, "a", 1, "b", 1)) as chain:
        stream = chain.stream(run, total=4, meter=meter)
        async with aclosing(stream) as outputs:
            async for _ in outputs:
                await asyncio.sleep(100)
    assert meter.total_ms == pytest.approx(3000, abs=10)


@virtual
async def test_a_limit_that_is_armed_later_does_not_run_before():
    ended = []
    async with chain_of(Script(600, "heard")) as chain:
        assert await collect(chain, armed=lambda: bool(ended)) == ["heard"]


@pytest.mark.parametrize("armed_after", [0.0, 0.25, 30.0, 31.3])
@virtual
async def test_a_limit_that_is_armed_later_runs_from_then(armed_after):
    began = now()
    async with chain_of(Script(FOREVER), first=0.4) as chain:
        message = await failure(chain, armed=lambda: now() - began >= armed_after)
        seconds = now() - began - armed_after
    assert message == "e1: gave nothing for 0.4 s after the end of speech"
    assert 0.39 < seconds < 0.4 + 0.6


@virtual
async def test_partial_outputs_before_the_clock_is_armed_cost_nothing():
    began = now()
    async with chain_of(Script(*[4, "partial"] * 100, 4, "final")) as chain:
        outputs = await collect(chain, armed=lambda: now() - began > 400, total=10)
    assert outputs[-1] == "final"


@virtual
async def test_a_recogniser_that_goes_on_for_ever_after_the_end_of_speech_meets_the_limit_in_all():
    began = now()
    async with chain_of(Script(*[2, "partial"] * 1000)) as chain:
        message, seconds = await time_until_failure(chain, armed=lambda: now() - began > 60, total=20)
    assert message == "e1: took more than 20 s in all"
    assert seconds == pytest.approx(80, abs=2)


@virtual
async def test_a_recogniser_that_hangs_gives_way_to_the_next_which_hears_everything():
    heard = []

    class Recogniser:
        def __init__(self, hangs):
            self.hangs = hangs

        async def run(self, audio):
            async for chunk in audio:
                heard.append(chunk)
            if self.hangs:
                await asyncio.sleep(FOREVER)
            yield "the words"

    async def audio():
        yield b"1"
        yield b"2"

    async with chain_of(Recogniser(True), Recogniser(False)) as chain:
        assert await collect(chain, lambda engine: engine.run(audio()), armed=lambda: True) == ["the words"]
    assert heard == [b"1", b"2"] * 2


# ---------------------------------------------------------------- letting go


@virtual
async def test_an_engine_is_closed_when_the_consumer_stops_early():
    one = Script("a", "b", "c")
    async with chain_of(one) as chain:
        async with aclosing(chain.stream(run, total=60)) as outputs:
            async for _ in outputs:
                break
        assert (one.begun, one.closed) == (1, 1)


@pytest.mark.parametrize("armed", [None, lambda: False, lambda: True])
@virtual
async def test_an_engine_is_closed_when_the_consumer_is_cancelled_while_it_waits(armed):
    one = Script("a", FOREVER, "b")
    async with chain_of(one) as chain:
        task = asyncio.ensure_future(collect(chain, armed=armed))
        await asyncio.sleep(1)
        began = now()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (one.closed, round(now() - began, 1)) == (1, 0.0)
        assert failures(chain) == {}


@virtual
async def test_an_engine_is_closed_when_it_is_too_slow_before_the_next_begins():
    one = Script(FOREVER)
    seen = []

    class Next:
        async def run(self):
            seen.append(one.closed)
            yield "b"

    async with chain_of(one, Next()) as chain:
        assert await collect(chain) == ["b"]
    assert seen == [1]


class Stubborn:
    """Swallows being stopped, `times` times, and goes on doing nothing."""

    def __init__(self, times=1000, before=()):
        self.times = times
        self.before = before

    async def run(self):
        for item in self.before:
            yield item
        for _ in range(self.times):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1000)
        yield "never"


@pytest.mark.parametrize("armed", [None, lambda: True])
@virtual
async def test_an_engine_that_cannot_be_stopped_is_left_behind(armed, caplog):
    async with chain_of(Stubborn(2), Script("b")) as chain:
        began = now()
        assert await collect(chain, armed=armed) == ["b"]
        assert now() - began < 10.3
        await asyncio.sleep(3)
        assert "e1 does not let go" in caplog.text
        assert len(chain.engines[0].strays) == 1
        await asyncio.sleep(3000)
        assert not chain.engines[0].strays


@virtual
async def test_a_consumer_that_is_cancelled_does_not_wait_long_for_an_engine_that_cannot_be_stopped():
    async with chain_of(Stubborn(2)) as chain:
        task = asyncio.ensure_future(collect(chain))
        await asyncio.sleep(1)
        began = now()
        task.cancel()
        await asyncio.wait({task})
        assert now() - began < 3
        await asyncio.sleep(3000)


@virtual
async def test_an_engine_that_takes_for_ever_to_clean_up_is_left_behind():
    class Messy:
        async def run(self):
            try:
                yield "a"
            finally:
                await asyncio.sleep(100)

    async with chain_of(Messy()) as chain:
        began = now()
        async with aclosing(chain.stream(run, total=60)) as outputs:
            async for _ in outputs:
                break
        assert now() - began < 3
        await asyncio.sleep(200)
        assert not chain.engines[0].strays


@virtual
async def test_a_failure_while_letting_go_is_nobodys_failure_any_more(caplog):
    class Messy:
        async def run(self):
            try:
                yield "a"
                await asyncio.sleep(FOREVER)
            finally:
                raise RuntimeError("the socket was closed already")

    async with chain_of(Messy()) as chain:
        async with aclosing(chain.stream(run, total=60)) as outputs:
            async for _ in outputs:
                break
        task = asyncio.ensure_future(collect(chain))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert failures(chain) == {}
    assert "never retrieved" not in caplog.text


@virtual
async def test_a_failure_in_the_moment_of_a_cancellation_is_nobodys_failure(caplog):
    loop = asyncio.get_running_loop()

    def cancel(task, turns):
        if turns:
            loop.call_soon(cancel, task, turns - 1)
        else:
            task.cancel()

    async with chain_of(Script(1, EngineError("refused"))) as chain:
        for turns in range(8):
            task = asyncio.ensure_future(collect(chain))
            await asyncio.sleep(0)
            loop.call_later(1, cancel, task, turns)
            await asyncio.wait({task})
            assert task.cancelled() or task.exception()
    del task
    gc.collect()
    assert "never retrieved" not in caplog.text


@virtual
async def test_an_engine_whose_task_is_cancelled_while_its_output_is_used_has_failed():
    tasks = []

    class Cancelled:
        async def run(self):
            tasks.append(asyncio.current_task())
            yield "a"
            yield "b"

    async def use(chain):
        async with aclosing(chain.stream(run, total=60)) as outputs:
            async for _ in outputs:
                tasks[0].cancel()
                await asyncio.sleep(1)

    async with chain_of(Cancelled()) as chain:
        with pytest.raises(EngineError, match="something that it waited for was cancelled"):
            await use(chain)


@virtual
async def test_nothing_is_left_running_after_many_calls():
    async with chain_of(Script("a", EngineError("x")), Script("b")) as chain:
        before = len(asyncio.all_tasks())
        for _ in range(50):
            with contextlib.suppress(EngineError):
                await collect(chain)
        assert len(asyncio.all_tasks()) == before


# ---------------------------------------------------------------- protecting an engine


def protected(engine, **protection):
    spec = scripted("tts", engine, name="tts")
    return EngineSpec(name=spec.name, kind=spec.kind, open=spec.open, **protection)


def speak(engine):
    return engine.synthesize("one two", voice=None, language="en")


@virtual
async def test_no_more_calls_than_max_parallel_are_under_way():
    engine = ScriptedTextToSpeech(first_s=1, total_s=1)
    async with chain_of(protected(engine, max_parallel=2), kind="tts") as chain:
        began = now()
        await asyncio.gather(*(collect(chain, speak) for _ in range(6)))
        assert (engine.calls.most, engine.calls.begun) == (2, 6)
        assert now() - began == pytest.approx(3, abs=0.1)


@virtual
async def test_calls_are_unlimited_unless_the_engine_says_so():
    engine = ScriptedTextToSpeech(first_s=1, total_s=1)
    async with chain_of(protected(engine), kind="tts") as chain:
        await asyncio.gather(*(collect(chain, speak) for _ in range(6)))
    assert engine.calls.most == 6


@virtual
async def test_waiting_for_a_slot_is_not_charged_to_the_engine():
    engine, meters = ScriptedTextToSpeech(first_s=8, total_s=8), [Meter(), Meter(), Meter()]
    async with chain_of(protected(engine, max_parallel=1), kind="tts") as chain:
        await asyncio.gather(*(collect(chain, speak, total=10, meter=meter) for meter in meters))
    assert [round(meter.total_ms) for meter in meters] == [8000, 8000, 8000]


@pytest.mark.parametrize("end", ["fails", "cancelled", "stopped early", "cancelled while waiting"])
@virtual
async def test_a_slot_is_free_again_however_a_call_ends(end):
    engine = ScriptedTextToSpeech(first_s=1, total_s=2, fault="raise" if end == "fails" else "", at=1)
    async with chain_of(protected(engine, max_parallel=1), kind="tts") as chain:
        if end == "fails":
            await failure(chain, speak)
        elif end == "stopped early":
            async with aclosing(chain.stream(speak, total=60)) as outputs:
                async for _ in outputs:
                    break
        else:
            tasks = [asyncio.ensure_future(collect(chain, speak)) for _ in range(2)]
            await asyncio.sleep(0.5)
            tasks[1 if end == "cancelled while waiting" else 0].cancel()
            await asyncio.wait(tasks)
        engine.fault = ""
        async with asyncio.timeout(10):
            await collect(chain, speak)


@virtual
async def test_calls_of_a_staggered_engine_begin_one_after_the_other():
    starts = []

    class Engine:
        async def run(self):
            starts.append(now())
            yield "a"
            await asyncio.sleep(3)

    async with chain_of(protected(Engine(), stagger_ms=200), kind="tts") as chain:
        await asyncio.gather(*(collect(chain) for _ in range(4)))
        assert pauses(starts) == [0.2, 0.2, 0.2]
        await asyncio.sleep(10)
        began = now()
        await collect(chain)
        assert starts[-1] - began < 0.01


# ---------------------------------------------------------------- what is measured


@virtual
async def test_the_meter_names_the_engine_and_has_its_waits():
    meter = Meter()
    began = now()
    async with chain_of(Script(1, "a", 2, "b")) as chain:
        stream = chain.stream(run, total=60, meter=meter)
        async with aclosing(stream) as outputs:
            assert await anext(outputs) == "a"
            assert (meter.engine, meter.total_ms) == ("e1", pytest.approx(1000, abs=5))
            assert (meter.began - began, meter.ended - began) == (
                pytest.approx(0, abs=0.01),
                pytest.approx(1, abs=0.01),
            )
            await asyncio.sleep(10)
            assert await anext(outputs) == "b"
            assert meter.total_ms == pytest.approx(3000, abs=5)
            # It went on at once, though its next output was not wanted before the eleventh second.
            assert meter.ended - began == pytest.approx(3, abs=0.01)


@virtual
async def test_the_meter_has_what_engines_took_that_failed():
    meter = Meter()
    async with chain_of(Script(2, EngineError("x")), Script(FOREVER), Script(1, "a")) as chain:
        await collect(chain, meter=meter)
    assert meter.engine == "e3"
    assert meter.total_ms == pytest.approx(13_000, abs=50)


@virtual
async def test_ready_and_failed_engines_are_published():
    bus = EventBus()
    with bus.subscribe(EngineReady, name="ready") as ready, bus.subscribe(EngineFailed, name="failed") as failed:
        engines = [
            OpenEngine(scripted("stt", Script(), name="good", open_s=0.5), {}, None, bus),
            OpenEngine(scripted("stt", None, name="bad", fault="no model"), {}, None, bus),
        ]
        tasks = [asyncio.ensure_future(engine.keep_open()) for engine in engines]
        for engine in engines:
            await engine.settled.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    bus_events = [event async for event in ready] + [event async for event in failed]
    assert [(type(event).__name__, event.engine, event.kind) for event in bus_events] == [
        ("EngineReady", "good", "stt"),
        ("EngineFailed", "bad", "stt"),
    ]
    assert bus_events[0].seconds == pytest.approx(0.5, abs=0.01)
    assert bus_events[1].error == "no model"


@virtual
async def test_the_consumer_gets_each_output_the_moment_it_is_there(caplog):
    caplog.set_level(logging.ERROR)
    times = []
    began = now()
    async with (
        chain_of(Script(0.1, "a", 0.2, "b", "c", 0.3, "d")) as chain,
        aclosing(chain.stream(run, total=60)) as outputs,
    ):
        async for _ in outputs:
            times.append(round(now() - began, 2))
    assert times == [0.1, 0.3, 0.3, 0.6]


# ---------------------------------------------------------------- engines that fail again and again


async def fail_three_times(chain):
    for _ in range(3):
        await collect(chain)


@virtual
async def test_an_engine_that_failed_three_times_in_a_row_is_passed_over_without_waiting():
    one, meter = Script(FOREVER), Meter()
    async with chain_of(one, Script("b"), first=2.0) as chain:
        await fail_three_times(chain)
        began = now()
        assert await collect(chain, meter=meter) == ["b"]
        assert now() - began < 0.001
        assert meter.troubles == ["e1: it rests for 10 s after 3 failures, the last: gave nothing for 2 s"]
    assert one.begun == 3


@virtual
async def test_after_its_rest_one_call_tries_it_while_others_go_on_to_the_next():
    one = Script(EngineError("no power"))
    async with chain_of(one, Script("b")) as chain:
        await fail_three_times(chain)
        await asyncio.sleep(10.1)
        one.items = (1.0, "a")
        results = await asyncio.gather(*(collect(chain) for _ in range(4)))
        assert sorted(results) == [["a"], ["b"], ["b"], ["b"]]
        assert await collect(chain) == ["a"]


@virtual
async def test_a_rest_and_its_end_are_published_and_described():
    one = Script(EngineError("no power"))
    async with chain_of(one, Script("b")) as chain:
        with chain.bus.subscribe(EngineStateChanged, name="test") as changed:
            await fail_three_times(chain)
            await asyncio.sleep(4)
            known = chain.engines[0].describe()
            assert known == {
                "kind": "llm", "name": "e1", "state": "resting", "error": "no power", "rests_s": 6.0,
                "calls": 3, "failures": 3, "last_error": "no power",
            }  # fmt: skip
            await asyncio.sleep(6.1)
            one.items = ("a",)
            await collect(chain)
        assert chain.engines[0].describe()["state"] == "ready"
        assert [(event.state, event.seconds, event.reason) async for event in changed] == [
            ("resting", 10.0, "no power"),
            ("ready", 0.0, ""),
        ]


@virtual
async def test_where_every_engine_rests_the_one_that_is_due_soonest_is_tried_and_only_that():
    one, two = Script(EngineError("no power")), Script(EngineError("no water"))
    async with chain_of(one, two) as chain:
        for _ in range(3):
            await failure(chain)
            await asyncio.sleep(1)
        begun = one.begun, two.begun
        two.items = ("b",)
        assert (await failure(chain)).startswith("e1: no power; e2: it rests for")
        assert (one.begun, two.begun) == (begun[0] + 1, begun[1])
        assert await collect(chain) == ["b"]


@virtual
async def test_calls_that_their_caller_gave_up_do_not_make_an_engine_rest():
    one = Script(FOREVER)
    async with chain_of(one) as chain:
        for _ in range(5):
            task = asyncio.ensure_future(collect(chain))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.wait({task})
        assert (chain.engines[0].breaker.closed, chain.engines[0].calls, failures(chain)) == (True, 5, {})


@virtual
async def test_what_is_the_inputs_fault_goes_to_the_next_engine_and_makes_none_rest():
    async with chain_of(Script(InputError("no voice 'Zoe'")), Script("b")) as chain:
        for _ in range(5):
            assert await collect(chain) == ["b"]
        assert chain.engines[0].breaker.closed
        assert failures(chain) == {}


@virtual
async def test_what_is_the_inputs_fault_is_told_apart_from_what_is_the_engines():
    meter = Meter()
    async with chain_of(Script(InputError("no voice 'Zoe'")), Script(EngineError("no power")), Script("c")) as chain:
        assert await collect(chain, meter=meter) == ["c"]
    assert meter.troubles == ["e1: no voice 'Zoe'", "e2: no power"]
    assert [type(trouble) for trouble in meter.troubles] == [Refusal, str]


@virtual
async def test_a_recogniser_that_is_left_after_its_last_word_has_worked():
    one = Script(EngineError("no power"))
    async with chain_of(one, Script("b")) as chain:
        for _ in range(2):
            await collect(chain)
        one.items = ("final", FOREVER)
        async with aclosing(chain.stream(run, total=60)) as outputs:
            async for _ in outputs:
                break
        assert chain.engines[0].breaker.in_a_row == 0


@virtual
async def test_calls_that_wait_for_a_slot_of_an_engine_that_begins_to_rest_go_to_the_next():
    silent = protected(Script(FOREVER), max_parallel=1)
    async with chain_of(silent, Script("b"), kind="tts", first=2.0) as chain:
        began = now()
        results = await asyncio.gather(*(collect(chain) for _ in range(10)))
        assert results == [["b"]] * 10
        assert now() - began == pytest.approx(6, abs=0.2)


@pytest.mark.parametrize(
    ("engine", "limit_s"), [(Script(EngineError("refused")), 0), (Script(FOREVER), 0.4), (Stubborn(2), 0.4)]
)
@virtual
async def test_the_next_engine_begins_at_once_even_if_the_one_before_does_not_let_go(engine, limit_s):
    async with chain_of(engine, Script("b"), first=0.4) as chain:
        began = now()
        assert await collect(chain) == ["b"]
        assert now() - began < limit_s + 0.1
        await asyncio.sleep(3000)


@virtual
async def test_the_slot_of_an_engine_that_does_not_let_go_is_free_again_after_a_while():
    stubborn = Stubborn(3)
    async with chain_of(protected(stubborn, max_parallel=1), kind="tts", first=1.0) as chain:
        await failure(chain)
        assert chain.engines[0].strays
        stubborn.before, began = ("a",), now()
        async with aclosing(chain.stream(run, total=60)) as outputs:
            assert await anext(outputs) == "a"
        assert now() - began == pytest.approx(1.95, abs=0.1)
        await asyncio.sleep(10_000)


@virtual
async def test_an_engine_to_avoid_is_used_only_where_there_is_no_other():
    one, avoid = Script(EngineError("no power")), set()
    async with chain_of(one, Script("b"), Script("c")) as chain:
        assert await collect(chain, avoid=avoid) == ["b"]
        assert avoid == {chain.engines[0]}
        meter = Meter()
        assert await collect(chain, avoid=avoid, meter=meter) == ["b"]
        assert meter.troubles == ["e1: it failed before: no power"]
        one.items = ("a",)
        assert await collect(chain, avoid={*chain.engines}) == ["a"]


@virtual
async def test_engines_that_are_not_open_are_among_the_troubles_and_one_that_answers_is_not():
    meter = Meter()
    broken = scripted("llm", None, name="broken", fault="no model")
    slow = scripted("llm", Script("late"), name="slow", open_s=1)
    async with chain_of(broken, slow, Script(EngineError("no\npower")), wait=False) as chain:
        await asyncio.sleep(0.1)
        assert await collect(chain, meter=meter) == ["late"]
    assert meter.troubles == ["broken: no model", "e3: no power"]
