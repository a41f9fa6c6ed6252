"""One configured engine: opened and kept open, its calls counted, and given a rest when it fails again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from mynah.bus import EventBus
from mynah.config.schema import own_options
from mynah.engines.breaker import FAILURES, RETRY_AFTER_S, Breaker
from mynah.engines.limits import LimitedCall, Limits, Meter, Slots
from mynah.errors import EngineUnavailable, InputError, MynahError, Refusal, cause
from mynah.events import EngineFailed, EngineReady, EngineStateChanged
from mynah.specs import EngineSpec
from mynah.timeline import now

log = logging.getLogger(__name__)
T = TypeVar("T")

REOPEN_S: Final = (1.0, 5.0, 15.0, 60.0)
"""Pauses before an engine that did not open, or broke, is opened again: soon at first, then rarely."""


class PassedOver(Exception):
    """An engine that was chosen has become unfit before it was called."""


class OpenEngine:
    """One configured engine: opened in the background, kept open, opened again when that fails."""

    def __init__(self, spec: EngineSpec, config: Mapping[str, Any], folder: Path, bus: EventBus) -> None:
        self.spec = spec
        self.config = config
        self.state: Literal["opening", "ready", "failed"] = "opening"
        self.error = ""
        self.openings = 0
        self.calls = 0
        self.failures = 0
        self.last_error = ""
        self.breaker = Breaker(config.get("failures", FAILURES), config.get("retry_after", RETRY_AFTER_S))
        self.slots = Slots(spec.max_parallel)
        self.settled = asyncio.Event()
        self.strays: set[asyncio.Task[Any]] = set()
        self._engine: Any = None
        self._folder = folder
        self._bus = bus
        self._next_start = 0.0

    @cached_property
    def _limits(self) -> Limits:
        return Limits.of(self.config)

    @property
    def engine(self) -> Any:
        """The engine itself. Raises `EngineUnavailable` where it is not open."""
        if self.state != "ready":
            raise EngineUnavailable(self.error or "still loading")
        return self._engine

    async def keep_open(self) -> None:
        """Open the engine and hold it until cancelled; on failure say so and try again later."""
        options = own_options(self.config)
        failures = 0
        while True:
            began, opened = now(), float("inf")
            try:
                async with self.spec.open(options, self._folder) as engine:
                    opened = now()
                    self._engine, self.state, self.error = engine, "ready", ""
                    self.openings += 1
                    self.breaker.reset()
                    self.settled.set()
                    self._bus.publish(EngineReady(engine=self.spec.name, kind=self.spec.kind, seconds=opened - began))
                    await asyncio.get_running_loop().create_future()  # held open until cancelled
            except asyncio.CancelledError:
                if being_cancelled():
                    raise
                self._note_failure("something that it waited for was cancelled")
            except Exception as error:  # a supervisor's duty: whatever an engine raises must not stop the hub
                if being_cancelled():
                    raise  # it failed to close in good order, and must not be opened again
                self._note_failure(cause(error))
            if being_cancelled():
                return
            failures = 0 if now() - opened > REOPEN_S[-1] else failures
            await asyncio.sleep(REOPEN_S[min(failures, len(REOPEN_S) - 1)])
            failures += 1

    def _note_failure(self, trouble: Exception | str) -> None:
        known = not isinstance(trouble, Exception) or isinstance(trouble, MynahError)
        self.state, self.error = "failed", str(trouble) if known else f"{type(trouble).__name__}: {trouble}"
        self.settled.set()
        log.warning("%s engine %s cannot be used: %s", self.spec.kind, self.spec.name, self.error,
                    exc_info=None if known else trouble)  # type: ignore[arg-type]  # fmt: skip  # an exception then
        self._bus.publish(EngineFailed(engine=self.spec.name, kind=self.spec.kind, error=self.error))

    @property
    def resting(self) -> bool:
        """Whether it is open but passed over, as its last calls all failed."""
        return self.state == "ready" and not self.breaker.closed

    @property
    def unfit(self) -> str:
        """Why no call should go to it now; empty where one may."""
        if self.state != "ready":
            return self.error or "still loading"
        if self.breaker.admits:
            return ""
        then = "it is being tried again" if not self.breaker.rests_s else f"it rests for {self.breaker.rests_s:.0f} s"
        return f"{then} after {self.breaker.in_a_row} failures, the last: {self.last_error}"

    def describe(self) -> Mapping[str, Any]:
        """Return what is known of it, as plain data."""
        return {
            "kind": self.spec.kind,
            "name": self.spec.name,
            "state": "resting" if self.resting else self.state,
            "error": self.error or (self.last_error if self.resting else ""),
            "rests_s": round(self.breaker.rests_s, 1) if self.resting else 0.0,
            "calls": self.calls,
            "failures": self.failures,
            "last_error": self.last_error,
        }

    def worked(self, probe: bool) -> None:
        """Note that a call went well."""
        if self.breaker.succeeded(probe):
            log.info("%s engine %s works again", self.spec.kind, self.spec.name)
            self._tell_state("ready")

    def failed(self, error: Exception, probe: bool) -> str:
        """Note that a call failed, for the log, the bus and the breaker; return why, in a line.

        That an input is not for the engine is a `Refusal`, and none of its failures: other input may do well.
        """
        known = isinstance(error, MynahError)
        message = " ".join((str(error) if known else f"{type(error).__name__}: {error}").split())
        kind, name = self.spec.kind, self.spec.name
        if isinstance(error, InputError):
            log.info("%s engine %s refused: %s", kind, name, message)
            self.breaker.abandoned(probe)
            return Refusal(message)
        self.failures, self.last_error = self.failures + 1, message
        log.warning("%s engine %s failed: %s", kind, name, message, exc_info=None if known else error)
        self._bus.publish(EngineFailed(engine=name, kind=kind, error=message))
        if self.breaker.failed(probe):
            log.warning("%s engine %s rests for %.0f s after %d failures in a row",
                        kind, name, self.breaker.rests_s, self.breaker.in_a_row)  # fmt: skip
            self._tell_state("resting", self.breaker.rests_s, message)
        return message

    def _tell_state(self, state: Literal["ready", "resting"], seconds: float = 0.0, reason: str = "") -> None:
        self._bus.publish(EngineStateChanged(engine=self.spec.name, kind=self.spec.kind, state=state,
                                             seconds=round(seconds, 1), reason=reason))  # fmt: skip

    async def call(
        self, ask: Callable[[Any], AsyncIterator[T]], total: float, armed: Callable[[], bool] | None, meter: Meter, *,
        probe: bool = False,
    ) -> LimitedCall[T]:  # fmt: skip
        """Begin what `ask(engine)` gives, once there is a slot for it; `total` and `armed` are those of the call.

        Raises `PassedOver` where the engine has become unfit meanwhile and the call is no `probe` of it.
        """
        if self.slots.limited:
            await self.slots.acquire()
            if not probe and self.unfit:  # it failed others while this call waited
                self.slots.release()
                raise PassedOver
        try:
            if self.spec.stagger_ms:
                await self._stagger()
            self.calls += 1
            meter.calls += 1
            meter.engine = self.spec.name
            return LimitedCall(ask(self.engine), self._limits, total, armed, meter, self.strays, self.slots)
        except BaseException:  # that of a cancellation too
            self.slots.release()
            raise

    async def _stagger(self) -> None:
        """Wait until the engine's next call may start."""
        start = max(now(), self._next_start)
        self._next_start = start + self.spec.stagger_ms / 1000
        await asyncio.sleep(start - now())


def being_cancelled() -> bool:
    """Return whether the current task was told to stop; a `CancelledError` that it meets otherwise is not its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
