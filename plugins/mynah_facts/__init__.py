"""Answers from a persona's knowledge alone: the embedded language model, for which nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_facts.config import SCHEMA
from mynah_facts.engine import open_facts


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the answerer."""
    yield EngineSpec(
        name="facts",
        kind="llm",
        open=open_facts,
        schema=SCHEMA,
        embedded=True,
        description="Answers questions from the persona's knowledge, and says so when it does not know.",
    )
