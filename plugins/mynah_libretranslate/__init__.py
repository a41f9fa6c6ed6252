"""LibreTranslate, a translation server that can be run at home, by its HTTP API."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_libretranslate.config import SCHEMA
from mynah_libretranslate.engine import open_libretranslate


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `libretranslate`."""
    yield EngineSpec(
        name="libretranslate",
        kind="translator",
        open=open_libretranslate,
        schema=SCHEMA,
        description="LibreTranslate: a translation server, at home or elsewhere; about 50 languages.",
    )
