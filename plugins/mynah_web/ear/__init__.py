"""An ear in a browser: what a page of the hub gives to the loudspeaker, to the sample; for tests and the bench."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy
import numpy.typing

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Heard:
    """Samples from -1 to 1 at `rate`, without a gap; silence is in it as zeros. `first` counts the context's frames."""

    rate: int
    first: int
    samples: numpy.typing.NDArray[numpy.float32]

    @property
    def sound(self) -> numpy.typing.NDArray[numpy.float32]:
        """What lies between the first sample that is not silent and the last."""
        loud = numpy.flatnonzero(self.samples)
        return self.samples[loud[0] : loud[-1] + 1] if len(loud) else self.samples[:0]


async def give_ear(page: Any) -> None:
    """Have a Playwright page hear itself: before it makes its audio graph. Its context must be one of `bypass_csp`."""
    await page.evaluate(_text("ear.js"), _text("ear-worklet.js"))


async def heard(page: Any) -> Heard:
    """Return what was heard since the last call."""
    told = await page.evaluate("ear.take()")
    samples = numpy.frombuffer(base64.b64decode(told["samples"]), "<f4")
    return Heard(int(told["rate"]), int(told["first"]), samples)


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
