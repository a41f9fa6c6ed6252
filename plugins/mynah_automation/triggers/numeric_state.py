"""A number comes above or below a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import TEMPLATE, Fire, House, MynahError, State, Stop, TriggerSpec
from mynah_automation.shapes import BOUND, ENTITIES, Holding, many, span, value_of

BOUNDS: Final = {
    vol.Required("entity_id", description="The entity, or a list."): ENTITIES,
    vol.Optional("above", description="A number or an entity; the value must be more."): BOUND,
    vol.Optional("below", description="A number or an entity; the value must be less."): BOUND,
    vol.Optional("attribute", description="An attribute in place of the state."): str,
    vol.Optional("value_template", description="A template on `state` in place of the state."): TEMPLATE,
}
SCHEMA: Final = {**BOUNDS, vol.Optional("for", description="How long it must stay so."): span}


def number(value: Any) -> float | None:
    """Return `value` as a number, or None where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def within(house: House, config: Mapping[str, Any], state: State | None, variables: Mapping[str, Any]) -> bool:
    """Return whether an entity's value is between the bounds. Raises `MynahError` for a template that fails."""
    if "value_template" in config:
        value = number(house.render(config["value_template"], {**variables, "state": state}))
    else:
        value = number(value_of(state, config.get("attribute")))
    if value is None:
        return False
    above, below = (_bound(house, config.get(name)) for name in ("above", "below"))
    return (above is None or value > above) and (below is None or value < below)


def _bound(house: House, bound: Any) -> float | None:
    if isinstance(bound, str):
        return number(value_of(house.state(bound), None))
    return None if bound is None else float(bound)


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire each time that a value comes between the bounds, from outside of them."""
    entities = many(config["entity_id"])
    holding = Holding(house, config.get("for"), fire)

    about = {"platform": "numeric_state", **{name: config.get(name) for name in ("above", "below", "attribute")}}

    def is_within(entity_id: str, state: State | None) -> bool:
        try:
            return within(house, config, state, {"trigger": {**about, "entity_id": entity_id}})
        except MynahError:
            return False

    inside = {entity_id for entity_id in entities if is_within(entity_id, house.state(entity_id))}

    def changed(old: State | None, new: State | None) -> None:
        entity_id = (new or old).entity_id  # type: ignore[union-attr]  # one of them is there
        if not is_within(entity_id, new):
            inside.discard(entity_id)
            holding.ended(entity_id)
            return
        if entity_id in inside:
            return
        inside.add(entity_id)
        told = {
            "entity_id": entity_id,
            "from_state": old,
            "to_state": new,
            "above": config.get("above"),
            "below": config.get("below"),
            "description": f"number of {entity_id}",
        }
        holding.began(entity_id, told)

    stop = house.on_state(entities, changed)

    def end() -> None:
        stop()
        holding.close()

    return end


SPEC: Final = TriggerSpec(
    name="numeric_state", attach=attach, schema=SCHEMA, description="A number comes above or below a bound."
)
