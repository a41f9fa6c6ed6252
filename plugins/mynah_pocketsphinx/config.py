"""What can be configured under `engines: stt: [{engine: pocketsphinx}]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol

_share = vol.All(vol.Coerce(float), vol.Range(min=0, max=1))

SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional(
        "workers", default=2, description="Processes, 1 to 8: how many people it can listen to at the same time"
    ): vol.All(int, vol.Range(min=1, max=8)),
    vol.Optional(
        "confidence",
        default=0.5,
        description="How sure it must be, 0 to 1; below, it says that it did not understand",
    ): _share,
    vol.Optional(
        "background",
        default=0.5,
        description="How much of what it hears will be other talk than the persona's questions, 0 to 1",
    ): _share,
    vol.Optional("cache", default=True, description="Keep the models it builds for personas in the data folder"): bool,
}


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration, checked."""

    workers: int = 2
    confidence: float = 0.5
    background: float = 0.5
    cache: bool = True

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Options:
        """Return the options in `config`, defaults filled in; other keys, such as `engine`, are not looked at."""
        return cls(**{key: config[key] for key in ("workers", "confidence", "background", "cache") if key in config})
