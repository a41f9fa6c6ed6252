"""The example set of docs/home_assistant.md: what Home Assistant is told to use is what discovery makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from counterparts import home_assistant
from mynah.cli.main import main
from mynah_mqtt.home_assistant import Discovery, DiscoveryOptions, HubFacts, SpeakerFacts

PAGE = (Path(__file__).parents[2] / "docs" / "home_assistant.md").read_text(encoding="utf-8")
THEIRS = dict(re.findall(r"^```yaml\n# home assistant: (.+?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
OURS = re.findall(r"^```yaml\n# mynah\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LION = SpeakerFacts(
    "lion_house", name="Lion house", area="savanna", personas=("zoo_guide", "news_host"), voices=("one",)
)
OWN = ("binary_sensor.smoke", "light.lion_house", "sensor.pond_temperature")
"""Entities of the house that Home Assistant has without the hub."""


def discovered() -> set[str]:
    """Return the ids of every entity that discovery makes for the hub and the lion house."""
    discovery = Discovery(DiscoveryOptions(form="device"), "mynah", "0.1.0")
    told = [*discovery.hub(HubFacts(http="http://192.168.1.2:8000")), *discovery.speaker(LION)]
    found = (entity for each in told for entity in home_assistant.read("homeassistant", each.topic, each.payload))
    return {str(entity.options["default_entity_id"]) for entity in found}


def entities(value: Any) -> set[str]:
    """Return every entity that is named in some data."""
    if isinstance(value, dict):
        return {each for inner in value.values() for each in entities(inner)}
    if isinstance(value, list):
        return {each for inner in value for each in entities(inner)}
    known = r"(?:binary_sensor|button|event|light|notify|number|select|sensor|siren|switch|text|update)\.\w+"
    return {value} if isinstance(value, str) and re.fullmatch(known, value) else set()


def actions(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        mine = [value] if "action" in value else []
        return [*mine, *(each for inner in value.values() for each in actions(inner))]
    return [each for inner in value for each in actions(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("file", ["automations.yaml", "scripts.yaml", "dashboard.yaml"])
def test_every_entity_of_an_example_is_one_that_discovery_makes_or_the_houses_own(file):
    named = entities(yaml.safe_load(THEIRS[file])) - {"notify.send_message"}
    actions_named = {each["action"] for each in actions(yaml.safe_load(THEIRS[file]))}
    assert named
    assert sorted(named - actions_named - discovered() - set(OWN)) == []


@pytest.mark.parametrize("file", ["automations.yaml", "scripts.yaml"])
def test_every_action_of_an_example_fits_the_platform_of_its_entity(file):
    found = actions(yaml.safe_load(THEIRS[file]))
    assert found
    for each in found:
        assert each["target"]["entity_id"].partition(".")[0] == each["action"].partition(".")[0]


def test_what_the_hub_is_told_to_do_is_a_valid_configuration(tmp_path):
    assert len(OURS) == 1
    (tmp_path / "config.yaml").write_text(OURS[0], encoding="utf-8")
    assert main(["check-config", str(tmp_path / "config.yaml")]) == 0


def test_the_stream_is_read_from_where_it_is_written():
    stream = yaml.safe_load(THEIRS["configuration.yaml"])["mqtt_statestream"]
    (ours,) = OURS
    assert yaml.safe_load(ours)["automation"]["statestream"] == stream["base_topic"]
    assert set(stream["include"]["entities"]) == set(OWN)


def test_the_dashboard_is_loaded_from_its_own_file():
    dashboards = yaml.safe_load(THEIRS["configuration.yaml, for the dashboard"])["lovelace"]["dashboards"]
    assert [each["filename"] for each in dashboards.values()] == ["dashboard.yaml"]
    assert all("-" in name for name in dashboards)  # Home Assistant asks for a hyphen in a dashboard's address
