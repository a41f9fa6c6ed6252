"""Shows how far a long piece of work is: a bar on a terminal, lines in a log elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

EVERY_S: Final = 10.0
"""How often a line is logged."""

log = logging.getLogger(__name__)


class Progress:
    """Use as a context manager around the work; without `begin` it shows only that there is some."""

    def __init__(self, title: str, *, download: bool = False) -> None:
        self._title = title
        self._download = download
        self._total = 0
        self._done = 0
        self._began = self._told = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        log.info("%s …", self._title)
        if sys.stderr.isatty():
            self._bar = _bar(self._download)
            self._bar.start()
            self._bar.add_task(self._title, total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
        if error is None:
            log.info("%s: done after %.1f s", self._title, time.monotonic() - self._began)

    def begin(self, total: int, done: int = 0) -> None:
        """Note how many bytes there are in all, and how many of them were there before."""
        self._total, self._done = total, done
        self._show()

    def add(self, size: int) -> None:
        """Note that so many bytes more are done."""
        self._done += size
        self._show()

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], total=self._total or None, completed=self._done)
        elif time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            log.info("%s: %.0f of %.0f MB", self._title, self._done / 1e6, self._total / 1e6)


def _bar(download: bool) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    sizes = (DownloadColumn(),) if download else ()
    columns = (TextColumn("{task.description}"), BarColumn(), *sizes, TimeElapsedColumn())
    return Bar(*columns, console=Console(stderr=True), transient=True)
