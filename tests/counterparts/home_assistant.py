"""What Home Assistant's documentation says of MQTT discovery, as data, and a reader of payloads that holds to it.

Sources: https://www.home-assistant.io/integrations/mqtt/ (discovery topic, device and single component payload,
removal, migration, availability, origin, abbreviations), the options of each platform on its own page, such as
https://www.home-assistant.io/integrations/siren.mqtt/, and device classes with their units on
https://www.home-assistant.io/integrations/sensor/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value)) and len(set(value)) == len(value)


def _topic(value: Any) -> bool:
    """A topic that can be published to and subscribed to: no wildcards."""
    return _text(value) and not set("#+\0") & set(value) and len(value.encode()) <= 65535


def _template(value: Any) -> bool:
    ENVIRONMENT.parse(value)
    return "{{" in value


def _url(value: Any) -> bool:
    return urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).hostname)


def _icon(value: Any) -> bool:
    return re.fullmatch("mdi:[a-z0-9-]+", value) is not None


def _one_of(*values: Any) -> Check:
    return lambda value: value in values


COMMON: Mapping[str, Check] = {
    "availability": lambda value: isinstance(value, list),  # looked into by `device_of`
    "availability_mode": _one_of("all", "any", "latest"),
    "default_entity_id": lambda value: re.fullmatch("[a-z_]+[.][a-z0-9_]+", value) is not None,
    "device": lambda value: isinstance(value, dict),  # likewise
    "enabled_by_default": _flag,
    "encoding": _text,
    "entity_category": _one_of("config", "diagnostic"),
    "icon": _icon,
    "json_attributes_template": _template,
    "json_attributes_topic": _topic,
    "name": _text,
    "object_id": lambda value: re.fullmatch("[a-z0-9_]+", value) is not None,
    "origin": lambda value: isinstance(value, dict),  # likewise
    "platform": _text,
    "qos": _one_of(0, 1, 2),
    "unique_id": _text,
}
COMMANDED: Mapping[str, Check] = {"command_topic": _topic, "command_template": _template, "retain": _one_of(False)}
READ: Mapping[str, Check] = {"state_topic": _topic, "value_template": _template}


@dataclass(frozen=True)
class Platform:
    """The options of a platform's page besides the common ones, and which are required."""

    options: Mapping[str, Check]
    required: frozenset[str]


def _platform(*options: Mapping[str, Check], required: str) -> Platform:
    merged = {key: check for part in options for key, check in part.items()}
    return Platform(merged, frozenset(required.split()))


PLATFORMS: Mapping[str, Platform] = {
    "button": _platform(
        COMMANDED,
        {"device_class": _one_of("identify", "restart", "update"), "payload_press": _text},
        required="command_topic",
    ),
    "event": _platform(
        READ,
        {"device_class": _one_of("button", "doorbell", "motion"), "event_types": _texts},
        required="state_topic event_types",
    ),
    "notify": _platform(COMMANDED, required="command_topic"),
    "number": _platform(
        COMMANDED,
        READ,
        {
            "device_class": _text,
            "max": _number,
            "min": _number,
            "mode": _one_of("auto", "box", "slider"),
            "optimistic": _flag,
            "payload_reset": _text,
            "step": lambda value: _number(value) and value >= 0.001,
            "unit_of_measurement": _text,
        },
        required="command_topic",
    ),
    "select": _platform(COMMANDED, READ, {"options": _texts, "optimistic": _flag}, required="command_topic options"),
    "sensor": _platform(
        READ,
        {
            "device_class": _one_of("duration", "enum", "signal_strength"),
            "expire_after": _whole,
            "force_update": _flag,
            "last_reset_value_template": _template,
            "options": _texts,
            "state_class": _one_of("measurement", "total", "total_increasing"),
            "suggested_display_precision": _whole,
            "unit_of_measurement": _text,
        },
        required="state_topic",
    ),
    "siren": _platform(
        COMMANDED,
        {
            "available_tones": _texts,
            "command_off_template": _template,
            "optimistic": _flag,
            "payload_off": _text,
            "payload_on": _text,
            "state_off": _text,
            "state_on": _text,
            "state_topic": _topic,
            "state_value_template": _template,
            "support_duration": _flag,
            "support_volume_set": _flag,
        },
        required="command_topic",
    ),
    "switch": _platform(
        COMMANDED,
        READ,
        {
            "device_class": _one_of("outlet", "switch"),
            "optimistic": _flag,
            "payload_off": _text,
            "payload_on": _text,
            "state_off": _text,
            "state_on": _text,
        },
        required="command_topic",
    ),
    "text": _platform(
        COMMANDED,
        READ,
        {
            "max": lambda value: _whole(value) and value <= 255,
            "min": lambda value: _whole(value) and value <= 255,
            "mode": _one_of("password", "text"),
            "optimistic": _flag,
            "pattern": _text,
        },
        required="command_topic",
    ),
    "update": _platform(
        READ,
        {
            "command_topic": _topic,
            "device_class": _one_of("firmware"),
            "display_precision": _whole,
            "entity_picture": _url,
            "latest_version_template": _template,
            "latest_version_topic": _topic,
            "payload_install": _text,
            "release_summary": _text,
            "release_url": _url,
            "retain": _one_of(False),
            "title": _text,
        },
        required="",
    ),
}

UNITS: Mapping[str, frozenset[str]] = {
    "duration": frozenset({"d", "h", "min", "s", "ms"}),
    "signal_strength": frozenset({"dB", "dBm"}),
}

DEVICE: Mapping[str, Check] = {
    "configuration_url": _url,
    "connections": lambda value: all(len(pair) == 2 and all(map(_text, pair)) for pair in value),
    "hw_version": _text,
    "identifiers": lambda value: _text(value) or _texts(value),
    "manufacturer": _text,
    "model": _text,
    "model_id": _text,
    "name": _text,
    "serial_number": _text,
    "suggested_area": _text,
    "sw_version": _text,
    "via_device": _text,
}
ORIGIN: Mapping[str, Check] = {"name": _text, "sw_version": _text, "support_url": _url}
AVAILABILITY: Mapping[str, Check] = {
    "payload_available": _text,
    "payload_not_available": _text,
    "topic": _topic,
    "value_template": _template,
}

# "Supported abbreviations in MQTT discovery messages", as far as the platforms above have the words.
ABBREVIATIONS: Mapping[str, str] = {
    "av_tones": "available_tones",
    "avty": "availability",
    "avty_mode": "availability_mode",
    "cmd_off_tpl": "command_off_template",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "def_ent_id": "default_entity_id",
    "dev": "device",
    "dev_cla": "device_class",
    "dsp_prc": "display_precision",
    "e": "encoding",
    "en": "enabled_by_default",
    "ent_cat": "entity_category",
    "ent_pic": "entity_picture",
    "evt_typ": "event_types",
    "exp_aft": "expire_after",
    "frc_upd": "force_update",
    "ic": "icon",
    "json_attr_t": "json_attributes_topic",
    "json_attr_tpl": "json_attributes_template",
    "l_ver_t": "latest_version_topic",
    "l_ver_tpl": "latest_version_template",
    "o": "origin",
    "obj_id": "object_id",
    "ops": "options",
    "opt": "optimistic",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_inst": "payload_install",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "pl_prs": "payload_press",
    "ptrn": "pattern",
    "rel_s": "release_summary",
    "rel_u": "release_url",
    "ret": "retain",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template",
    "sug_dsp_prc": "suggested_display_precision",
    "sup_dur": "support_duration",
    "sup_vol": "support_volume_set",
    "t": "topic",
    "tit": "title",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
DEVICE_ABBREVIATIONS: Mapping[str, str] = {
    "cns": "connections",
    "cu": "configuration_url",
    "hw": "hw_version",
    "ids": "identifiers",
    "mdl": "model",
    "mdl_id": "model_id",
    "mf": "manufacturer",
    "sa": "suggested_area",
    "sn": "serial_number",
    "sw": "sw_version",
}
ORIGIN_ABBREVIATIONS: Mapping[str, str] = {"sw": "sw_version", "url": "support_url"}

TOPIC = re.compile(r"(?P<platform>\w+)/(?:(?P<node>[a-zA-Z0-9_-]+)/)?(?P<object>[a-zA-Z0-9_-]+)/config")


@dataclass(frozen=True)
class Discovered:
    """An entity as Home Assistant would see it: its platform, its discovery id, and its options in full."""

    platform: str
    id: str
    options: Mapping[str, Any]


def _full(part: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    return {words.get(key, key): value for key, value in part.items()}


def _hold(where: str, part: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    for key, value in part.items():
        assert key in checks, f"{where}: the documentation has no {key!r}"
        assert checks[key](value), f"{where}: {key} cannot be {value!r}"


def _shared_of(where: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Check what entities of a device share; both forms have it in the same words once these are in full."""
    device = _full(payload["device"], DEVICE_ABBREVIATIONS)
    _hold(f"{where} device", device, DEVICE)
    assert device.get("identifiers") or device.get("connections"), f"{where}: a device needs an identifier"
    origin = _full(payload["origin"], ORIGIN_ABBREVIATIONS)
    _hold(f"{where} origin", origin, ORIGIN)
    assert "name" in origin, f"{where}: an origin needs a name"
    availability = [_full(part, ABBREVIATIONS) for part in payload["availability"]]
    for part in availability:
        _hold(f"{where} availability", part, AVAILABILITY)
        assert "topic" in part, f"{where}: an availability needs a topic"
    return {"device": device, "origin": origin, "availability": availability}


def _check(where: str, platform: str, options: Mapping[str, Any]) -> None:
    assert platform in PLATFORMS, f"{where}: there is no MQTT {platform}"
    rules = PLATFORMS[platform]
    _hold(where, options, {**COMMON, **rules.options})
    assert rules.required <= set(options), f"{where}: lacks {sorted(rules.required - set(options))}"
    assert {"unique_id", "device"} <= set(options), f"{where}: entities of a device need a unique_id"
    assert options["default_entity_id"].startswith(f"{platform}."), f"{where}: {options['default_entity_id']}"
    if platform == "sensor":
        _check_sensor(where, options)
    if platform in ("number", "text"):
        assert options["min"] < options["max"], where


def _check_sensor(where: str, options: Mapping[str, Any]) -> None:
    kind, unit = options.get("device_class"), options.get("unit_of_measurement")
    if kind in UNITS:
        assert unit in UNITS[kind], f"{where}: {kind} cannot be in {unit}"
    if "options" in options:  # "requires device_class to be enum; cannot be combined with state_class or a unit"
        assert kind == "enum", where
        assert not {"state_class", "unit_of_measurement"} & set(options), where


def read(prefix: str, topic: str, payload: bytes) -> list[Discovered]:
    """Read a message as Home Assistant does; an AssertionError says what its documentation has otherwise."""
    match = TOPIC.fullmatch(topic.removeprefix(f"{prefix}/"))
    assert match is not None, topic
    whole = _full(json.loads(payload), ABBREVIATIONS)
    shared = _shared_of(topic, whole)
    if match["platform"] != "device":
        options = whole | shared
        _check(topic, match["platform"], options)
        return [Discovered(match["platform"], f"{match['node']} {match['object']}", options)]
    assert set(whole) <= {"device", "origin", "components", *AVAILABILITY_KEYS}, sorted(whole)
    found = []
    for key, component in whole["components"].items():
        assert re.fullmatch("[a-zA-Z0-9_-]+", key), key
        options = _full(component, ABBREVIATIONS)
        platform = options.pop("platform")
        options |= shared | {"availability_mode": whole["availability_mode"]}
        _check(f"{topic} {key}", platform, options)
        found.append(Discovered(platform, f"{match['object']} {key}", options))
    return found


AVAILABILITY_KEYS = ("availability", "availability_mode", "payload_available", "payload_not_available")


def _environment() -> ImmutableSandboxedEnvironment:
    """Return Jinja as Home Assistant has it, strict, with those of its functions and filters that are used here."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    environment.globals["now"] = lambda: datetime.now(UTC)
    environment.filters["to_json"] = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return environment


ENVIRONMENT = _environment()


def shown(template: str, payload: str) -> str:
    """Render a value template for a received payload."""
    return ENVIRONMENT.from_string(template).render(value=payload, value_json=json.loads(payload)).strip()


def sent(template: str, value: Any, **variables: Any) -> str:
    """Render a command template for a value."""
    return ENVIRONMENT.from_string(template).render(value=value, **variables).strip()
