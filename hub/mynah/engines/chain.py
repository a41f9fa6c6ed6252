"""Engines at work: each opened and kept open, and chains of one kind that are tried in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from mynah.bus import EventBus
from mynah.config.schema import own_options
from mynah.errors import EngineError, EngineUnavailable, MynahError, StageTimeout
from mynah.events import EngineFailed, EngineReady
from mynah.specs import EngineKind, EngineSpec
from mynah.timeline import now

log = logging.getLogger(__name__)
T = TypeVar("T")

REOPEN_S: Final = (1.0, 5.0, 15.0, 60.0)
"""Pauses before an engine that did not open, or broke, is opened again: soon at first, then rarely."""

KIND_TITLES: Final[Mapping[EngineKind, str]] = {
    "stt": "speech-to-text",
    "tts": "text-to-speech",
    "llm": "language model",
    "translator": "translation",
    "vad": "voice activity detection",
}


@dataclass(slots=True)
class Meter:
    """What a call spent inside an engine: `total_ms` in all; the last wait from `began` to `ended` (monotonic s)."""

    engine: str = ""
    total_ms: float = 0.0
    began: float = 0.0
    ended: float = 0.0

    def add(self, began: float, ended: float) -> None:
        """Count one wait."""
        self.began, self.ended = began, ended
        self.total_ms += (ended - began) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long an engine may take: for its first output, for each further one, and in all, in seconds.

    `armed`, where given, says whether the clock runs yet: a recogniser owes nothing before the utterance has ended.
    """

    first: float
    following: float
    total: float
    armed: Callable[[], bool] | None = None


class OpenEngine:
    """One configured engine: opened in the background, kept open, opened again when that fails."""

    def __init__(self, spec: EngineSpec, config: Mapping[str, Any], folder: Path, bus: EventBus) -> None:
        self.spec = spec
        self.config = config
        self.state: Literal["opening", "ready", "failed"] = "opening"
        self.error = ""
        self.slots = asyncio.Semaphore(spec.max_parallel) if spec.max_parallel else nullcontext()
        self.settled = asyncio.Event()
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
        for attempt in range(1_000_000):
            began = now()
            try:
                async with self.spec.open(options, self._folder) as engine:
                    self._engine, self.state, self.error = engine, "ready", ""
                    self.settled.set()
                    self._bus.publish(EngineReady(engine=self.spec.name, kind=self.spec.kind, seconds=now() - began))
                    await asyncio.get_running_loop().create_future()  # held open until cancelled
            except asyncio.CancelledError:
                raise
            except Exception as error:
                # A supervisor's duty: whatever an engine raises must not stop the hub.
                known = isinstance(error, MynahError)
                self.state, self.error = "failed", str(error) if known else f"{type(error).__name__}: {error}"
                self.settled.set()
                log.warning("%s engine %s cannot be used: %s", self.spec.kind, self.spec.name, self.error,
                            exc_info=None if known else error)  # fmt: skip
                self._bus.publish(EngineFailed(engine=self.spec.name, kind=self.spec.kind, error=self.error))
            await asyncio.sleep(REOPEN_S[min(attempt, len(REOPEN_S) - 1)])

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

    async def first_ready(self, wait_s: float) -> Any:
        """Return the first engine that is open, waiting for the first to open for at most `wait_s`."""
        for candidate in await self._candidates(wait_s):
            return candidate.engine
        raise EngineUnavailable(self._none_message())

    async def stream(
        self, call: Callable[[Any], AsyncIterator[T]], *, total: float, armed: Callable[[], bool] | None = None,
        final: Callable[[T], bool] = lambda output: True, meter: Meter | None = None,
    ) -> AsyncIterator[T]:  # fmt: skip
        """Yield what `call(engine)` gives, from the first engine that gives anything.

        An engine that fails before an output that is `final`, one that cannot be taken back, is replaced by the next;
        later its failure ends the stream. Raises `EngineError` saying what each engine's trouble was.
        """
        meter = meter if meter is not None else Meter()
        troubles: list[str] = []
        for candidate in await self._candidates(5.0):
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
                    async with closing(_limited(call(candidate.engine), limits, meter)) as outputs:
                        async for output in outputs:
                            given = given or final(output)
                            yield output
                    return
            except Exception as error:  # noqa: BLE001  # the chain's duty: one engine's failure is the next one's turn
                troubles.append(f"{candidate.spec.name}: {self._note(candidate, error)}")
                if given:
                    break
        raise EngineError("; ".join(troubles) or self._none_message())

    async def _candidates(self, wait_s: float) -> list[OpenEngine]:
        """Return the engines that are open; where none is but one may yet be, wait for it."""
        pending = [engine for engine in self.engines if not engine.settled.is_set()]
        if pending and not any(engine.state == "ready" for engine in self.engines):
            waits = [asyncio.ensure_future(engine.settled.wait()) for engine in pending]
            try:
                await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        return [engine for engine in self.engines if engine.state == "ready"]

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


@asynccontextmanager
async def closing(outputs: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an engine's generator at the end; an iterator of another kind is left as it is."""
    try:
        yield outputs
    finally:
        close = getattr(outputs, "aclose", None)
        if close is not None:
            await close()


async def _limited(outputs: AsyncIterator[T], limits: Limits, meter: Meter) -> AsyncIterator[T]:
    """Yield `outputs`, each within its limit; time spent by the consumer is not the engine's."""
    async with closing(outputs):
        first = True
        while True:
            began = now()
            try:
                output = await _next(outputs, limits.first if first else limits.following, limits.armed)
            except StopAsyncIteration:
                meter.add(began, now())
                return
            meter.add(began, now())
            if limits.armed is None and meter.total_ms > limits.total * 1000:
                raise StageTimeout(f"took more than {limits.total:g} s in all")
            first = False
            yield output


async def _next(outputs: AsyncIterator[T], limit: float, armed: Callable[[], bool] | None) -> T:
    if armed is None:
        try:
            async with asyncio.timeout(limit):
                return await anext(outputs)
        except TimeoutError:
            raise StageTimeout(f"gave nothing for {limit:g} s") from None
    # The clock runs from the moment it is armed: look at it in slices, without disturbing the wait.
    wait = asyncio.ensure_future(anext(outputs))
    left = limit
    try:
        while True:
            done, _ = await asyncio.wait({wait}, timeout=_SLICE_S)
            if done:
                return wait.result()
            left -= _SLICE_S if armed() else 0.0
            if left <= 0:
                raise StageTimeout(f"gave nothing for {limit:g} s after the end of speech")
    finally:
        if not wait.done():
            wait.cancel()
            await asyncio.wait({wait})


_SLICE_S: Final = 0.5
"""How exactly a limit that is armed later is kept."""
