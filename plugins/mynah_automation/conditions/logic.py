"""All of some conditions, one of them, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import CONDITIONS, ConditionSpec, Run
from mynah_automation.elements import Conditions

SCHEMA: Final = {vol.Required("conditions", description="Conditions."): CONDITIONS}


def _each(config: Mapping[str, Any]) -> list[Conditions]:
    return [Conditions((each,)) for each in config["conditions"].items]


def every(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether all hold."""
    return run.holds(config["conditions"])


def some(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether one holds."""
    return any(run.holds(each) for each in _each(config))


def none(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether none holds."""
    return not some(run, config)


SPECS: Final = (
    ConditionSpec(name="and", holds=every, schema=SCHEMA, description="All of them hold."),
    ConditionSpec(name="or", holds=some, schema=SCHEMA, description="One of them holds."),
    ConditionSpec(name="not", holds=none, schema=SCHEMA, description="None of them holds."),
)
