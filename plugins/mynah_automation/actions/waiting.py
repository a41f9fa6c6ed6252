"""Delays and waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, TEMPLATE, TRIGGERS, ActionSpec, Run
from mynah_automation.runs import Stopped
from mynah_automation.triggers.template import Watch

LIMIT: Final = {
    vol.Optional("timeout", description="How long at most; without it, for ever."): DURATION,
    vol.Optional(
        "continue_on_timeout", default=True, description="Whether the run goes on where nothing came in time."
    ): bool,
}


async def delay(run: Run, data: Mapping[str, Any]) -> None:
    """Wait for a while."""
    await asyncio.sleep(data["delay"])


async def wait_for_trigger(run: Run, data: Mapping[str, Any]) -> None:
    """Wait until one of some triggers fires; it is `wait.trigger` then, or None where none came in time."""
    began = time.monotonic()
    found = await run.wait(data["wait_for_trigger"], data.get("timeout"))
    _ended(run, data, began, {"trigger": found}, found is not None)


async def wait_template(run: Run, data: Mapping[str, Any]) -> None:
    """Wait until a template is true."""
    began = time.monotonic()
    true = asyncio.Event()
    watch = Watch(run.house, data["wait_template"], run.variables, lambda now, old, new: true.set() if now else None)
    try:
        if not watch.true:
            async with asyncio.timeout(data.get("timeout")):
                await true.wait()
        completed = True
    except TimeoutError:
        completed = False
    finally:
        watch.close()
    _ended(run, data, began, {}, completed)


def _ended(run: Run, data: Mapping[str, Any], began: float, more: Mapping[str, Any], completed: bool) -> None:
    limit = data.get("timeout")
    remaining = None if limit is None else round(max(limit - (time.monotonic() - began), 0.0), 3)
    run.variables["wait"] = {"completed": completed, "remaining": remaining, **more}
    run.note(completed=completed)
    if not completed and not data["continue_on_timeout"]:
        raise Stopped("nothing came in time")


SPECS: Final = (
    ActionSpec(
        name="delay",
        run=delay,
        schema={vol.Required("delay", description="How long: seconds, '00:05:00' or {minutes: 5}."): DURATION},
        description="Wait for a while.",
    ),
    ActionSpec(
        name="wait_for_trigger",
        run=wait_for_trigger,
        schema={vol.Required("wait_for_trigger", description="Triggers."): TRIGGERS, **LIMIT},
        description="Wait until something happens.",
    ),
    ActionSpec(
        name="wait_template",
        run=wait_template,
        schema={vol.Required("wait_template", description="A template."): TEMPLATE, **LIMIT},
        description="Wait until a template is true.",
    ),
)
