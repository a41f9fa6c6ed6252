"""Runs blocking engine code in worker processes: for libraries that hold the GIL or cannot be stopped.

The worker's side is `mynah.engines.worker_main`; `mynah.engines.frames` describes what passes between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import pickle
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from typing import Any, Final, Self

from mynah.engines.frames import LENGTH, pack
from mynah.errors import EngineError, EngineUnavailable

WINDOW: Final = 64
"""Items on their way to a worker, and outputs on their way back, at most."""
ABANDON_S: Final = 0.2
"""How long a worker has to give up a job; then it is killed."""
SUCCESSOR_S: Final = 0.03
"""After this its successor's engine is made, so that it is ready when it is needed. Most workers give up at once."""
GONE_S: Final = 0.05
"""How long the end of a process that was killed is waited for."""
STOP_S: Final = 1.0
LAST_LINES: Final = 8

log = logging.getLogger(__name__)


class _End:
    """A job's outputs are complete, or `error` ended them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


class _Job:
    """One call as the parent sees it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.outputs: asyncio.Queue[object] = asyncio.Queue(WINDOW)
        self.window = asyncio.Semaphore(WINDOW)
        self.ended = asyncio.Event()
        self._abandoned = False

    async def put(self, output: object) -> None:
        """Hand on an output, once there is room for it."""
        if not self._abandoned:
            await self.outputs.put(output)

    def abandon(self) -> None:
        """Take no more outputs, and let go whoever waits for room."""
        self._abandoned = True
        while not self.outputs.empty():
            self.outputs.get_nowait()

    async def end(self, error: Exception | None = None) -> None:
        """Note that the worker is through with this job."""
        self.ended.set()
        await self.put(_End(error))

    def taken(self, count: int) -> None:
        """Let `count` more items go to the worker."""
        for _ in range(count):
            self.window.release()


class _Worker:
    """One worker process; `start` makes it, and its reader task sorts what it sends."""

    def __init__(self, label: str, process: asyncio.subprocess.Process) -> None:
        self._label = label
        self._process = process
        self._job: _Job | None = None
        self._gone = False
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_stderr())]

    @classmethod
    async def start(
        cls, factory: str, arguments: tuple[object, ...], timeout: float, process: asyncio.subprocess.Process
    ) -> _Worker:
        """Have `process` make its engine and wait for that. Raises `EngineUnavailable` with what it said."""
        worker = cls(factory, process)
        try:
            worker._send("start", arguments, logging.getLogger().getEffectiveLevel())
            await asyncio.wait_for(worker._ready, timeout)
        except TimeoutError:
            await worker.stop(0)
            said = worker.said()
            raise EngineUnavailable(f"the worker for {factory} did not start within {timeout:g} s{said}") from None
        except BaseException:
            await worker.stop(0)
            raise
        return worker

    @property
    def alive(self) -> bool:
        """Whether jobs can be given to it."""
        return not self._gone and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def said(self) -> str:
        """Return the last lines of its stderr, for an error message."""
        return ": " + " / ".join(self.last_lines) if self.last_lines else ""

    def begin(self, number: int, method: str, arguments: tuple[object, ...]) -> _Job:
        """Give it a job; it must have none."""
        self._job = _Job(number)
        self._send("job", number, method, arguments)
        return self._job

    async def feed(self, job: _Job, inputs: AsyncIterator[object] | None) -> None:
        """Send the inputs of a job as the worker takes them, and their end."""
        assert self._process.stdin is not None
        try:
            if inputs is not None:
                async for item in inputs:
                    await job.window.acquire()
                    self._send("item", job.number, item)
                    await self._process.stdin.drain()
            self._send("end", job.number)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # the worker died, which its reader reports
        except Exception as error:  # noqa: BLE001 - the inputs' own error is for the consumer of the outputs
            await job.put(_End(error))

    async def abandon(self, job: _Job) -> bool:
        """Ask it to give up the job; return whether it has done so in time."""
        job.abandon()
        self._send("cancel", job.number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(job.ended.wait(), ABANDON_S)
        return job.ended.is_set() and self.alive

    async def stop(self, patience: float = STOP_S) -> None:
        """Close its input and wait for it to go, then kill it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), patience)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.wait(self._tasks, timeout=STOP_S)

    def _send(self, *message: object) -> None:
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(pack(*message))

    async def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                head = await self._process.stdout.readexactly(LENGTH.size)
                body = await self._process.stdout.readexactly(LENGTH.unpack(head)[0])
                # The peer is this program's own child, so the pickle is trusted.
                await self._sort(*pickle.loads(body))
        await self._died()

    async def _sort(self, kind: str, *rest: Any) -> None:
        job = self._job
        if kind == "ready" and not self._ready.done():
            self._ready.set_result(None)
        elif kind == "unavailable" and not self._ready.done():
            self._ready.set_exception(EngineUnavailable(rest[0]))
        elif kind == "log":
            logging.getLogger(rest[1]).log(rest[0], "%s", rest[2])
        elif job is None or rest[0] != job.number:
            return
        elif kind == "taken":
            job.taken(rest[1])
        elif kind == "out":
            await job.put(rest[1])
        else:
            self._job = None
            await job.end(EngineError(rest[1]) if kind == "failed" else None)

    async def _died(self) -> None:
        self._gone = True
        await asyncio.wait(self._tasks[1:], timeout=STOP_S)  # so that its last words are known
        if not self._ready.done():
            self._ready.set_exception(EngineUnavailable(f"the worker for {self._label} did not start{self.said()}"))
        if self._job is not None:
            job, self._job = self._job, None
            await job.end(EngineError(f"the worker for {self._label} died in the middle of its work{self.said()}"))

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:  # a line longer than the reader's limit; it is dropped
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            self.last_lines.append(text)
            log.info("%s: %s", self._label, text)


async def _spawn(factory: str) -> asyncio.subprocess.Process:
    """Start a process that imports what its engine needs, and makes it when it is told to."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "mynah.engines.worker_main", factory)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have a process without an engine go."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


class _Slot:
    """A place for a worker; empty where the last one is gone and no other could be started."""

    def __init__(self) -> None:
        self.worker: _Worker | None = None


class WorkerPool:
    """Worker processes, each with an engine of its own made by `factory(*args)`, doing one job at a time.

    `factory` is `"module:name"`, importable in a fresh interpreter. A job is a call of a method of that engine as
    `method(inputs, *arguments)` with an iterator of inputs; it gives an iterator, best a generator. Use the pool as an
    async context manager: entering waits until the first worker is ready and raises `EngineUnavailable` where it
    cannot start; the others follow. Workers ignore SIGINT and go when the pool closes or its process dies. As many more
    processes, without an engine, are kept to take the place of workers that must be replaced, of all at once where it
    comes to that: starting an interpreter takes longer than people wait.
    """

    def __init__(
        self, factory: str, args: tuple[object, ...] = (), size: int = 1, *, start_timeout: float = 30
    ) -> None:
        self._factory = factory
        self._args = args
        self._start_timeout = start_timeout
        self._slots = [_Slot() for _ in range(size)]
        # The worker that was idle last goes first: it has its models loaded.
        self._idle: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue(size)
        self._numbers = itertools.count(1)
        self._background: set[asyncio.Task[None]] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._spares: deque[asyncio.subprocess.Process] = deque()
        self._sparing = asyncio.Lock()
        self._complete = False
        self._closed = False

    async def __aenter__(self) -> Self:
        first, *others = self._slots
        try:
            await self._fill(first)
        except BaseException:
            await self._close()
            raise
        self._idle.put_nowait(first)
        self._keep(self._have_more(others))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of the workers that are alive."""
        return tuple(slot.worker.pid for slot in self._slots if slot.worker and slot.worker.alive)

    async def stream(
        self, method: str, inputs: AsyncIterator[object] | None = None, *arguments: object
    ) -> AsyncGenerator[object, None]:
        """Yield the outputs of a job while its inputs go in; jobs that find all workers busy wait in turn.

        Closing the generator abandons the job and does not wait for it. Inputs, outputs and arguments are pickled.
        Raises `EngineError` where the method fails or its worker dies; what `inputs` raises is raised as it is.
        """
        slot, worker = await self._acquire()
        job = worker.begin(next(self._numbers), method, arguments)
        feeder = asyncio.create_task(worker.feed(job, inputs))
        try:
            while not isinstance(output := await job.outputs.get(), _End):
                yield output
            if output.error is not None:
                raise output.error
        finally:
            feeder.cancel()
            self._keep(self._release(slot, worker, job))
            await asyncio.wait([feeder])

    async def call(self, method: str, *arguments: object) -> object:
        """Run a job without inputs to its end and return its last output, or None."""
        last: object = None
        async with contextlib.aclosing(self.stream(method, None, *arguments)) as outputs:
            async for output in outputs:
                last = output
        return last

    async def _acquire(self) -> tuple[_Slot, _Worker]:
        slot = await self._idle.get()
        try:
            return slot, slot.worker if slot.worker and slot.worker.alive else await self._fill(slot)
        except BaseException:
            self._idle.put_nowait(slot)
            raise

    async def _release(self, slot: _Slot, worker: _Worker, job: _Job) -> None:
        try:
            if self._closed:
                return  # a job that was given up late: nobody would stop a new worker
            if not job.ended.is_set():
                await self._end_job(slot, worker, job)
            elif not worker.alive:
                await self._fill(slot)
        except EngineError as error:
            log.warning("no new worker: %s", error)  # the next job tries again and says so
        finally:
            self._idle.put_nowait(slot)

    async def _end_job(self, slot: _Slot, worker: _Worker, job: _Job) -> None:
        """Have the job given up; where that takes long, keep whichever is ready first: the worker or a successor."""
        giving_up = asyncio.create_task(worker.abandon(job))
        await asyncio.wait({giving_up}, timeout=SUCCESSOR_S)
        if giving_up.done() and giving_up.result():
            return
        successor = asyncio.create_task(self._start())
        try:
            await asyncio.wait({giving_up, successor}, return_when=asyncio.FIRST_COMPLETED)
            ready = successor.done() and successor.exception() is None
            if not ready and await giving_up:
                return
            slot.worker = None
            await asyncio.wait({self._stop(worker)}, timeout=GONE_S)
            slot.worker = await successor
        finally:
            giving_up.cancel()
            if slot.worker is worker or slot.worker is None:
                self._keep_stopping(self._never_mind(successor))

    async def _never_mind(self, successor: asyncio.Task[_Worker]) -> None:
        successor.cancel()
        await asyncio.wait({successor})
        if not successor.cancelled() and successor.exception() is None:
            await successor.result().stop(0)

    async def _fill(self, slot: _Slot) -> _Worker:
        old, slot.worker = slot.worker, None
        if old is not None:
            self._stop(old)
        slot.worker = await self._start()
        return slot.worker

    async def _start(self) -> _Worker:
        process = self._spare() or await _spawn(self._factory)
        try:
            return await _Worker.start(self._factory, self._args, self._start_timeout, process)
        finally:
            if self._complete and not self._closed:
                self._keep(self._have_spares())  # only now: a process that starts takes the processor from this one

    def _spare(self) -> asyncio.subprocess.Process | None:
        while self._spares:
            if (process := self._spares.popleft()).returncode is None:
                return process
        return None

    async def _have_more(self, slots: Sequence[_Slot]) -> None:
        """Start the other workers one after the other, so that the first has the machine to itself, and the spares."""
        for slot in slots:
            try:
                await self._fill(slot)
            except EngineError as error:
                log.warning("a worker cannot start: %s", error)  # the job that finds its place empty tries again
            finally:
                self._idle.put_nowait(slot)
        self._complete = True
        await self._have_spares()

    async def _have_spares(self) -> None:
        async with self._sparing:
            while len(self._spares) < len(self._slots):
                self._spares.append(await _spawn(self._factory))

    def _stop(self, worker: _Worker) -> asyncio.Task[None]:
        # By itself, so that it goes even where this is cancelled; nobody waits for it to the end but the pool's.
        return self._keep_stopping(worker.stop(0))

    def _keep_stopping(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        stopping = asyncio.create_task(work)
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)
        return stopping

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _close(self) -> None:
        self._closed = True
        for task in (tasks := tuple(self._background)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        ends = [slot.worker.stop() for slot in self._slots if slot.worker]
        await asyncio.gather(*ends, *map(_end, self._spares), *self._stopping)
