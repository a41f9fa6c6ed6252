"""Translation models on this computer, by CTranslate2: NLLB (200 languages) and Opus-MT (one pair each).

Needs the extra `ctranslate2` (pip install 'mynah[ctranslate2]') and a folder with a model in CTranslate2's format.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_ctranslate2.config import SCHEMA
from mynah_ctranslate2.engine import open_ctranslate2


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `ctranslate2`."""
    yield EngineSpec(
        name="ctranslate2",
        kind="translator",
        open=open_ctranslate2,
        schema=SCHEMA,
        description="NLLB and Opus-MT models by CTranslate2, offline; a folder with a model is needed.",
    )
