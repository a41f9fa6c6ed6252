"""Engines at work: each opened and kept open, and chains of one kind that are tried in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from mynah.bus import EventBus
from mynah.config.schema import own_options
from mynah.engines.limits import LimitedCall, Limits, Meter, closing
from mynah.errors import EngineError, EngineUnavailable, MynahError, cause
from mynah.events import EngineFailed, EngineReady
from mynah.specs import EngineKind, EngineSpec
from mynah.timeline import now

__all__ = ["Chain", "Limits", "Meter", "OpenEngine", "being_cancelled", "closing"]

log = logging.getLogger(__name__)
T = TypeVar("T")

REOPEN_S: Final = (1.0, 5.0, 15.0, 60.0)
"""Pauses before an engine that did not open, or broke, is opened again: soon at first, then rarely."""

OPEN_WITHIN_S: Final = 5.0
"""How long a call waits for an engine that is still opening, where no other is ready."""

KIND_TITLES: Final[Mapping[EngineKind, str]] = {
    "stt": "speech-to-text",
    "tts": "text-to-speech",
    "llm": "language model",
    "translator": "translation",
    "vad": "voice activity detection",
}


class OpenEngine:
    """One configured engine: opened in the background, kept open, opened again when that fails."""

    def __init__(self, spec: EngineSpec, config: Mapping[str, Any], folder: Path, bus: EventBus) -> None:
        self.spec = spec
        self.config = config
        self.state: Literal["opening", "ready", "failed"] = "opening"
        self.error = ""
        self.openings = 0
        self.slots = asyncio.Semaphore(spec.max_parallel) if spec.max_parallel else nullcontext()
        self.settled = asyncio.Event()
        self.strays: set[asyncio.Task[Any]] = set()
        self._engine: Any = None
        self._folder = folder
        self._bus = bus
        self._next_start = 0.0

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

    async def stagger(self) -> None:
        """Wait until the engine's next call may start."""
        if self.spec.stagger_ms:
            start = max(now(), self._next_start)
            self._next_start = start + self.spec.stagger_ms / 1000
            await asyncio.sleep(start - now())


@dataclass(slots=True)
class Chain:
    """The engines of one kind, tried in order."""

    kind: EngineKind
    engines: Sequence[OpenEngine]
    bus: EventBus
    failures: dict[str, int] = field(default_factory=dict)

    async def stream(
        self, call: Callable[[Any], AsyncIterator[T]], *, total: float, armed: Callable[[], bool] | None = None,
        final: Callable[[T], bool] = lambda output: True, meter: Meter | None = None,
    ) -> AsyncIterator[T]:  # fmt: skip
        """Yield what `call(engine)` gives, from the first engine that gives anything.

        An engine that fails before an output that is `final`, one that cannot be taken back, is replaced by the next;
        later its failure ends the stream. Raises `EngineError` saying what each engine's trouble was.
        """
        meter = meter if meter is not None else Meter()
        troubles = meter.troubles
        tried: list[OpenEngine] = []
        deadline = now() + OPEN_WITHIN_S
        while (candidate := await self._next(tried, deadline)) is not None:
            tried.append(candidate)
            limits = Limits(
                first=candidate.config["first_timeout"],
                following=candidate.config["next_timeout"],
                total=total,
                armed=armed,
            )
            given = False
            try:
                async with candidate.slots:
                    await candidate.stagger()
                    meter.engine = candidate.spec.name
                    limited = LimitedCall(call(candidate.engine), limits, meter, candidate.strays)
                    async with closing(limited.items()) as outputs:
                        async for output in outputs:
                            given = given or final(output)
                            yield output
                    return
            except Exception as error:  # noqa: BLE001  # the chain's duty: one engine's failure is the next one's turn
                troubles.append(f"{candidate.spec.name}: {self._note(candidate, cause(error))}")
                if given:
                    break
        raise EngineError("; ".join(troubles) or self._none_message())

    async def _next(self, tried: Sequence[OpenEngine], deadline: float) -> OpenEngine | None:
        """Return the first open engine that was not tried; where none is but one may yet be, wait for it."""
        while True:
            left = [engine for engine in self.engines if engine not in tried]
            for engine in left:
                if engine.state == "ready":
                    return engine
            opening = [engine for engine in left if not engine.settled.is_set()]
            if not opening or now() >= deadline:
                return None
            waits = [asyncio.ensure_future(engine.settled.wait()) for engine in opening]
            try:
                await asyncio.wait(waits, timeout=deadline - now(), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    def _note(self, candidate: OpenEngine, error: Exception) -> str:
        name = candidate.spec.name
        self.failures[name] = self.failures.get(name, 0) + 1
        known = isinstance(error, MynahError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        log.warning("%s engine %s failed: %s", self.kind, name, message, exc_info=None if known else error)
        self.bus.publish(EngineFailed(engine=name, kind=self.kind, error=message))
        return message

    def _none_message(self) -> str:
        title = KIND_TITLES[self.kind]
        if not self.engines:
            return f"no {title} engine is configured; add one under 'engines: {self.kind}:'"
        reasons = "; ".join(f"{engine.spec.name}: {engine.error or 'still loading'}" for engine in self.engines)
        return f"no {title} engine can be used ({reasons})"


def being_cancelled() -> bool:
    """Return whether the current task was told to stop; a `CancelledError` that it meets otherwise is not its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
