"""A house in virtual time: a hub with automations, whose actions `note` are written down with the time of day."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import astral.sun  # noqa: F401  # imported here, as virtual time does not wait for the thread that would
import hassil  # noqa: F401
import icalendar  # noqa: F401
import pytest
import recurring_ical_events  # noqa: F401
import voluptuous as vol

from mynah import ActionSpec, Happened, read_yaml
from mynah.conversation import sessions
from mynah.engines import speech_cache
from mynah.testing import run_hub, run_in_virtual_time
from mynah_automation import entities, kept

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 6, 1, 8, 0, tzinfo=BERLIN)


@dataclass
class Stage:
    """The hub, and what its automations noted: (time of day, text)."""

    hub: Any
    notes: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def part(self) -> Any:
        return self.hub.parts["automation"]

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.notes]

    @property
    def times(self) -> list[str]:
        return [f"{at:%a %H:%M:%S} {text}" for at, text in self.notes]

    def now(self) -> datetime:
        return self.part.house.now()

    def state(self, entity_id: str) -> str | None:
        found = self.part.house.state(entity_id)
        return found and found.state

    def set(self, entity_id: str, state: str | None, **attributes: Any) -> None:
        self.part.house.set_state(entity_id, state, attributes or None)

    async def fire(self, name: str, **data: Any) -> None:
        self.hub.bus.publish(Happened(name=name, data=data))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def sleep(self, **duration: float) -> None:
        seconds = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
        await asyncio.sleep(sum(seconds[name] * value for name, value in duration.items()))

    def traces(self, name: str) -> list[dict[str, Any]]:
        return [trace.describe(self.hub.redacted) for trace in self.part.find(name).traces]

    def set_clock(self, when: datetime) -> None:
        asyncio.get_running_loop().set_clock(when.timestamp())


@asynccontextmanager
async def on_stage(folder, config: str, *specs, installed=("automation",)):
    """Run a hub on YAML."""
    file = folder / "written.yaml"
    file.write_text(config, encoding="utf-8")
    notes: list[tuple[datetime, str]] = []

    async def note(run, data):
        notes.append((run.house.now(), str(data["text"])))

    spec = ActionSpec(name="note", run=note, schema={vol.Required("text"): vol.Coerce(str)}, short="text")
    document = read_yaml(file)
    assert document.problems == ()
    values = document.data
    values.setdefault("automation", {}).setdefault("time_zone", "Europe/Berlin")
    async with run_hub(folder, specs=[spec, *specs], config=values, installed=installed) as hub:
        stage = Stage(hub, notes)
        await stage.settle()
        yield stage


@pytest.fixture(autouse=True)
def _calm(monkeypatch):
    """What is looked at every few seconds is not what a week is to be made of."""
    for module, name in ((sessions, "REAP_S"), (speech_cache, "WATCH_S"), (entities, "IDLE_S"), (kept, "LATER_S")):
        monkeypatch.setattr(module, name, 600.0)


@pytest.fixture
def act(tmp_path):
    """Run `scenario(stage)` on YAML in virtual time, from `start` on."""

    def run(config: str, scenario, *specs, start: datetime = MONDAY, folder=tmp_path):
        async def main():
            async with on_stage(folder, config, *specs) as stage:
                await scenario(stage)
                return stage

        return run_in_virtual_time(main(), wall=start.timestamp())

    logging.getLogger("asyncio").setLevel(logging.WARNING)
    return run
