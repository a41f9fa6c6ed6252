"""What engines that answer with a stream have in common: they stop when told to, and calls leave each other alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Final

from mynah.errors import EngineError, InputError
from mynah.testing.contract_run import Check, ContractBroken, described, promptly

Call = Callable[[Any], AsyncIterator[Any]]
"""Begins one call of an open engine."""

Verdict = Callable[[Sequence[Any]], object]
"""Looks at all that a call gave; raises `ContractBroken`."""

MANY: Final = 100_000
PROMPTLY_S: Final = 1.0
SETTLE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Trial:
    """A call and what is demanded of its outputs. Where it `may_fail`, it may raise `EngineError` or `InputError`."""

    name: str
    call: Call
    verdict: Verdict
    may_fail: bool = False

    async def answer(self, engine: Any) -> list[Any]:
        """Make the call, and return what it gave if that is as demanded."""
        try:
            outputs = await collect(self.call(engine))
        except (EngineError, InputError):
            if not self.may_fail:
                raise
            return []
        self.verdict(outputs)
        return outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """The calls by which an engine is tried.

    `ordinary` are two different ones of the same name; `digest` makes of their outputs what is equal for equal
    answers. `odd` ones an engine sees rarely. `endless` is to be cancelled, and at best does not end by itself.
    `at_once` is how many calls the hub makes at once (None: any number).
    """

    ordinary: tuple[Trial, Trial]
    digest: Callable[[Sequence[Any]], object]
    endless: Call
    odd: Sequence[Trial] = ()
    at_once: int | None = None

    def checks(self) -> list[tuple[str, Check]]:
        """Return every check, by the name of its behaviour."""
        return [
            (self.ordinary[0].name, self._ordinary),
            ("closing early", self._closing_early),
            ("cancel in mid-stream", self._cancel_in_mid_stream),
            ("two at once", self._two_at_once),
            *((trial.name, self._odd(trial)) for trial in self.odd),
        ]

    async def _ordinary(self, engine: Any) -> None:
        for trial in self.ordinary:
            await trial.answer(engine)

    async def _closing_early(self, engine: Any) -> None:
        unbegun = self.ordinary[0].call(engine)
        await promptly(_aclose(unbegun), "closing a generator that was never begun", PROMPTLY_S)
        await self._still_works(engine)

    async def _cancel_in_mid_stream(self, engine: Any) -> None:
        stream = self.ordinary[0].call(engine)
        async for _ in stream:
            break
        await promptly(_aclose(stream), "closing the generator after its first output", PROMPTLY_S)
        await _cancelled(self.endless(engine), after=0)
        await _cancelled(self.endless(engine), after=1)
        await self._still_works(engine)

    async def _two_at_once(self, engine: Any) -> None:
        alone = [self.digest(await trial.answer(engine)) for trial in self.ordinary]
        again = [self.digest(await trial.answer(engine)) for trial in self.ordinary]
        together = await self._together(engine)
        for place, first, second, third in zip(("first", "second"), alone, again, together, strict=True):
            # An engine that answers the same question differently each time is not to be judged by its answers.
            if first == second and first != third:
                raise ContractBroken(f"the {place} of two calls at once gave something else than it gives alone")

    async def _together(self, engine: Any) -> list[object]:
        slots = asyncio.Semaphore(self.at_once or len(self.ordinary))

        async def one(trial: Trial) -> object:
            async with slots:
                return self.digest(await trial.answer(engine))

        answers = await asyncio.gather(*map(one, self.ordinary), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise ContractBroken(f"of two calls, each of which works alone, one {described(answer)}") from answer
        return answers

    def _odd(self, trial: Trial) -> Check:
        async def check(engine: Any) -> None:
            await trial.answer(engine)
            await self._still_works(engine)

        return check

    async def _still_works(self, engine: Any) -> None:
        try:
            await self.ordinary[0].answer(engine)
        except Exception as error:
            # Whatever it is, the call before it is to blame: that is to be in the message.
            raise ContractBroken(f"the engine does not work afterwards: {described(error)}") from error


async def collect(stream: AsyncIterator[Any]) -> list[Any]:
    """Return all that a call gives. Raises `ContractBroken` where it has no end or cannot be closed."""
    outputs: list[Any] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_aclose, stream)
        async for output in stream:
            outputs.append(output)
            if len(outputs) > MANY:
                raise ContractBroken(f"a call gave more than {MANY} outputs")
    return outputs


async def _aclose(stream: AsyncIterator[Any]) -> None:
    close = getattr(stream, "aclose", None)
    if close is None:
        raise ContractBroken(f"a call gave {type(stream).__name__}, which cannot be closed; give an async generator")
    await close()


async def _cancelled(stream: AsyncIterator[Any], *, after: int) -> None:
    """Cancel the task that consumes `stream`, once it has given `after` outputs or seems to have none to give."""
    reached = asyncio.Event()

    async def consume() -> None:
        count = 0
        async with aclosing(stream) as outputs:  # type: ignore[type-var]  # `collect` has seen that it can be closed
            if not after:
                reached.set()
            async for _ in outputs:
                count += 1
                if count == after:
                    reached.set()

    task = asyncio.get_running_loop().create_task(consume(), name="contract: to be cancelled")
    waiting = asyncio.ensure_future(reached.wait())
    await asyncio.wait({task, waiting}, timeout=PROMPTLY_S, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not after:
        await asyncio.sleep(SETTLE_S)
    if not task.cancel():
        await task  # it was through already; what it raised is raised here
        return
    await promptly(asyncio.wait({task}), "stopping a cancelled call", PROMPTLY_S)
    if not task.cancelled():
        error = task.exception()
        what = f"the cancelled call {described(error)}" if error else "the engine swallowed the cancellation"
        raise ContractBroken(f"{what}; let CancelledError pass")
