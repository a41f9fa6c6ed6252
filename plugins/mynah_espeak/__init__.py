"""Speech by espeak-ng: 100 languages, no download, audio within a millisecond. An embedded engine.

espeak-ng and its voices are licensed under the GPL, version 3 or later. They come from the `espeakng-loader` wheel and
are loaded at run time; who hands out a bundle that contains them has the GPL's duties for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_espeak.config import SCHEMA
from mynah_espeak.engine import open_espeak


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `espeak`."""
    yield EngineSpec(
        name="espeak",
        kind="tts",
        open=open_espeak,
        schema=SCHEMA,
        embedded=True,
        cached=False,  # it is faster than a disk
        description="espeak-ng (GPL-3): robotic, instant, offline, about 100 languages",
    )
