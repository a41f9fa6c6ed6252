"""Runs blocking engine code in worker processes: for libraries that hold the GIL or cannot be stopped.

`mynah.engines.worker` is one of them, `mynah.engines.worker_main` the child's side of it; `mynah.engines.frames`
describes what passes between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, Final, Self

from mynah.engines.worker import End, Job, Worker
from mynah.errors import EngineError
from mynah.places import Places

LET_GO_S: Final = 0.2
"""How long a worker has to give up a job; then it is killed."""
HAND_OVER_S: Final = 0.03
"""The next job waits so long for it, rather than go to a spare one: most let go at once, with their models loaded."""

_Ready = tuple[int, int, Worker | None]
"""A worker that stands by, after its rank among them; None is one that could not be started."""

log = logging.getLogger(__name__)


class WorkerPool:
    """Worker processes, each with an engine of its own made by `factory(*args)`, doing one job at a time.

    `factory` is `"module:name"`, importable in a fresh interpreter. A job is a call of a method of that engine as
    `method(inputs, *arguments)` with an iterator of inputs; it gives an iterator, best a generator. Use the pool as an
    async context manager: entering waits until the first worker is ready and raises `EngineUnavailable` where it
    cannot start; the others follow. Workers ignore SIGINT and go when the pool closes or its process dies.

    At most `size` jobs run at once. `spares` more workers (None: as many again) stand by with their engine made, and
    one takes the next job at once where a worker does not let go of the last one, of all at once where it comes to
    that: to start a process takes longer than people wait. Without spares the next job waits for that.
    """

    def __init__(
        self, factory: str, args: tuple[object, ...] = (), size: int = 1, *, spares: int | None = None,
        start_timeout: float = 30,
    ) -> None:  # fmt: skip
        self._factory = factory
        self._args = args
        self._start_timeout = start_timeout
        self._count = size + (size if spares is None else spares)
        self._places = Places(size)
        self._ready: asyncio.PriorityQueue[_Ready] = asyncio.PriorityQueue(self._count)
        self._workers: set[Worker] = set()
        self._numbers = itertools.count(1)
        self._starting = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        try:
            self._stand_by(await self._start())
        except BaseException:
            await self._close()
            raise
        for _ in range(self._count - 1):
            self._keep(self._replace(None))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of the workers that are alive."""
        return tuple(worker.pid for worker in self._workers if worker.alive)

    @property
    def free(self) -> int:
        """How many jobs would begin at once."""
        return min(self._places.free, self._ready.qsize())

    async def stream(
        self, method: str, inputs: AsyncIterator[object] | None = None, *arguments: object
    ) -> AsyncGenerator[object, None]:
        """Yield the outputs of a job while its inputs go in; jobs that find all workers busy wait in turn.

        Closing the generator abandons the job and does not wait for it. Inputs, outputs and arguments are pickled.
        Raises `EngineError` where the method fails or its worker dies; what `inputs` raises is raised as it is.
        """
        worker = await self._take()
        try:
            job = worker.begin(next(self._numbers), method, arguments)
        except BaseException:  # the arguments cannot be pickled
            self._stand_by(worker)
            self._places.give_back()
            raise
        feeder = asyncio.create_task(worker.feed(job, inputs))
        try:
            while not isinstance(output := await job.outputs.get(), End):
                yield output
            if output.error is not None:
                raise output.error
        finally:
            feeder.cancel()
            self._let_go(worker, job)
            await asyncio.wait([feeder])

    async def call(self, method: str, *arguments: object) -> object:
        """Run a job without inputs to its end and return its last output, or None."""
        last: object = None
        async with contextlib.aclosing(self.stream(method, None, *arguments)) as outputs:
            async for output in outputs:
                last = output
        return last

    async def _take(self) -> Worker:
        """Wait for a place and for a worker. Raises `EngineUnavailable` where none is left and none can be started."""
        await self._places.take()
        try:
            return await self._next()
        except BaseException:
            self._places.give_back()
            raise

    async def _next(self) -> Worker:
        while (worker := (await self._ready.get())[-1]) is None or not worker.alive:
            if self._ready.empty():
                return await self._start_instead(worker)
            self._keep(self._replace(worker))
        return worker

    def _let_go(self, worker: Worker, job: Job) -> None:
        """Have the worker and the place back, at once where the job is over."""
        if job.over:
            job.abandon()  # its end may wait for room, and the worker's reader with it
            self._put(worker, job)
            self._places.give_back()
        else:
            worker.cancel(job)
            self._keep(self._give_up(worker, job))

    async def _give_up(self, worker: Worker, job: Job) -> None:
        if await job.is_over(HAND_OVER_S):
            self._put(worker, job)
            self._places.give_back()
            return
        self._places.give_back()
        # At once, as the next one may hang as well; who lets go before the new one is there stays instead.
        replacing = _own(self._background, self._replace(None))
        if await job.is_over(LET_GO_S - HAND_OVER_S) and worker.alive and not replacing.done():
            replacing.cancel()
            self._stand_by(worker, job)
        else:
            self._stop(worker)

    def _stand_by(self, worker: Worker | None, job: Job | None = None) -> None:
        """Have a worker ready, after a job. Who was used last goes first: it has its models loaded. None goes last."""
        rank = 1 if worker is None else -job.number if job is not None else 0
        self._ready.put_nowait((rank, next(self._numbers), worker))

    def _put(self, worker: Worker, job: Job) -> None:
        if worker.alive:
            self._stand_by(worker, job)
        else:
            self._keep(self._replace(worker))

    async def _replace(self, worker: Worker | None) -> None:
        """Start another one instead of a worker that is of no more use; one after the other: each takes a processor."""
        self._stop(worker)
        fresh: Worker | None = None
        try:
            async with self._starting:
                fresh = await self._start()
        except (EngineError, OSError) as error:
            log.warning("a worker cannot start: %s", error)  # the job that finds no other tries again, and says so
        self._stand_by(fresh)

    async def _start_instead(self, worker: Worker | None) -> Worker:
        self._stop(worker)
        try:
            return await self._start()
        except BaseException:
            self._stand_by(None)
            raise

    async def _start(self) -> Worker:
        worker = await Worker.spawn(self._factory)
        self._workers.add(worker)
        try:
            await worker.make_engine(self._args, self._start_timeout)
        except BaseException:
            self._stop(worker)
            raise
        return worker

    def _stop(self, worker: Worker | None) -> None:
        """Kill a worker; nobody waits for its end but the pool's."""
        if worker is not None:
            self._workers.discard(worker)
            _own(self._stopping, worker.stop(0))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()  # a job that was given up late: nobody would stop a new worker
        else:
            _own(self._background, work)

    async def _close(self) -> None:
        self._closed = True
        for task in (tasks := tuple(self._background)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.gather(*(worker.stop() for worker in self._workers), *self._stopping)


def _own(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
