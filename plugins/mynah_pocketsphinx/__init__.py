"""Speech recognition by PocketSphinx, for personas whose questions are known: offline, no download, any computer.

An embedded engine. It knows English.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_pocketsphinx.config import SCHEMA
from mynah_pocketsphinx.engine import open_pocketsphinx


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `pocketsphinx`."""
    yield EngineSpec(
        name="pocketsphinx",
        kind="stt",
        open=open_pocketsphinx,
        schema=SCHEMA,
        embedded=True,
        description="PocketSphinx: understands the questions of a persona's knowledge, in English, offline",
    )
