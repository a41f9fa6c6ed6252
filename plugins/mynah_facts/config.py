"""What can be configured of the answerer: nothing but where its limit between knowing and guessing lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

SCHEMA: Mapping[Any, Any] = {
    vol.Optional(
        "caution",
        default=1.0,
        description="How sure it must be before it answers: above 1 it admits more often that it does not know.",
    ): vol.All(vol.Coerce(float), vol.Range(min=0.25, max=4.0)),
}
