"""The two forms of discovery: one message for a device, or one for each of its entities.

Both give an entity the same discovery id (the device's node and the entity's key), so that Home Assistant can carry its
settings from one form to the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mynah_mqtt.home_assistant.entities import Entity
from mynah_mqtt.home_assistant.names import object_id

QOS: Final = 1

# From "Supported abbreviations in MQTT discovery messages" of Home Assistant's MQTT page; keys that are not here have
# none or are short enough. The single form spells them out: it is for versions that do not know them all.
ABBREVIATIONS: Final[Mapping[str, str]] = {
    "availability": "avty",
    "availability_mode": "avty_mode",
    "available_tones": "av_tones",
    "command_off_template": "cmd_off_tpl",
    "command_template": "cmd_tpl",
    "command_topic": "cmd_t",
    "components": "cmps",
    "device": "dev",
    "device_class": "dev_cla",
    "entity_category": "ent_cat",
    "event_types": "evt_typ",
    "icon": "ic",
    "json_attributes_template": "json_attr_tpl",
    "json_attributes_topic": "json_attr_t",
    "latest_version_template": "l_ver_tpl",
    "latest_version_topic": "l_ver_t",
    "object_id": "obj_id",
    "options": "ops",
    "origin": "o",
    "payload_install": "pl_inst",
    "payload_off": "pl_off",
    "payload_on": "pl_on",
    "platform": "p",
    "state_class": "stat_cla",
    "state_off": "stat_off",
    "state_on": "stat_on",
    "state_topic": "stat_t",
    "state_value_template": "stat_val_tpl",
    "suggested_display_precision": "sug_dsp_prc",
    "support_duration": "sup_dur",
    "support_volume_set": "sup_vol",
    "title": "tit",
    "topic": "t",
    "unique_id": "uniq_id",
    "unit_of_measurement": "unit_of_meas",
    "value_template": "val_tpl",
}
DEVICE_ABBREVIATIONS: Final[Mapping[str, str]] = {
    "configuration_url": "cu",
    "connections": "cns",
    "identifiers": "ids",
    "manufacturer": "mf",
    "model": "mdl",
    "suggested_area": "sa",
    "sw_version": "sw",
}
ORIGIN_ABBREVIATIONS: Final[Mapping[str, str]] = {"support_url": "url", "sw_version": "sw"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A device as Home Assistant is to show it."""

    node: str
    slug: str
    """What its entity ids begin with."""
    device: Mapping[str, Any]
    origin: Mapping[str, str]
    availability: Sequence[str]
    """The topics that must all say `online`."""
    entities: Sequence[Entity]


def device_topic(prefix: str, node: str) -> str:
    """Return the topic of the device form."""
    return f"{prefix}/device/{node}/config"


def device_form(shown: Shown, prefix: str) -> dict[str, bytes]:
    """Return the one message of a device, by its topic."""
    components = {
        entity.key: _short({"platform": entity.platform} | _entity(shown, entity), ABBREVIATIONS)
        for entity in shown.entities
    }
    payload = {
        "device": _short(shown.device, DEVICE_ABBREVIATIONS),
        "origin": _short(shown.origin, ORIGIN_ABBREVIATIONS),
        "availability": [_short(part, ABBREVIATIONS) for part in _availability(shown)],
        "availability_mode": "all",
        "components": components,
    }
    return {device_topic(prefix, shown.node): _encoded(_short(payload, ABBREVIATIONS))}


def single_form(shown: Shown, prefix: str) -> dict[str, bytes]:
    """Return a device's messages, one an entity, by their topics. Home Assistant before 2024.5 passes over `notify`."""
    shared = {
        "device": dict(shown.device),
        "origin": dict(shown.origin),
        "availability": _availability(shown),
        "availability_mode": "all",
    }
    return {
        f"{prefix}/{entity.platform}/{shown.node}/{entity.key}/config": _encoded(_entity(shown, entity) | shared)
        for entity in shown.entities
    }


def with_removed(payload: bytes, removed: Mapping[str, str]) -> bytes:
    """Return a device's message that also takes components away, given as their keys and platforms."""
    whole = json.loads(payload)
    whole["cmps"] |= {key: {"p": platform} for key, platform in removed.items()}
    return _encoded(whole)


def components(payload: bytes) -> dict[str, str]:
    """Return the keys and platforms in a device's message; none where it is not one of ours."""
    try:
        found = json.loads(payload)["cmps"]
        return {str(key): str(component["p"]) for key, component in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _entity(shown: Shown, entity: Entity) -> dict[str, Any]:
    name = object_id(shown.slug, entity.key)
    common: dict[str, Any] = {
        "name": entity.name,
        "unique_id": f"{shown.node}-{entity.key}",
        # The one is for Home Assistant from 2025.10 on, the other for those before; unknown keys are passed over.
        "default_entity_id": f"{entity.platform}.{name}",
        "object_id": name,
        "qos": QOS,
    }
    return common | ({"icon": entity.icon} if entity.icon else {}) | dict(entity.config)


def _availability(shown: Shown) -> list[dict[str, str]]:
    return [{"topic": topic} for topic in shown.availability]


def _short(mapping: Mapping[str, Any], abbreviations: Mapping[str, str]) -> dict[str, Any]:
    return {abbreviations.get(key, key): value for key, value in mapping.items()}


def _encoded(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
