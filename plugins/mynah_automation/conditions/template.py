"""A template is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import TEMPLATE, ConditionSpec, Run
from mynah_automation.templates import truth

SCHEMA: Final = {vol.Required("value_template", description="The template."): TEMPLATE}


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether it is."""
    result = run.house.render(config["value_template"], run.variables)
    run.note(result=result)
    return truth(result)


SPEC: Final = ConditionSpec(name="template", holds=holds, schema=SCHEMA, description="A template is true.")
