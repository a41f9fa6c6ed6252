"""Other automations and scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ActionSpec, MynahError, Run
from mynah_automation.config import TEXT
from mynah_automation.shapes import ENTITIES, many

TARGET: Final = {vol.Required("entity_id", description="The automation, such as automation.feeding; or a list."): (
    ENTITIES
)}  # fmt: skip


def _live(run: Run, entity_id: str) -> Any:
    return run.house.hub.parts["automation"].find(entity_id)


async def trigger(run: Run, data: Mapping[str, Any]) -> None:
    """Have automations act."""
    for entity_id in many(data["entity_id"]):
        _live(run, entity_id).run({"trigger": {"platform": None, "id": None}}, conditions=not data["skip_condition"])


async def turn_on(run: Run, data: Mapping[str, Any]) -> None:
    """Have automations wait for their triggers again."""
    for entity_id in many(data["entity_id"]):
        _live(run, entity_id).turn(True)


async def turn_off(run: Run, data: Mapping[str, Any]) -> None:
    """Have automations take no notice of their triggers."""
    for entity_id in many(data["entity_id"]):
        _live(run, entity_id).turn(False, stop=data["stop_actions"])


async def toggle(run: Run, data: Mapping[str, Any]) -> None:
    """Turn automations on or off."""
    for entity_id in many(data["entity_id"]):
        live = _live(run, entity_id)
        live.turn(not live.on)


async def script(run: Run, data: Mapping[str, Any]) -> Any:
    """Run a script, and wait for it. Raises `MynahError` where it fails; to be stopped is no failure."""
    live = _live(run, f"script.{data['name'].removeprefix('script.')}")
    task, trace = live.run(data["variables"]), live.traces[-1]
    try:
        if task is not None:
            await asyncio.wait({task})
    finally:
        if task is not None:
            task.cancel()
    if trace.outcome == "failed":
        inner = trace.message.startswith("script.")  # the script that failed is named, and not all that wait for it
        raise MynahError(trace.message if inner else f"{live.definition.entity_id} failed: {trace.message}")
    run.note(outcome=trace.outcome)
    return None if task is None or task.cancelled() else task.result()


async def start_script(run: Run, data: Mapping[str, Any]) -> None:
    """Run scripts, without waiting for them."""
    for entity_id in many(data["entity_id"]):
        _live(run, entity_id).run(data["variables"])


async def stop_script(run: Run, data: Mapping[str, Any]) -> None:
    """Stop scripts."""
    for entity_id in many(data["entity_id"]):
        _live(run, entity_id).stop("turned off")


VARIABLES: Final = {vol.Optional("variables", default=dict, description="Values that it is given."): dict}
SPECS: Final = (
    ActionSpec(
        name="automation.trigger",
        run=trigger,
        schema={
            **TARGET,
            vol.Optional("skip_condition", default=True, description="Whether its conditions do not matter."): bool,
        },
        short="entity_id",
        description="Have an automation act.",
    ),
    ActionSpec(
        name="automation.turn_on", run=turn_on, schema=TARGET, short="entity_id", description="Turn an automation on."
    ),
    ActionSpec(
        name="automation.turn_off",
        run=turn_off,
        schema={
            **TARGET,
            vol.Optional("stop_actions", default=True, description="Whether what it does now is stopped."): bool,
        },
        short="entity_id",
        description="Turn an automation off.",
    ),
    ActionSpec(
        name="automation.toggle", run=toggle, schema=TARGET, short="entity_id", description="Turn it on or off."
    ),
    ActionSpec(
        name="script",
        run=script,
        schema={vol.Required("name", description="Its name."): TEXT, **VARIABLES},
        short="name",
        description="Run a script and wait for it; `script.NAME` with its fields as `data` is the same.",
    ),
    ActionSpec(
        name="script.turn_on",
        run=start_script,
        schema={**TARGET, **VARIABLES},
        short="entity_id",
        description="Run a script without waiting for it.",
    ),
    ActionSpec(name="script.turn_off", run=stop_script, schema=TARGET, short="entity_id", description="Stop a script."),
)
