from __future__ import annotations

from typing import Any

import pytest
import voluptuous as vol

from mynah_mqtt.home_assistant import SCHEMA, DiscoveryOptions

CHECK = vol.Schema(SCHEMA)


def test_nothing_needs_to_be_set() -> None:
    assert DiscoveryOptions.of(CHECK({})) == DiscoveryOptions()


def test_all_can_be_set() -> None:
    section = {"discovery": False, "prefix": "ha/test", "form": "single", "status_topic": "hass/status"}

    assert DiscoveryOptions.of(CHECK(section)) == DiscoveryOptions(False, "ha/test", "single", "hass/status")


@pytest.mark.parametrize(
    "section",
    [
        {"discovery": "yes"},
        {"prefix": "ha/#"},
        {"prefix": ""},
        {"form": "both"},
        {"status_topic": "a//b"},
        {"topic": 1},
    ],
)
def test_what_cannot_be_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        CHECK(section)


def test_every_setting_is_described() -> None:
    assert all(key.description for key in SCHEMA)
