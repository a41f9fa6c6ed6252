"""Whether a hub is well: what of it is not as it should be, in a word each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from mynah.components import Components
from mynah.engines.chain import Chain
from mynah.specs import EngineKind
from mynah.storage import Storage

NEEDED: Final[tuple[EngineKind, ...]] = ("stt", "llm", "tts")
"""The kinds without which there is no conversation."""

Status = Literal["starting", "healthy", "degraded", "stopping"]


def troubles(components: Components, chains: Mapping[EngineKind, Chain], storage: Storage) -> list[str]:
    """Return what is not as it should be: "mqtt failed", "tts loading", "storage failing"."""
    found = [f"{part.spec.name} {part.state}" for part in components if part.state != "ready"]
    for kind in NEEDED:
        states = {engine.describe()["state"] for engine in chains[kind].engines}
        if "ready" not in states:
            found.append(f"{kind} {_worst(states)}")
    if storage.trouble:
        found.append("storage failing")
    return found


def _worst(states: Iterable[str]) -> str:
    return "loading" if "opening" in states else "resting" if "resting" in states else "unavailable"


def status(*, ready: bool, stopping: bool, troubled: bool) -> Status:
    """Return how a hub is, in a word."""
    if ready:
        return "degraded" if troubled else "healthy"
    return "stopping" if stopping else "starting"
