"""What the event loop is given: tasks that take their first step at once are tasks like any other from there on."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from mynah.loop import begin

Make = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]

WHERE: ContextVar[str] = ContextVar("where", default="outside")


async def test_the_first_step_is_taken_before_its_maker_goes_on() -> None:
    steps: list[str] = []

    async def work() -> str:
        steps.append("first")
        await asyncio.sleep(0)
        steps.append("second")
        return "done"

    task = begin(work())
    steps.append("maker")
    assert await task == "done"
    assert steps == ["first", "maker", "second"]


async def test_the_first_step_knows_its_own_task() -> None:
    async def work() -> list[asyncio.Task[Any] | None]:
        here = [asyncio.current_task()]
        await asyncio.sleep(0)
        return [*here, asyncio.current_task()]

    maker = asyncio.current_task()
    task = begin(work())
    assert asyncio.current_task() is maker
    assert await task == [task, task]


async def test_it_begins_from_a_callback_that_is_no_task() -> None:
    made: list[asyncio.Task[Any]] = []

    async def work() -> str:
        assert asyncio.current_task() is made_by_loop()
        await asyncio.sleep(0)
        return "done"

    def made_by_loop() -> asyncio.Task[Any]:
        (task,) = asyncio.all_tasks() - {waiting}
        return task

    waiting = asyncio.current_task()
    assert waiting is not None
    asyncio.get_running_loop().call_soon(lambda: made.append(begin(work())))
    await asyncio.sleep(0)
    assert await made[0] == "done"
    assert asyncio.current_task() is waiting


async def test_its_context_is_a_copy() -> None:
    async def work() -> str:
        before = WHERE.get()
        WHERE.set("inside")
        await asyncio.sleep(0)
        return f"{before} {WHERE.get()}"

    assert await begin(work()) == "outside inside"
    assert WHERE.get() == "outside"


async def test_it_is_one_of_a_group() -> None:
    async def fail() -> None:
        raise LookupError

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    begun: list[asyncio.Task[None]] = []

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            begun.extend(begin(work, tasks.create_task) for work in (wait(), fail()))

    with pytest.raises(ExceptionGroup) as failed:
        await group()
    assert isinstance(failed.value.exceptions[0], LookupError)
    assert begun[0].cancelled()


def test_one_that_is_never_run_is_closed() -> None:
    closed: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append(True)

    async def leave() -> None:
        begin(work()).add_done_callback(lambda _: None)
        asyncio.get_running_loop().stop()

    loop = asyncio.new_event_loop()
    leaving = loop.create_task(leave())
    loop.run_forever()
    assert leaving.done()
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # that it is left is the point
    del task
    loop.close()
    gc.collect()
    assert closed == [True]


async def test_what_it_came_to_at_once_does_not_hold_on_to_itself() -> None:
    gc.collect()
    gc.disable()
    try:
        task = begin(at_once())
        gone = weakref.ref(task)
        await task
        del task
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()


async def test_one_that_was_cancelled_does_not_hold_on_to_what_it_had() -> None:
    class Held:
        """Something large."""

    held: list[weakref.ref[Held]] = []

    async def waits() -> None:
        mine = Held()
        held.append(weakref.ref(mine))
        await asyncio.sleep(10)

    gc.collect()
    gc.disable()
    try:
        for turns in (0, 3):
            task = begin(waits())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            del task
            await asyncio.sleep(0)
        assert [gone() for gone in held] == [None, None]
    finally:
        gc.enable()


async def test_it_is_told_why_it_was_cancelled() -> None:
    async def waits() -> str:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            return str(error)
        return "was not"

    task = begin(waits())
    task.cancel("enough")
    assert await task == "enough"


async def test_it_is_shown_as_what_it_runs() -> None:
    task = begin(sleeps())
    assert "sleeps" in repr(task)
    assert await task == "slept"


# ------------------------------------------------------------ as asyncio's own


async def at_once() -> str:
    return "result"


async def fails_at_once() -> None:
    raise LookupError("first step")


async def stopped_by_itself() -> None:
    raise asyncio.CancelledError


async def fails_later() -> None:
    await asyncio.sleep(0.001)
    raise LookupError("second step")


async def gives_way() -> str:
    for _ in range(3):
        await asyncio.sleep(0)
    return "result"


async def sleeps() -> str:
    await asyncio.sleep(0.001)
    return "slept"


async def waits_for_a_task() -> str:
    return await asyncio.create_task(sleeps())


async def waits_for_one_that_ends_at_once() -> str:
    return await asyncio.create_task(at_once())


async def gathers() -> list[str]:
    return await asyncio.gather(sleeps(), gives_way())


async def shields() -> str:
    return await asyncio.shield(asyncio.ensure_future(sleeps()))


async def in_a_group() -> str:
    async with asyncio.TaskGroup() as tasks:
        one, two = tasks.create_task(sleeps()), tasks.create_task(gives_way())
    return one.result() + two.result()


async def in_a_group_that_fails() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeps())
        tasks.create_task(fails_later())


async def within_a_limit() -> str:
    try:
        async with asyncio.timeout(0.002):
            await asyncio.get_running_loop().create_future()
    except TimeoutError:
        return "late"
    return "never"


async def limit_that_is_over() -> str:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)
    except TimeoutError:
        return "late"
    return "never"


async def keeps_a_cancellation() -> str:
    try:
        await asyncio.sleep(0.001)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        return "kept"
    return "was not cancelled"


async def takes_time_to_stop() -> str:
    try:
        await asyncio.sleep(1)
    finally:
        await asyncio.sleep(0.001)
    return "never"


async def is_done_when_waited_for() -> str:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    future.set_result("ready")
    return await future


async def fails_when_waited_for() -> str:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, LookupError("future"))
    return await future


async def of_a_lock() -> str:
    lock = asyncio.Lock()
    await lock.acquire()
    asyncio.get_running_loop().call_later(0.001, lock.release)
    async with lock:
        return "locked"


WORKS = [
    at_once,
    fails_at_once,
    stopped_by_itself,
    fails_later,
    gives_way,
    sleeps,
    waits_for_a_task,
    waits_for_one_that_ends_at_once,
    gathers,
    shields,
    in_a_group,
    in_a_group_that_fails,
    within_a_limit,
    limit_that_is_over,
    keeps_a_cancellation,
    takes_time_to_stop,
    is_done_when_waited_for,
    fails_when_waited_for,
    of_a_lock,
]


async def never(task: asyncio.Task[Any]) -> None:
    """Let it go on."""


async def before_its_step(task: asyncio.Task[Any]) -> None:
    task.cancel()


async def twice_before_its_step(task: asyncio.Task[Any]) -> None:
    task.cancel()
    task.cancel()


async def after_a_step(task: asyncio.Task[Any]) -> None:
    await asyncio.sleep(0)
    task.cancel()


async def after_steps(task: asyncio.Task[Any]) -> None:
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()


async def ending(make: Make, work: Callable[[], Coroutine[Any, Any, Any]], stop: Any) -> str:
    """Return how a task ended."""
    task = make(work())
    await stop(task)
    await asyncio.wait([task], timeout=5)
    await asyncio.sleep(0.01)
    left = asyncio.all_tasks() - {asyncio.current_task()}  # what it waited for is over too
    if task.cancelled():
        return f"cancelled, {len(left)} left"
    error = task.exception()
    if isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{error!r} {None if error else task.result()}, {len(left)} left"


def plain(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(coroutine)


@pytest.mark.parametrize("stop", [never, before_its_step, twice_before_its_step, after_a_step, after_steps])
@pytest.mark.parametrize("work", WORKS)
async def test_it_ends_as_a_task_of_asyncio_does_that_had_a_step(work: Any, stop: Any) -> None:
    async def once_begun(task: asyncio.Task[Any]) -> None:
        if stop in (before_its_step, twice_before_its_step):
            await asyncio.sleep(0)  # or the task would never begin
        await stop(task)

    assert await ending(begin, work, stop) == await ending(plain, work, once_begun)
