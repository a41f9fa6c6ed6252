"""Voice activity detection: Silero's model where it is installed, else WebRTC's detector. An embedded engine."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_vad.config import SCHEMA
from mynah_vad.engine import open_vad


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `vad`."""
    yield EngineSpec(
        name="vad",
        kind="vad",
        open=open_vad,
        schema=SCHEMA,
        embedded=True,
        description="Silero (where faster-whisper is installed) or WebRTC: tells speech from other sound",
    )
