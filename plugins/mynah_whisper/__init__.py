"""Whisper by faster-whisper: speech to text while it is spoken, in about 100 languages, offline.

Needs the extra `whisper` (pip install 'mynah[whisper]') and a model, which is fetched once.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_whisper.config import SCHEMA
from mynah_whisper.engine import open_whisper


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `whisper`."""
    yield EngineSpec(
        name="whisper",
        kind="stt",
        open=open_whisper,
        schema=SCHEMA,
        description="Whisper (faster-whisper): understands free speech, about 100 languages, offline once fetched",
    )
