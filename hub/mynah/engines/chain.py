"""Chains: the engines of one kind, tried in order, each within its limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from mynah.bus import EventBus
from mynah.engines.choice import Choice
from mynah.engines.limits import Limits, Meter, close, closing
from mynah.engines.open_engine import OpenEngine, PassedOver, being_cancelled
from mynah.errors import EngineError, InputRefused, cause
from mynah.specs import EngineKind

__all__ = ["Chain", "Limits", "Meter", "OpenEngine", "being_cancelled", "close", "closing"]

T = TypeVar("T")

KIND_TITLES: Final[Mapping[EngineKind, str]] = {
    "stt": "speech-to-text",
    "tts": "text-to-speech",
    "llm": "language model",
    "translator": "translation",
    "vad": "voice activity detection",
}


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
            given, probe = False, candidate.breaker.begin()
            outcome: Callable[[bool], object] = candidate.breaker.abandoned
            try:
                called = await candidate.call(call, total, armed, meter, probe=probe)
                try:
                    async for output in called:
                        given = given or final(output)
                        outcome = candidate.worked if given else outcome
                        yield output
                finally:
                    await called.aclose()
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

    def _none_message(self) -> str:
        title = KIND_TITLES[self.kind]
        if not self.engines:
            return f"no {title} engine is configured; add one under 'engines: {self.kind}:'"
        reasons = "; ".join(f"{engine.spec.name}: {engine.unfit or engine.last_error}" for engine in self.engines)
        return f"no {title} engine can be used ({reasons})"
