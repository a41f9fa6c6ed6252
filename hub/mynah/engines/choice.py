"""Which engine of a chain is next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from mynah.engines.open_engine import OpenEngine
from mynah.errors import InputError
from mynah.timeline import now

OPEN_WITHIN_S: Final = 5.0
"""How long a call waits for an engine that is still opening, where no other is ready."""


class Choice:
    """The engines of a chain that one call may go to, in order of preference.

    First those that are ready, in their order; then those in `avoid`; then one that is still opening is waited for; at
    last, as a listener is waiting, one of those that rest: the one that is due soonest. `tried` grows by each, `avoid`
    by those that failed, and `troubles` has, as "name: reason", why those before the last did not answer (a
    `Refusal` where that was no failure). `refused` says that one of them was asked for something that is not for it.
    """

    def __init__(
        self, engines: Sequence[OpenEngine], tried: list[OpenEngine], avoid: set[OpenEngine], troubles: list[str]
    ) -> None:
        self.called = False
        self.refused = False
        self._engines = engines
        self._tried = tried
        self._avoid = avoid
        self._troubles = troubles
        self._before = list(troubles)
        self._reasons: dict[OpenEngine, str] = {}
        self._rested = False
        self._deadline: float | None = None

    async def next(self) -> OpenEngine | None:
        """Return the engine to call, or None where none is left."""
        first = self._engines[0] if self._engines else None
        if first is not None and not self._tried and first not in self._avoid and not first.unfit:
            self._tried.append(first)  # as nearly always: there is nothing to tell of any other
            self.called = True
            return first
        chosen = await self._find()
        if chosen is not None:
            self._tried.append(chosen)
            self.called = True
        for engine in self._engines if chosen is None else self._engines[: self._engines.index(chosen)]:
            if engine not in self._reasons and engine not in self._tried and (why := self._against(engine)):
                self._reasons[engine] = why
        self._reasons.pop(chosen, None) if chosen is not None else None
        self._tell()
        return chosen

    def note(self, engine: OpenEngine, error: Exception, probe: bool) -> None:
        """Note that a call of `engine` failed."""
        self._reasons[engine] = engine.failed(error, probe)
        self._tell()
        if isinstance(error, InputError):
            self.refused = True
        else:
            self._avoid.add(engine)

    def put_back(self, engine: OpenEngine) -> None:
        """Let `engine` be chosen again: it was not called."""
        self._tried.remove(engine)

    def _tell(self) -> None:
        told = (type(why)(f"{each.spec.name}: {why}") for each, why in self._reasons.items())
        self._troubles[:] = [*self._before, *told]

    def _against(self, engine: OpenEngine) -> str:
        failed = f"it failed before: {engine.last_error}" if engine in self._avoid else ""
        return engine.unfit or failed

    async def _find(self) -> OpenEngine | None:
        while True:
            left = [engine for engine in self._engines if engine not in self._tried]
            fit = [engine for engine in left if not engine.unfit]
            if fit:
                return next((engine for engine in fit if engine not in self._avoid), fit[0])
            opening = [engine for engine in left if not engine.settled.is_set()]
            if self._deadline is None:
                self._deadline = now() + OPEN_WITHIN_S
            if not opening or now() >= self._deadline:
                return self._soonest(left)
            await self._wait(opening, self._deadline - now())

    def _soonest(self, left: Sequence[OpenEngine]) -> OpenEngine | None:
        """Return one engine that rests, once a call: more would keep the listener waiting for what fails anyway."""
        resting = [engine for engine in left if engine.resting]
        if not resting or self._rested:
            return None
        self._rested = True
        return min(resting, key=lambda engine: engine.breaker.due)

    async def _wait(self, opening: Sequence[OpenEngine], seconds: float) -> None:
        """Wait until one of `opening` has opened or failed to, but no longer than that."""
        waits = [asyncio.ensure_future(engine.settled.wait()) for engine in opening]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
