"""An entity's state or attribute changes, or has been something for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, State, Stop, TriggerSpec
from mynah_automation.shapes import ENTITIES, VALUES, Holding, many, matches, span, value_of

SCHEMA: Final = {
    vol.Required("entity_id", description="The entity, or a list."): ENTITIES,
    vol.Optional("from", description="What it was; or a list."): VALUES,
    vol.Optional("to", description="What it is now; or a list. Null: any change of the state alone."): VALUES,
    vol.Exclusive("not_from", "from", description="What it was not."): VALUES,
    vol.Exclusive("not_to", "to", description="What it is not."): VALUES,
    vol.Optional("attribute", description="An attribute in place of the state."): str,
    vol.Optional("for", description="How long it must stay so."): span,
}


def fits(config: Mapping[str, Any], old: Any, new: Any) -> bool:
    """Return whether a change from `old` to `new` is one that is waited for."""
    wanted = ((old, "from", "not_from"), (new, "to", "not_to"))
    for value, yes, no in wanted:
        if config.get(yes) is not None and not matches(value, config[yes]):
            return False
        if config.get(no) is not None and matches(value, config[no]):
            return False
    return True


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire for each such change."""
    attribute = config.get("attribute")
    anything = not config.keys() & {"from", "to", "not_from", "not_to", "attribute"}
    only_away = "from" in config and "to" not in config
    left: dict[str, Any] = {}
    holding = Holding(house, config.get("for"), fire)

    def changed(old: State | None, new: State | None) -> None:
        entity_id = (new or old).entity_id  # type: ignore[union-attr]  # one of them is there
        before, after = value_of(old, attribute), value_of(new, attribute)
        if before == after and not (anything and "for" not in config):
            return  # something else of it changed
        begins = fits(config, before, after)
        if not begins and only_away and entity_id in holding and new is not None and after != left[entity_id]:
            return  # with `from` alone what counts is that it has not come back
        holding.ended(entity_id)
        if not begins:
            return
        left[entity_id] = before
        told = {"entity_id": entity_id, "from_state": old, "to_state": new, "attribute": attribute,
                "description": f"state of {entity_id}"}  # fmt: skip
        holding.began(entity_id, told)

    stop = house.on_state(many(config["entity_id"]), changed)

    def end() -> None:
        stop()
        holding.close()

    return end


SPEC: Final = TriggerSpec(
    name="state", attach=attach, schema=SCHEMA, description="A state changes, or stays so for a while."
)
