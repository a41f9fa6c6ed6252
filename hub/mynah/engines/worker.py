"""One worker process, as the hub sees it; the child's side is `mynah.engines.worker_main`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import sys
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from mynah.engines.frames import LENGTH, pack
from mynah.errors import EngineError, EngineUnavailable

WINDOW: Final = 64
"""Items on their way to a worker, and outputs on their way back, at most."""
STOP_S: Final = 1.0
LAST_LINES: Final = 8

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """A job's outputs are complete, or `error` ended them."""

    error: Exception | None = None


class Job:
    """One call of a method of the worker's engine: `outputs` has what it gives, and its `End`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.outputs: asyncio.Queue[object] = asyncio.Queue(WINDOW)
        self.window = asyncio.Semaphore(WINDOW)
        self._ended = asyncio.Event()
        self._abandoned = False

    @property
    def over(self) -> bool:
        """Whether the worker is through with it."""
        return self._ended.is_set()

    async def is_over(self, within_s: float) -> bool:
        """Wait until the worker is through with it, for at most `within_s`; return whether it is."""
        # Not `wait_for`, which before Python 3.12 swallows a cancellation that comes in the moment of the end.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        return self.over

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
        """Note that the worker is through with it."""
        self._ended.set()
        await self.put(End(error))

    def taken(self, count: int) -> None:
        """Let `count` more items go to the worker."""
        for _ in range(count):
            self.window.release()


class Worker:
    """A process with an engine, whose reader task sorts what it sends."""

    def __init__(self, label: str, process: asyncio.subprocess.Process) -> None:
        self._label = label
        self._process = process
        self._job: Job | None = None
        self._ready = self._gone = False
        self._made: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_stderr())]

    @classmethod
    async def spawn(cls, factory: str) -> Worker:
        """Start a process; it is of use once it has an engine. Whoever has it must `stop` it."""
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "mynah.engines.worker_main", factory)
        return cls(factory, await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe))

    async def make_engine(self, arguments: tuple[object, ...], timeout: float) -> None:
        """Have it make its engine. Raises `EngineUnavailable` with what it said."""
        self._send("start", arguments, logging.getLogger().getEffectiveLevel())
        try:
            async with asyncio.timeout(timeout):
                await self._made
        except TimeoutError:
            raise EngineUnavailable(
                f"the worker for {self._label} did not start within {timeout:g} s{self._said()}"
            ) from None
        self._ready = True

    @property
    def alive(self) -> bool:
        """Whether jobs can be given to it."""
        return self._ready and not self._gone and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def begin(self, number: int, method: str, arguments: tuple[object, ...]) -> Job:
        """Give it a job; it must have none. Where the arguments cannot be pickled it still has none."""
        self._send("job", number, method, arguments)
        self._job = Job(number)
        return self._job

    async def feed(self, job: Job, inputs: AsyncIterator[object] | None) -> None:
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
            await job.put(End(error))

    def cancel(self, job: Job) -> None:
        """Ask it to give up a job that nobody wants any more."""
        job.abandon()
        self._send("cancel", job.number)

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

    def _said(self) -> str:
        """Return the last lines of its stderr, for an error message."""
        return ": " + " / ".join(self._last_lines) if self._last_lines else ""

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
        if kind == "ready" and not self._made.done():
            self._made.set_result(None)
        elif kind == "unavailable" and not self._made.done():
            self._made.set_exception(EngineUnavailable(rest[0]))
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
        if not self._made.done():
            self._made.set_exception(EngineUnavailable(f"the worker for {self._label} did not start{self._said()}"))
        if self._job is not None:
            job, self._job = self._job, None
            await job.end(EngineError(f"the worker for {self._label} died in the middle of its work{self._said()}"))

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
            self._last_lines.append(text)
            log.info("%s: %s", self._label, text)
