"""Chains: the engines of one kind, tried in order, each within its limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from mynah.bus import EventBus
from mynah.engines.choice import Choice
from mynah.engines.limits import LimitedCall, Limits, Meter, closing
from mynah.engines.open_engine import OpenEngine, being_cancelled
from mynah.errors import EngineError, InputRefused, cause
from mynah.specs import EngineKind

__all__ = ["Chain", "Limits", "Meter", "OpenEngine", "being_cancelled", "closing"]

T = TypeVar("T")

KIND_TITLES: Final[Mapping[EngineKind, str]] = {
    "stt": "speech-to-text",
    "tts": "text-to-speech",
    "llm": "language model",
    "translator": "translation",
    "vad": "voice activity detection",
}


class PassedOver(Exception):
    """An engine that was chosen has become unfit before it was called."""


@dataclass(slots=True)
class Chain:
    """The engines of one kind, tried in order."""

    kind: EngineKind
    engines: Sequence[OpenEngine]
    bus: EventBus

    def is_first(self, engine: object) -> bool:
        """Whether `engine` is that of the first entry, whose own names for things, such as voices, are in use."""
        first = self.engines[0] if self.engines else None
        return first is not None and first.state == "ready" and first.engine is engine

    def has_another(self, tried: Sequence[OpenEngine]) -> bool:
        """Whether an engine is open that was not `tried`."""
        return any(engine.state == "ready" and engine not in tried for engine in self.engines)

    async def stream(
        self, call: Callable[[Any], AsyncIterator[T]], *, total: float, armed: Callable[[], bool] | None = None,
        final: Callable[[T], bool] = lambda output: True, meter: Meter | None = None,
        tried: list[OpenEngine] | None = None, avoid: set[OpenEngine] | None = None,
    ) -> AsyncIterator[T]:  # fmt: skip
        """Yield what `call(engine)` gives, from the first engine that gives anything.

        An engine that fails before an output that is `final`, one that cannot be taken back, is replaced by the next;
        later its failure ends the stream. Raises `EngineError` saying what each engine's trouble was,
        `InputRefused` where one of them works, but not for this input. Those in `tried`
        are not called; those in `avoid` only where no other is ready. Both grow.
        """
        meter = meter if meter is not None else Meter()
        choice = Choice(self.engines, [] if tried is None else tried, set() if avoid is None else avoid, meter.troubles)
        while (candidate := await choice.next()) is not None:
            given, probe = False, candidate.begin()
            outcome: Callable[[bool], object] = candidate.breaker.abandoned
            try:
                limits = Limits.of(candidate.config, total, armed)
                async with closing(self._outputs(candidate, call, limits, meter, probe)) as outputs:
                    async for output in outputs:
                        given = given or final(output)
                        outcome = candidate.worked if given else outcome
                        yield output
            except PassedOver:
                choice.put_back(candidate)
            except Exception as error:  # noqa: BLE001  # the chain's duty: one engine's failure is the next one's turn
                outcome = partial(choice.note, candidate, cause(error))
                if given:
                    break
            else:
                outcome = candidate.worked
                return
            finally:
                outcome(probe)
        if choice.refused:
            raise InputRefused("; ".join(meter.troubles))
        raise EngineError("; ".join(meter.troubles) if choice.called else self._none_message())

    async def _outputs(
        self, candidate: OpenEngine, call: Callable[[Any], AsyncIterator[T]], limits: Limits, meter: Meter, probe: bool
    ) -> AsyncIterator[T]:
        """Yield what one engine gives, once it has a slot for it."""
        await candidate.slots.acquire()
        limited: LimitedCall[T] | None = None
        try:
            if not probe and candidate.unfit:
                raise PassedOver  # it failed others while this call waited
            await candidate.stagger()
            candidate.calls += 1
            meter.engine = candidate.spec.name
            limited = LimitedCall(call(candidate.engine), limits, meter, candidate.strays)
            nothing = True
            async with closing(limited.items()) as outputs:
                async for output in outputs:
                    nothing = False
                    yield output
            if nothing:
                raise EngineError("ended without an answer")
        finally:
            candidate.slots.release(() if limited is None else limited.leaving)

    def _none_message(self) -> str:
        title = KIND_TITLES[self.kind]
        if not self.engines:
            return f"no {title} engine is configured; add one under 'engines: {self.kind}:'"
        reasons = "; ".join(f"{engine.spec.name}: {engine.unfit or engine.last_error}" for engine in self.engines)
        return f"no {title} engine can be used ({reasons})"
