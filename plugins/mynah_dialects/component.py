"""The dialects as the hub starts them: their configuration is checked, and who may use them is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mynah import ComponentSpec, Hub, PersonaSpec, Problem
from mynah_dialects.config import PERSONAS, SCHEMA, SECRET_CHARS

log = logging.getLogger(__name__)


async def run(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Tell which dialects a network may use; there is nothing more to do, as the web server serves them."""
    for name, section in config.items():
        log.info("%s: %s", name, who_may(section))
    ready()
    await asyncio.Event().wait()


def who_may(section: Mapping[str, Any]) -> str:
    """Return who may use a dialect, in words that hold no secret."""
    if not section["enabled"]:
        return "off"
    open_to = [f"{', '.join(section['networks'])}"] if section["networks"] else []
    if len(section["prefix"]) >= SECRET_CHARS:
        open_to.append("whoever knows its prefix")
    return "for this machine" + (f", {' and '.join(open_to)}" if open_to else " alone")


def check(values: Mapping[str, Any], specs: Sequence[Any], folder: Path) -> Iterable[Problem]:
    """Yield a problem for each persona that a dialect is to speak as and nobody knows."""
    configured = values.get("personas")
    known = {spec.name for spec in specs if isinstance(spec, PersonaSpec)} | set(
        configured if isinstance(configured, Mapping) else ()
    )
    sections = values.get("dialects")
    for name in PERSONAS:
        section = sections.get(name) if isinstance(sections, Mapping) else None
        persona = section.get("persona") if isinstance(section, Mapping) else None
        if isinstance(persona, str) and persona not in known:
            yield Problem(
                f"no persona named '{persona}'; known are {', '.join(sorted(known)) or 'none'}",
                where=("dialects", name, "persona"),
            )


COMPONENT = ComponentSpec(
    name="dialects",
    run=run,
    schema=SCHEMA,
    check=check,
    after=("http",),
    description="Five older systems' clients, which work unchanged: who may use them and as whom the hub speaks.",
)
