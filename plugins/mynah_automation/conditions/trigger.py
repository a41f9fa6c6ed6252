"""A certain trigger is the reason of this run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ConditionSpec, Run
from mynah_automation.shapes import many

ID: Final = vol.Any(str, vol.Coerce(str))
SCHEMA: Final = {vol.Required("id", description="The trigger's id; or a list."): vol.Any([ID], ID)}


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether it is."""
    return str((run.variables.get("trigger") or {}).get("id")) in map(str, many(config["id"]))


SPEC: Final = ConditionSpec(name="trigger", holds=holds, schema=SCHEMA, description="A certain trigger fired.")
