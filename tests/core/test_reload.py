"""Reading the configuration again while the hub runs."""

from __future__ import annotations

import asyncio
import json

import pytest
import voluptuous as vol

from mynah import ComponentSpec, ConfigChanged, ConfigError, Problem

SECTIONS = {
    vol.Optional("rooms", default=list, description="Rooms."): [dict],
    vol.Optional("doors", default=dict, description="Doors."): {str: str},
}


async def stand(hub, config, ready):
    ready()
    await asyncio.Event().wait()


def find_problems(values, specs, folder):
    for index, room in enumerate(values.get("rooms") or []):
        if "name" not in room:
            yield Problem("a room needs a name", where=("rooms", index), hint="add one")


HOUSE = ComponentSpec(name="house", run=stand, sections=SECTIONS, check=find_problems, reloads=True)
FIXED = ComponentSpec(name="fixed", run=stand, schema={vol.Optional("size", default=1): int})


def write(hub, values):
    (hub.folder.parent / "config.yaml").write_text(json.dumps(values, indent=1), encoding="utf-8")


async def test_a_section_that_changed_is_taken_over_and_told(run_hub):
    async with run_hub(specs=[HOUSE, FIXED], config={"rooms": [{"name": "hall"}]}) as hub:
        with hub.bus.subscribe(ConfigChanged, name="test") as changes:
            write(hub, {"rooms": [{"name": "hall"}, {"name": "attic"}], "doors": {}})
            assert hub.reload().taken == ("rooms",)
            async for event in changes:
                assert event.sections == ("rooms",)
                break
        assert [room["name"] for room in hub.config["rooms"]] == ["hall", "attic"]


async def test_what_cannot_follow_waits_for_a_restart_and_is_named(run_hub):
    async with run_hub(specs=[HOUSE, FIXED]) as hub:
        write(hub, {"fixed": {"size": 2}})
        done = hub.reload()
        assert done.waiting == ("fixed",)
        assert hub.config["fixed"] == {"size": 1}
        assert "restart" in str(done)


async def test_a_file_with_mistakes_changes_nothing_and_says_where_they_are(run_hub):
    async with run_hub(specs=[HOUSE], config={"rooms": [{"name": "hall"}]}) as hub:
        write(hub, {"rooms": [{"name": "attic"}, {"size": 3}]})
        with pytest.raises(ConfigError, match=r"config.yaml:6: rooms → 1: a room needs a name; add one"):
            hub.reload()
        assert hub.config["rooms"] == [{"name": "hall"}]


async def test_nothing_differs_where_the_file_is_the_same(run_hub):
    async with run_hub(specs=[HOUSE, FIXED], config={"rooms": [{"name": "hall"}]}) as hub:
        assert str(hub.reload()) == "nothing differs"
