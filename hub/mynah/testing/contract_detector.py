"""What a voice activity detector must do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mynah.audio import LISTENING
from mynah.testing.contract_run import Check, ContractBroken

LONGEST_MS: Final = 100.0
"""The longest frame: a longer one would make the hub late at noticing speech."""

QUIET_MS: Final = 500.0
SAME: Final = 1e-4
"""How much two probabilities of the same sound may differ."""


@dataclass(frozen=True, slots=True)
class DetectorChecks:
    """Tries a detector on `sound`, PCM in `LISTENING`, and on silence."""

    sound: bytes

    def checks(self) -> list[tuple[str, Check]]:
        """Return every check, by the name of its behaviour."""
        return [
            ("probabilities", self._probabilities),
            ("frames", self._frames),
            ("silence", self._silence),
            ("two at once", self._two_at_once),
            ("reset", self._reset),
            ("keeping up", self._keeping_up),
        ]

    async def _probabilities(self, engine: Any) -> None:
        for probability in fed(engine.detector(), self.sound):
            # Comparing is what the hub does with it: numpy's numbers are as good as Python's.
            if not 0 <= probability <= 1:
                raise ContractBroken(f"gave a probability of {probability!r}; it goes from 0 to 1")

    async def _frames(self, engine: Any) -> None:
        size = engine.detector().frame_bytes
        if not isinstance(size, int) or size <= 0 or size % LISTENING.frame_bytes:
            raise ContractBroken(f"frame_bytes is {size!r}, which is no whole number of samples")
        if LISTENING.pcm_ms(size) > LONGEST_MS:
            raise ContractBroken(f"a frame lasts {LISTENING.pcm_ms(size):g} ms; at most {LONGEST_MS:g} are in time")

    async def _silence(self, engine: Any) -> None:
        likely = max(fed(engine.detector(), bytes(LISTENING.pcm_bytes(QUIET_MS))))
        if likely >= 0.5:
            raise ContractBroken(f"takes silence for speech, with a probability of {likely:.2f}")

    async def _two_at_once(self, engine: Any) -> None:
        alone = fed(engine.detector(), self.sound)
        first, second = engine.detector(), engine.detector()
        mixed = []
        for frame in frames(self.sound, first.frame_bytes):
            mixed.append(first.feed(frame))
            second.feed(bytes(len(frame)))
        if differ(alone, mixed):
            raise ContractBroken("what one microphone hears changes what another one's detector says")

    async def _reset(self, engine: Any) -> None:
        detector = engine.detector()
        before = fed(detector, self.sound)
        detector.reset()
        if differ(before, fed(detector, self.sound)):
            raise ContractBroken("after reset() the same sound gives other probabilities")

    async def _keeping_up(self, engine: Any) -> None:
        began = time.perf_counter()
        fed(engine.detector(), self.sound)
        took_ms, lasts_ms = (time.perf_counter() - began) * 1000, LISTENING.pcm_ms(len(self.sound))
        if took_ms > lasts_ms / 2:
            raise ContractBroken(f"took {took_ms:.0f} ms, on the event loop, over {lasts_ms:.0f} ms of sound")


def frames(pcm: bytes, size: int) -> list[bytes]:
    """Return `pcm` cut into whole frames of `size` bytes; what is left over is left out."""
    return [pcm[start : start + size] for start in range(0, len(pcm) - size + 1, size)]


def fed(detector: Any, pcm: bytes) -> list[float]:
    """Return what a detector says of each frame of `pcm`."""
    return [detector.feed(frame) for frame in frames(pcm, detector.frame_bytes)]


def differ(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two rows of probabilities are of different sounds."""
    return any(abs(one - other) > SAME for one, other in zip(first, second, strict=True))
