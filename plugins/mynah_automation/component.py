"""The component: what is read at the check of the configuration, and what runs."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mynah import ComponentSpec, ConfigChanged, Hub, MynahError, Problem, remembered_speakers
from mynah_automation.config import SCHEMA, SECTIONS
from mynah_automation.definitions import Definitions
from mynah_automation.entities import Entities
from mynah_automation.mirror import Mirror
from mynah_automation.part import PART, Automations

log = logging.getLogger(__name__)

FAREWELL_S: Final = 2.0
LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "hassil": ("conversation", "answers"),
    "icalendar": ("calendar",),
    "recurring_ical_events": ("calendar",),
    "astral.sun": ("sun",),
}
"""Libraries that take a while to import, and the words in automations that need them."""


def check(values: Mapping[str, Any], specs: Sequence[Any], folder: Path) -> Iterable[Problem]:
    """Yield every mistake in automations and scripts."""
    data = values.get("data")
    remembered = remembered_speakers(folder / (data if isinstance(data, str) else "data"))
    definitions = Definitions(specs, folder / _blueprints(values), remembered)
    definitions.read(values)
    if isinstance(values.get(PART), list):  # as it is in Home Assistant
        return [Problem("what is a list stands under 'automations:'", where=(PART,), hint="here are its settings")]
    return definitions.problems


def _blueprints(values: Mapping[str, Any]) -> str:
    section = values.get(PART)
    given = section.get("blueprints") if isinstance(section, Mapping) else None
    return given if isinstance(given, str) else "blueprints"


async def run(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Have the house do what is configured, until cancelled."""
    if missing := _missing(hub):
        await asyncio.to_thread(_import, missing)
    automations = Automations(hub, hub.config_folder / config["blueprints"])
    hub.parts[PART] = automations
    entities = Entities(automations.house)
    entities.look()
    try:
        if config["statestream"]:
            _mirror(automations, config["statestream"])
        automations.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(automations.house.follow_events(ready), name="automations: events")
            group.create_task(entities.run(), name="automations: entities")
            group.create_task(automations.write(), name="automations: states")
            group.create_task(_follow_config(hub, automations), name="automations: configuration")
    finally:
        await automations.end(FAREWELL_S)
        hub.parts.pop(PART, None)


def _mirror(automations: Automations, base: str) -> None:
    messages = automations.house.hub.parts.get("mqtt")
    if messages is None:
        raise MynahError("'automation: statestream:' needs MQTT; set 'mqtt: broker:'")
    Mirror(automations.house, base).begin(messages)


async def _follow_config(hub: Hub, automations: Automations) -> None:
    with hub.bus.subscribe(ConfigChanged, name="automations: configuration") as changes:
        async for _ in changes:
            automations.reload()


def _missing(hub: Hub) -> list[str]:
    """Return the libraries that are needed and not imported yet."""
    written = repr((hub.config["automations"], hub.config["scripts"]))
    return [
        name for name, words in LIBRARIES.items() if name not in sys.modules and any(word in written for word in words)
    ]


def _import(names: Sequence[str]) -> None:
    """Import what takes a while before anybody waits for it."""
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            log.warning("automations need %s; install it with: pip install 'mynah[automation]'", error.name)


COMPONENT = ComponentSpec(
    name=PART,
    run=run,
    schema=SCHEMA,
    sections=SECTIONS,
    check=check,
    reloads=True,
    after=("http", "mqtt", "websocket"),
    description="What the house does by itself; see automations.md.",
)
