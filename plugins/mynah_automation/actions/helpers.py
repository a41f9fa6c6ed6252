"""What changes helpers: switches, numbers, texts, counters, timers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, ActionSpec, InputError, Run
from mynah_automation.helpers import Helpers, bounded
from mynah_automation.shapes import ENTITIES, many

TARGET: Final = {vol.Required("entity_id", description="The entity, or a list."): ENTITIES}
Change = Callable[[Helpers, str, Mapping[str, Any], Run], None]


def spec(name: str, change: Change, description: str, more: Mapping[Any, Any] | None = None) -> ActionSpec:
    """Return the spec of an action that does something to each of the entities that it names."""
    domain = name.partition(".")[0]

    async def run(run: Run, data: Mapping[str, Any]) -> None:
        helpers: Helpers = run.house.hub.parts["automation"].helpers
        for entity_id in many(data["entity_id"]):
            if not entity_id.startswith(f"{domain}."):
                raise InputError(f"{name} is for entities such as {domain}.name, not for {entity_id}")
            change(helpers, entity_id, data, run)

    doing: Callable[[Run, Mapping[str, Any]], Awaitable[Any]] = run
    return ActionSpec(name=name, run=doing, schema={**TARGET, **(more or {})}, short="entity_id",
                      description=description)  # fmt: skip


def switch(wanted: str | None) -> Change:
    """Return what switches to `wanted`, or None: to the other state."""

    def change(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
        now = helpers.state(entity_id).state
        run.house.set_state(entity_id, wanted or ("off" if now == "on" else "on"))

    return change


def set_number(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
    """Set a number. Raises `InputError` outside its bounds."""
    config, value = helpers.config(entity_id), float(data["value"])
    if not config["min"] <= value <= config["max"]:
        raise InputError(f"{entity_id} is from {config['min']:g} to {config['max']:g}, not {value:g}")
    run.house.set_state(entity_id, str(value))


def step_number(sign: int) -> Change:
    """Return what makes a number a step larger or smaller, as far as it goes."""

    def change(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
        config = helpers.config(entity_id)
        value = float(helpers.state(entity_id).state) + sign * config["step"]
        run.house.set_state(entity_id, str(min(max(value, config["min"]), config["max"])))

    return change


def set_text(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
    """Set a text. Raises `InputError` for one that is too short or too long."""
    config, text = helpers.config(entity_id), str(data["value"])
    if not config["min"] <= len(text) <= config["max"]:
        raise InputError(f"{entity_id} has {config['min']} to {config['max']} characters, not {len(text)}")
    run.house.set_state(entity_id, text)


def count(sign: int) -> Change:
    """Return what counts up or down."""

    def change(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
        config = helpers.config(entity_id)
        value = int(helpers.state(entity_id).state) + sign * config["step"]
        run.house.set_state(entity_id, str(bounded(value, config)))

    return change


def reset_counter(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
    """Have a counter begin anew."""
    run.house.set_state(entity_id, str(helpers.config(entity_id)["initial"]))


def set_counter(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
    """Set a counter."""
    run.house.set_state(entity_id, str(bounded(data["value"], helpers.config(entity_id))))


def start_timer(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
    """Start a timer."""
    helpers.start_timer(entity_id, data.get("duration"))


def pause_timer(helpers: Helpers, entity_id: str, data: Mapping[str, Any], run: Run) -> None:
    """Pause a timer."""
    helpers.pause_timer(entity_id)


def end_timer(event: str) -> Change:
    """Return what has a timer end."""
    return lambda helpers, entity_id, data, run: helpers.end_timer(entity_id, event)


VALUE: Final = {vol.Required("value", description="The value."): vol.Coerce(float)}
SPECS: Final = (
    spec("input_boolean.turn_on", switch("on"), "Switch on."),
    spec("input_boolean.turn_off", switch("off"), "Switch off."),
    spec("input_boolean.toggle", switch(None), "Switch on or off."),
    spec("input_number.set_value", set_number, "Set a number.", VALUE),
    spec("input_number.increment", step_number(1), "Make a number a step larger."),
    spec("input_number.decrement", step_number(-1), "Make a number a step smaller."),
    spec(
        "input_text.set_value",
        set_text,
        "Set a text.",
        {vol.Required("value", description="The text."): vol.Any(str, vol.Coerce(str))},
    ),
    spec("counter.increment", count(1), "Count up."),
    spec("counter.decrement", count(-1), "Count down."),
    spec("counter.reset", reset_counter, "Begin anew."),
    spec("counter.set_value", set_counter, "Set a counter.", {vol.Required("value", description="The value."): int}),
    spec(
        "timer.start",
        start_timer,
        "Start a timer, or go on with one that is paused.",
        {vol.Optional("duration", description="How long it runs this time."): DURATION},
    ),
    spec("timer.pause", pause_timer, "Pause a timer."),
    spec("timer.cancel", end_timer("timer.cancelled"), "Have a timer end without having finished."),
    spec("timer.finish", end_timer("timer.finished"), "Have a timer finish now."),
)
