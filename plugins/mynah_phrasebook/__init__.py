"""A phrasebook of clinic and travel in English, Spanish, Chinese, German and French, and the interpreter who uses it.

It is the embedded translator: it needs no network, is always right about what it knows, and says plainly what it does
not. `phrases/` has what it knows; `normal`, `numbers` and `times` tell how forgiving it is of how that is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, PersonaSpec, hookimpl
from mynah_phrasebook.engine import open_phrasebook
from mynah_phrasebook.persona import INTERPRETER


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `phrasebook`."""
    yield EngineSpec(
        name="phrasebook",
        kind="translator",
        open=open_phrasebook,
        embedded=True,
        cached=False,
        description="Phrases of clinic and travel in English, Spanish, Chinese, German and French, without a network.",
    )


@hookimpl
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare the interpreter."""
    yield INTERPRETER
