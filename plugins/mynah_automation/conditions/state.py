"""An entity is, or has been for a while, in a state."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, ConditionSpec, Run
from mynah_automation.shapes import ENTITIES, VALUES, many, matches, value_of

SCHEMA: Final = {
    vol.Required("entity_id", description="The entity, or a list."): ENTITIES,
    vol.Required("state", description="What it must be; or a list."): VALUES,
    vol.Optional("attribute", description="An attribute in place of the state."): str,
    vol.Optional("for", description="For how long it must have been so."): DURATION,
    vol.Optional("match", default="all", description="all entities, or any."): vol.In(["all", "any"]),
}


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether all, or any, of the entities are so."""
    found = (_is_so(run, entity_id, config) for entity_id in many(config["entity_id"]))
    return all(found) if config["match"] == "all" else any(found)


def _is_so(run: Run, entity_id: str, config: Mapping[str, Any]) -> bool:
    state = run.house.state(entity_id)
    if state is None:
        run.note(missing=entity_id)
        return False
    wanted = config["state"]
    entities = {each: run.house.state(each) for each in many(wanted) if isinstance(each, str) and "." in each}
    wanted = [entities[each].state if entities.get(each) else each for each in many(wanted)]  # type: ignore[union-attr]  # asked
    value = value_of(state, config.get("attribute"))
    run.note(state=value)
    return matches(value, wanted) and ("for" not in config or time.time() - state.last_changed >= config["for"])


SPEC: Final = ConditionSpec(name="state", holds=holds, schema=SCHEMA, description="An entity is in a state.")
