from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import aclosing, suppress
from pathlib import Path
from pickle import PicklingError

import pytest

from mynah import EngineError, EngineUnavailable
from mynah.engines.worker import WINDOW, Worker
from mynah.engines.workers import WorkerPool

TOY = """
import os, sys, time
from mynah import EngineError, EngineUnavailable
print("stray", flush=True)

class Toy:
    def __init__(self, greeting): self.greeting = greeting
    def echo(self, inputs):
        for item in inputs:
            yield (self.greeting, item)
    def pid(self, inputs): yield os.getpid()
    def hang(self, inputs):
        yield "hanging"
        time.sleep(60)
    def wait(self, inputs):
        yield os.getpid()
        yield len(list(inputs))
    def count(self, inputs, end): yield from range(end)
    def flood(self, inputs):
        while True:
            yield b"x" * 1000
    def die(self, inputs):
        yield "last words"
        print("I am ill", file=sys.stderr, flush=True)
        os._exit(3)
    def fail(self, inputs):
        yield 1
        raise EngineError("no such luck")
    def break_down(self, inputs):
        raise KeyError("shelf")
        yield
    def murmur(self, inputs):
        import logging
        logging.getLogger("toy").warning("psst")
        yield None

def broken():
    print("a library is missing", file=sys.stderr)
    raise ImportError("libparrot.so")

def unavailable():
    raise EngineUnavailable("no model here; get one")

def slow():
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    (tmp_path / "toy_engine.py").write_text(TOY)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr("mynah.engines.workers.LET_GO_S", 20.0)  # who lets go stays, on a busy machine too


@pytest.fixture
def impatient(monkeypatch):
    """Have a worker killed that does not let go soon."""
    monkeypatch.setattr("mynah.engines.workers.LET_GO_S", 0.1)


def pool(size=1, spares=0):
    return WorkerPool("toy_engine:Toy", ("hello",), size, spares=spares)


async def numbers(count, pause=0.0):
    for number in range(count):
        await asyncio.sleep(pause)
        yield number


async def never():
    yield 0
    await asyncio.Event().wait()


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(pid):
    async with asyncio.timeout(10):
        while lives(pid):  # noqa: ASYNC110  # the end of a process, which nobody signals
            await asyncio.sleep(0.01)


async def noticed(workers):
    """Wait until a pool knows that all of its workers are dead."""
    async with asyncio.timeout(10):
        while workers.pids:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def ready(workers, count):
    """Wait until so many workers stand by; return the process numbers of all."""
    async with asyncio.timeout(20):
        while workers._ready.qsize() < count:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
    return set(workers.pids)


def children():
    """Return the processes of this one."""
    found: set[str] = set()
    for thread in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            found.update((thread / "children").read_text().split())
    return found


async def nobody_but(before):
    async with asyncio.timeout(10):
        while children() - before:  # noqa: ASYNC110  # the end of a process, which nobody signals
            await asyncio.sleep(0.02)


async def collect(stream):
    async with aclosing(stream) as outputs:
        return [output async for output in outputs]


async def test_outputs_come_back_while_inputs_go_in():
    answered = asyncio.Event()

    async def inputs():
        yield "one"
        await asyncio.wait_for(answered.wait(), 5)
        yield "two"

    got = []
    async with pool() as workers, aclosing(workers.stream("echo", inputs())) as outputs:
        async for output in outputs:
            got.append(output)
            answered.set()
    assert got == [("hello", "one"), ("hello", "two")]


async def test_many_more_items_than_fit_the_window_pass_in_order():
    async with pool() as workers:
        got = await collect(workers.stream("echo", numbers(10 * WINDOW)))
    assert [number for _, number in got] == list(range(10 * WINDOW))


async def test_inputs_wait_while_nobody_takes_the_outputs():
    sent = 0

    async def inputs():
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 10_000

    async with pool() as workers, aclosing(workers.stream("echo", inputs())) as outputs:
        await anext(outputs)
        for _ in range(3):
            before = sent
            await asyncio.sleep(0.1)
        assert sent == before
        assert sent < 5 * WINDOW


async def test_jobs_run_at_once_on_as_many_workers_as_there_are():
    async with (
        pool(2) as workers,
        aclosing(workers.stream("wait", never())) as one,
        aclosing(workers.stream("wait", never())) as two,
    ):
        assert len({await anext(one), await anext(two)}) == 2


async def test_waiting_jobs_have_their_turns_in_order():
    done = []

    async def job(number):
        await workers.call("pid")
        done.append(number)

    async with pool() as workers:
        await asyncio.gather(*(job(number) for number in range(5)))
    assert done == [0, 1, 2, 3, 4]


async def test_closing_the_stream_frees_the_worker_for_the_next_job():
    async with pool() as workers:
        (pid,) = workers.pids
        async with aclosing(workers.stream("wait", never())) as outputs:
            await anext(outputs)
        assert await workers.call("pid") == pid


async def test_a_job_that_floods_is_given_up_at_once():
    async with pool() as workers:
        (pid,) = workers.pids
        async with aclosing(workers.stream("flood")) as outputs:
            await anext(outputs)
            await asyncio.sleep(0.1)
        assert await workers.call("pid") == pid


async def test_a_job_that_is_over_but_whose_outputs_nobody_takes_does_not_hold_up_the_next(monkeypatch):
    begun, begin = [], Worker.begin
    monkeypatch.setattr(Worker, "begin", lambda *job: begun.append(begin(*job)) or begun[-1])
    async with pool() as workers:
        (pid,) = workers.pids
        async with aclosing(workers.stream("count", None, WINDOW + 1)) as outputs:
            assert await anext(outputs) == 0  # so that all others fit, but not the end
            async with asyncio.timeout(10):
                while not begun[0].over:  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            assert await workers.call("pid") == pid


async def test_arguments_that_cannot_be_pickled_cost_no_worker():
    async with pool() as workers:
        with pytest.raises((AttributeError, PicklingError)):
            await workers.call("count", lambda: 1)
        async with asyncio.timeout(10):
            assert await collect(workers.stream("count", None, 2)) == [0, 1]


async def test_a_start_that_is_cancelled_in_the_moment_in_which_it_succeeds_is_cancelled():
    worker = await Worker.spawn("toy_engine:Toy")
    try:
        start = asyncio.create_task(worker.make_engine(("hello",), 30))
        await asyncio.sleep(0)
        await worker._sort("ready")
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
    finally:
        await worker.stop(0)


async def test_a_worker_that_the_system_refuses_to_start_is_tried_again_by_the_job_that_needs_it(monkeypatch, caplog):
    async with pool() as workers:
        with monkeypatch.context() as nowhere:
            nowhere.setattr("sys.executable", "/nowhere/python")
            with pytest.raises(EngineError, match="died"):
                await collect(workers.stream("die"))
            async with asyncio.timeout(10):
                while not workers._ready.qsize():  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            assert await workers.call("pid") in workers.pids
    assert "a worker cannot start" in caplog.text


async def test_cancelling_the_consumer_gives_up_the_job():
    async with pool() as workers:
        task = asyncio.create_task(collect(workers.stream("wait", never())))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await workers.call("pid") in workers.pids


async def test_a_worker_that_does_not_let_go_is_replaced_and_not_waited_for(impatient):
    async with pool() as workers:
        (old,) = workers.pids
        stream = workers.stream("hang")
        assert await anext(stream) == "hanging"
        await stream.aclose()
        assert lives(old)
        assert await workers.call("pid") != old
        await gone(old)


async def test_spare_workers_take_the_next_jobs_of_all_that_do_not_let_go_at_once():
    async with pool(2, spares=2) as workers:
        everybody = await ready(workers, 4)
        streams = [workers.stream("hang") for _ in range(2)]
        assert [await anext(stream) for stream in streams] == ["hanging"] * 2
        for stream in streams:
            await stream.aclose()
        async with asyncio.timeout(10):  # before it is certain that the others hang
            waiting = [workers.stream("wait", never()) for _ in range(2)]
            assert {await anext(stream) for stream in waiting} < everybody
        assert set(workers.pids) == everybody
        assert workers.free == 0
        for stream in waiting:
            await stream.aclose()


async def test_the_worker_that_was_used_last_is_used_again_rather_than_one_that_has_loaded_nothing():
    async with pool(2, spares=1) as workers:
        first = await workers.call("pid")
        await ready(workers, 3)
        assert [await workers.call("pid") for _ in range(3)] == [first] * 3


async def test_a_worker_that_lets_go_late_stands_by_again(monkeypatch):
    monkeypatch.setattr("mynah.engines.workers.HAND_OVER_S", 0.0)
    async with pool(1, spares=1) as workers:
        both = await ready(workers, 2)
        for _ in range(3):
            async with aclosing(workers.stream("wait", never())) as outputs:
                await anext(outputs)
        assert await ready(workers, 2) == both


async def test_a_pool_may_close_while_a_worker_is_being_replaced(impatient):
    before = children()
    async with pool() as workers:
        (old,) = workers.pids
        stream = workers.stream("hang")
        await anext(stream)
        await stream.aclose()
        await gone(old)
    await nobody_but(before)


async def test_a_worker_that_dies_raises_with_its_last_words_and_is_replaced():
    async with pool() as workers:
        (old,) = workers.pids
        stream = workers.stream("die")
        assert await anext(stream) == "last words"
        with pytest.raises(EngineError, match=r"toy_engine:Toy died.*I am ill"):
            await anext(stream)
        assert await workers.call("pid") != old


async def test_a_worker_killed_while_idle_is_replaced_by_the_next_job():
    async with pool() as workers:
        (old,) = workers.pids
        os.kill(old, signal.SIGKILL)
        await noticed(workers)
        assert await workers.call("pid") != old


async def test_an_engines_own_error_reads_as_it_was_written_and_the_worker_lives_on():
    async with pool() as workers:
        (pid,) = workers.pids
        with pytest.raises(EngineError, match=r"^no such luck$"):
            await workers.call("fail")
        with pytest.raises(EngineError, match=r"break_down failed: KeyError: 'shelf'"):
            await workers.call("break_down")
        assert await workers.call("pid") == pid


async def test_an_error_of_the_inputs_reaches_the_consumer():
    async def inputs():
        yield 1
        raise ValueError("the microphone is gone")

    async with pool() as workers:
        with pytest.raises(ValueError, match="microphone"):
            await collect(workers.stream("wait", inputs()))
        assert await workers.call("pid") in workers.pids


async def test_a_factory_that_fails_makes_the_engine_unavailable_with_its_stderr():
    with pytest.raises(EngineUnavailable, match=r"toy_engine:broken did not start.*ImportError: libparrot.so"):
        async with WorkerPool("toy_engine:broken"):
            pass


async def test_a_factory_may_say_itself_why_it_is_unavailable():
    with pytest.raises(EngineUnavailable, match=r"^no model here; get one$"):
        async with WorkerPool("toy_engine:unavailable", size=2):
            pass


async def test_a_factory_that_takes_too_long_makes_the_engine_unavailable():
    with pytest.raises(EngineUnavailable, match=r"did not start within 0.3 s"):
        async with WorkerPool("toy_engine:slow", start_timeout=0.3):
            pass


async def test_workers_ignore_ctrl_c_and_go_when_the_pool_closes():
    async with pool() as workers:
        (pid,) = workers.pids
        os.kill(pid, signal.SIGINT)
        assert await workers.call("pid") == pid
    assert not lives(pid)


async def test_what_a_worker_prints_and_logs_reaches_the_log(caplog):
    with caplog.at_level(logging.INFO):
        async with pool() as workers:
            await workers.call("murmur")
    assert "toy_engine:Toy: stray" in caplog.messages
    assert ("toy", logging.WARNING, "psst") in caplog.record_tuples


async def test_a_job_that_is_given_up_after_the_pool_has_closed_starts_no_worker():
    async with pool() as workers:
        stream = workers.stream("hang")
        await anext(stream)
    await stream.aclose()
    await asyncio.sleep(0.1)
    assert workers.pids == ()


async def test_a_worker_that_has_died_while_it_stood_by_is_not_used():
    async with pool(1, spares=1) as workers:
        await ready(workers, 2)
        for pid in workers.pids:
            os.kill(pid, signal.SIGKILL)
        await noticed(workers)
        assert lives(await workers.call("pid"))
        await ready(workers, 2)


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.1, 0.3])
async def test_a_pool_that_closes_while_its_workers_start_leaves_nobody_behind(after_s):
    before = children()
    async with pool(3) as workers:
        assert len(workers.pids) == 1  # the first is there; nobody waits for the others
        await asyncio.sleep(after_s)
    await nobody_but(before)


async def test_a_worker_that_cannot_start_beside_the_first_is_told_of_and_tried_again(monkeypatch, caplog):
    async with pool(2) as workers:
        monkeypatch.setattr(workers, "_factory", "toy_engine:unavailable")
        monkeypatch.setattr(workers, "_args", ())
        async with aclosing(workers.stream("wait", never())) as first:
            await anext(first)
            with pytest.raises(EngineUnavailable, match="no model here"):
                await workers.call("pid")
    assert "a worker cannot start" in caplog.text
