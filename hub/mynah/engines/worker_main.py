"""The child's side of `mynah.engines.worker`: runs an engine's blocking code and speaks in frames over its pipes.

Started as `python -m mynah.engines.worker_main module:factory`. Imports nothing heavy: what the factory's module
needs, it imports itself.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

from mynah.engines.frames import pack, read_frame
from mynah.errors import MynahError

TAKEN_EVERY = 8
"""The child reports consumed items in batches of this many."""


class Abandoned(BaseException):
    """Raised out of a job's inputs when nobody wants its outputs any more."""


class FrameWriter:
    """Writes frames from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, *message: object) -> None:
        """Write one frame."""
        frame = pack(*message)
        with self._lock:
            self._stream.write(frame)
            self._stream.flush()


class FrameLog(logging.Handler):
    """Hands log records to the parent."""

    def __init__(self, writer: FrameWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record, formatted."""
        self._writer.send("log", record.levelno, record.name, self.format(record))


class Job:
    """One call of an engine's method, and the iterator of its inputs."""

    def __init__(self, number: int, method: str, arguments: tuple[object, ...], writer: FrameWriter) -> None:
        self.number = number
        self.method = method
        self.arguments = arguments
        self.abandoned = threading.Event()
        # Bounded by the parent, which sends no more than a window of items that were not reported as taken.
        self._items: queue.SimpleQueue[tuple[object, ...]] = queue.SimpleQueue()
        self._writer = writer
        self._taken = 0

    def put(self, *item: object) -> None:
        """Add an input; without one, the inputs are at an end."""
        self._items.put(item)

    def abandon(self) -> None:
        """Make the next look at the inputs raise `Abandoned`."""
        self.abandoned.set()
        self._items.put(())

    def __iter__(self) -> Iterator[object]:
        while True:
            item = self._items.get()
            if self.abandoned.is_set():
                raise Abandoned
            if not item:
                return
            self._taken += 1
            if self._taken == TAKEN_EVERY:
                self._writer.send("taken", self.number, self._taken)
                self._taken = 0
            yield item[0]

    def run(self, engine: object) -> None:
        """Call the method and send what it yields, then how it ended."""
        try:
            outputs = getattr(engine, self.method)(iter(self), *self.arguments)
            with contextlib.closing(outputs):
                for output in outputs:
                    if self.abandoned.is_set():
                        break
                    self._writer.send("out", self.number, output)
        except Abandoned:
            pass
        except MynahError as error:
            self._writer.send("failed", self.number, str(error))
            return
        except Exception as error:  # whatever the engine raises is the parent's to know, not ours to die of
            logging.getLogger(__name__).debug("%s failed", self.method, exc_info=True)
            self._writer.send("failed", self.number, f"{self.method} failed: {type(error).__name__}: {error}")
            return
        self._writer.send("done", self.number)


class Inbox:
    """Reads the parent's frames in a thread of its own, so that a cancel is seen while the engine works."""

    def __init__(self, stream: BinaryIO, writer: FrameWriter) -> None:
        self._stream = stream
        self._writer = writer
        self._current: Job | None = None
        self.jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()

    def run(self) -> None:
        """Sort frames to their jobs until the parent closes the pipe, then end the process."""
        while (message := read_frame(self._stream)) is not None:
            self._sort(*message)
        os._exit(0)

    def _sort(self, kind: str, number: int, *rest: Any) -> None:
        if kind == "job":
            self._current = Job(number, rest[0], rest[1], self._writer)
            self.jobs.put(self._current)
        elif self._current is None or self._current.number != number:
            return
        elif kind == "cancel":
            self._current.abandon()
        else:
            self._current.put(*rest)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipes from and to the parent, and send whatever else is printed to stderr."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def build(factory: str, arguments: tuple[object, ...]) -> object:
    """Import the factory named as `module:name` and call it."""
    module, _, name = factory.partition(":")
    return getattr(importlib.import_module(module), name)(*arguments)


def main(factory: str) -> None:
    """Serve jobs until the parent goes."""
    # Ctrl-C goes to the whole group; the parent closes the pipe when it has finished its own clean-up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = take_pipes()
    writer = FrameWriter(sink)
    start = read_frame(source)
    if start is None:
        return
    _, arguments, level = start
    logging.basicConfig(level=level, format="%(message)s", handlers=[FrameLog(writer)])
    try:
        engine = build(factory, arguments)
    except MynahError as error:
        writer.send("unavailable", str(error))
        return
    inbox = Inbox(source, writer)
    threading.Thread(target=inbox.run, name="inbox", daemon=True).start()
    writer.send("ready")
    while True:
        inbox.jobs.get().run(engine)


if __name__ == "__main__":
    main(sys.argv[1])
