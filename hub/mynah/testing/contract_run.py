"""How a contract is checked: the engine is opened as the hub opens it, and behaviours are tried one at a time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mynah.config.messages import validate
from mynah.config.schema import entry_schema, own_options
from mynah.errors import ConfigError, EngineError, MynahError, Problem
from mynah.specs import EngineKind, EngineSpec

OPEN_S: Final = 120.0
"""How long opening may take; a model may have to be loaded."""

CLOSE_S: Final = 5.0
"""How long closing may take; the hub waits no longer for an engine when it stops."""

GIVE_UP_S: Final = 1.0


class ContractBroken(AssertionError):
    """An engine does not do what engines of its kind must; says which behaviour, and what it did instead."""


Check = Callable[[Any], Coroutine[Any, Any, None]]
"""Tries one behaviour of an open engine; raises `ContractBroken`, or whatever the engine raises."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of one kind: behaviours by name, each with its check; the first is the ordinary use."""

    kind: EngineKind
    title: str
    checks: Sequence[tuple[str, Check]]

    async def hold(
        self, spec: EngineSpec, config: Mapping[str, Any], folder: Path | None, *, within_s: float = 30.0
    ) -> None:
        """Open the engine and try every behaviour, each for `within_s` at most; then open it once more.

        Raises `ContractBroken` at the first that is wrong, `ConfigError` where `config` does not fit the schema.
        """
        if spec.kind != self.kind:
            raise self.broken("kind", f"the engine {spec.name!r} is of kind {spec.kind!r}, not {self.kind!r}")
        options = checked_options(spec, config)
        with _temporary() if folder is None else nullcontext(folder) as place:
            async with self._opened("opening", spec, options, place) as engine:
                for name, check in self.checks:
                    await self._try(name, check(engine), within_s)
            async with self._opened("reopen after close", spec, options, place) as engine:
                await self._try("reopen after close", self.checks[0][1](engine), within_s)

    def broken(self, name: str, what: str) -> ContractBroken:
        """Return the error for behaviour `name`."""
        return ContractBroken(f"{self.title} contract: {name}: {what}")

    async def _try(self, name: str, work: Coroutine[Any, Any, None], within_s: float) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"contract: {name}")
        try:
            done, _ = await asyncio.wait({task}, timeout=within_s)
            if not done:
                raise self.broken(name, f"was not through after {within_s:g} s")
        finally:
            await _give_up(task)
        if task.cancelled():
            raise self.broken(name, "CancelledError came out of the engine, though nobody cancelled it")
        if (error := task.exception()) is not None:
            raise self.broken(name, described(error)) from error

    @asynccontextmanager
    async def _opened(
        self, name: str, spec: EngineSpec, options: Mapping[str, Any], folder: Path
    ) -> AsyncIterator[Any]:
        """Open the engine in a task of its own, and close it by cancelling that, both as the hub does."""
        loop = asyncio.get_running_loop()
        before = asyncio.all_tasks()
        ready: asyncio.Future[Any] = loop.create_future()

        async def keep_open() -> None:
            async with spec.open(options, folder) as engine:
                ready.set_result(engine)
                await loop.create_future()

        task = loop.create_task(keep_open(), name=f"engine {spec.name}")
        await asyncio.wait({task, ready}, timeout=OPEN_S, return_when=asyncio.FIRST_COMPLETED)
        try:
            if not ready.done():
                error = task.exception() if task.done() else None
                what = described(error) if error else f"was not open after {OPEN_S:g} s"
                raise self.broken(name, what) from error
            yield ready.result()
        finally:
            await _give_up(task, CLOSE_S)
        self._check_closed(task)
        await self._check_left_over(asyncio.all_tasks() - before - {task})

    def _check_closed(self, task: asyncio.Task[None]) -> None:
        if not task.done():
            raise self.broken("closing", f"was not closed after {CLOSE_S:g} s")
        if not task.cancelled():
            error = task.exception()
            raise self.broken("closing", described(error) if error else "the cancellation that closes it was swallowed")

    async def _check_left_over(self, tasks: set[asyncio.Task[Any]]) -> None:
        if tasks:
            _, tasks = await asyncio.wait(tasks, timeout=GIVE_UP_S)
        if tasks:
            names = ", ".join(sorted(task.get_name() for task in tasks))
            raise self.broken("closing", f"tasks of the engine run on after it was closed: {names}")


def checked_options(spec: EngineSpec, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` as the engine's `open` gets it, defaults filled in. Raises `ConfigError` with every mistake."""
    values, mistakes = validate(entry_schema(spec), {"engine": spec.name, **config})
    if mistakes:
        raise ConfigError([Problem(mistake.message, None, 0, mistake.path, mistake.hint) for mistake in mistakes])
    return own_options(values)


def described(error: BaseException) -> str:
    """Return what went wrong, in one line."""
    if isinstance(error, ContractBroken):
        return str(error)
    kind = type(error).__name__
    if isinstance(error, MynahError):
        return f"raised {kind}: {error}"
    return f"raised {kind}: {error}; engines raise {EngineError.__name__} with a message for people"


async def promptly(work: Awaitable[Any], what: str, within_s: float = 1.0) -> None:
    """Wait for `work`. Raises `ContractBroken` where that takes too long, be it by blocking the event loop."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=within_s)
        took = loop.time() - began
        if not task.done() or took > within_s:
            raise ContractBroken(f"{what} took more than {within_s:g} s")
    finally:
        await _give_up(task)
    task.result()


async def _give_up(task: asyncio.Future[Any], within_s: float = GIVE_UP_S) -> None:
    """Cancel `task` and wait for it, but not for ever."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=within_s)


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mynah-contract-") as folder:
        yield Path(folder)
