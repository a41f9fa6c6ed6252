"""What can be configured: the engine under `engines: llm:`, the component under `parrot:`."""

from __future__ import annotations

from typing import Any, Final

import voluptuous as vol

SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional("times", default=1, description="How often it says it, 1 to 10"): vol.All(
        int, vol.Range(min=1, max=10)
    ),
    vol.Optional("pause_ms", default=0, description="Milliseconds it thinks before each word, 0 to 1000"): vol.All(
        int, vol.Range(min=0, max=1000)
    ),
}

COMPONENT_SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional("remember", default=20, description="How many sentences it remembers, 1 to 1000"): vol.All(
        int, vol.Range(min=1, max=1000)
    ),
}
