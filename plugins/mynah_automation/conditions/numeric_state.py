"""A number is between bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mynah import ConditionSpec, Run
from mynah_automation.shapes import many
from mynah_automation.triggers.numeric_state import BOUNDS, within


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether the values of all entities are between the bounds."""
    return all(within(run.house, config, run.house.state(each), run.variables) for each in many(config["entity_id"]))


SPEC: Final = ConditionSpec(
    name="numeric_state", holds=holds, schema=BOUNDS, description="A number is above or below a bound."
)
