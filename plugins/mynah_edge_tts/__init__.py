"""Microsoft Edge's voices: text to speech as streamed MP3, by the `edge-tts` client (LGPL-3, unofficial).

What is said goes to Microsoft's servers. No account and no key; no promise either that the service stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_edge_tts.config import SCHEMA
from mynah_edge_tts.engine import open_edge_tts


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `edge_tts`."""
    yield EngineSpec(
        name="edge_tts",
        kind="tts",
        open=open_edge_tts,
        schema=SCHEMA,
        max_parallel=8,
        description="Microsoft Edge's voices: natural, 74 languages, free, online (text leaves the house)",
    )
