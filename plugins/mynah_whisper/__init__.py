"""Whisper by faster-whisper: speech to text while it is spoken, in about 100 languages, offline.

Needs the extra `whisper` (pip install 'mynah[whisper]') and a model, which is fetched once.

The way through the package: `engine` opens it (`models` and `fetching` find the model, `loading` loads it) and follows
each `utterance`, in which `voice` hears where somebody speaks. Its `course` decides, by `pace` when to decode, by
`settling` what and which words are sure, by `gates` what to believe. `slots` give out the workers, on which the
`recognizer` decodes with the words of `vocabulary` before it.
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
