from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from counterparts import home_assistant
from counterparts.home_assistant import Discovered, sent, shown
from mynah_mqtt.home_assistant import Discovery, DiscoveryOptions, HubFacts, SpeakerFacts

# The examples of docs/mqtt.md and of "What the topics need" in docs/home_assistant.md.
INFO = (
    '{"id": "lion_house", "board": "esp32s3", "firmware": "0.1.0", "slot": "a", "protocol": 1,'
    ' "plays": ["pcm_s16le", "ima_adpcm"], "records": true, "buffer_ms": 512,'
    ' "ip": "192.168.1.40", "mac": "a0b1c2d3e4f5", "mpy": 11014}'
)
STATE = (
    '{"phase": "idle", "volume": 40, "mute": false, "microphone": "button", "hub": true, "rssi": -61,'
    ' "underruns": 0, "buffer_ms": 480, "heap": 51232, "uptime": 3605, "turn": "t4"}'
)
STOOD_IN = '{"phase": "idle", "volume": 40, "mute": false, "hub": true}'
"""What the hub publishes before a speaker is at the broker."""

KNOWN = (
    '{"persona": "zoo_guide", "voice": null, "language": "en", "turn": "t4", "heard": "What do lions eat?",'
    ' "said": "Lions eat antelopes and zebras.", "ms": 812, "alarm": false, "latest": "0.2.0"}'
)
NOTHING = json.dumps(dict.fromkeys(json.loads(KNOWN)))
HUB = '{"status": "healthy", "online": 3, "alarm": false, "ms": 812}'


DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("example", [INFO, STATE, KNOWN, HUB])
def test_the_examples_are_those_of_the_pages(example: str) -> None:
    pages = (DOCS / "mqtt.md").read_text() + (DOCS / "home_assistant.md").read_text()

    assert re.sub(r"\s+", " ", example) in re.sub(r"\s+", " ", pages)


@pytest.fixture(scope="module")
def entities() -> dict[str, Discovered]:
    discovery = Discovery(DiscoveryOptions(), "mynah", "0.1.0")
    facts = SpeakerFacts("lion_house", firmware="0.1.0", personas=("zoo_guide",), voices=("amy",))
    messages = [*discovery.hub(HubFacts()), *discovery.speaker(facts)]
    read = (home_assistant.read("homeassistant", m.topic, m.payload) for m in messages)
    return {e.id.removeprefix("mynah-speaker-lion_house "): e for found in read for e in found}


def changed(payload: str, **fields: Any) -> str:
    return json.dumps(json.loads(payload) | fields)


@pytest.mark.parametrize(
    ("key", "payload", "state"),
    [
        ("volume", STATE, "40"),
        ("mute", STATE, "OFF"),
        ("mute", changed(STATE, mute=True), "ON"),
        ("microphone", STATE, "ON"),
        ("microphone", changed(STATE, microphone="off"), "OFF"),
        ("phase", STATE, "idle"),
        ("signal", STATE, "-61"),
        ("signal", changed(STATE, rssi=0), "None"),
        ("signal", STOOD_IN, "None"),
        ("persona", KNOWN, "zoo_guide"),
        ("voice", KNOWN, "default"),
        ("voice", changed(KNOWN, voice="amy"), "amy"),
        ("last_heard", KNOWN, "What do lions eat?"),
        ("last_heard", NOTHING, "None"),
        ("last_said", KNOWN, "Lions eat antelopes and zebras."),
        ("last_said", changed(KNOWN, said="ü" * 1000), "ü" * 255),
        ("latency", KNOWN, "812"),
        ("latency", NOTHING, "None"),
        ("mynah-hub status", HUB, "healthy"),
        ("mynah-hub online", HUB, "3"),
        ("mynah-hub latency", HUB, "812"),
    ],
)
def test_what_is_published_is_shown(entities: dict[str, Discovered], key: str, payload: str, state: str) -> None:
    assert shown(entities[key].options["value_template"], payload) == state


def test_states_that_are_chosen_from_are_among_the_choices(entities: dict[str, Discovered]) -> None:
    for key, payload in (("phase", STATE), ("persona", KNOWN), ("voice", KNOWN), ("mynah-hub status", HUB)):
        options = entities[key].options
        assert shown(options["value_template"], payload) in options["options"]


def test_the_whole_of_what_was_said_is_an_attribute(entities: dict[str, Discovered]) -> None:
    template = entities["last_said"].options["json_attributes_template"]

    assert json.loads(shown(template, changed(KNOWN, said='"So"' * 100))) == {"text": '"So"' * 100, "turn": "t4"}
    assert json.loads(shown(template, NOTHING)) == {"text": None, "turn": None}


def test_an_alarm_is_shown_while_it_sounds(entities: dict[str, Discovered]) -> None:
    for key in ("alarm", "mynah-hub alarm"):
        template = entities[key].options["state_value_template"]
        assert shown(template, KNOWN) == "OFF"
        assert shown(template, changed(KNOWN, alarm=True)) == "ON"


def test_the_firmware_is_told_as_json_so_that_no_version_is_read_as_a_number(entities: dict[str, Discovered]) -> None:
    options = entities["firmware"].options

    assert json.loads(shown(options["value_template"], changed(INFO, firmware="1.0"))) == {"installed_version": "1.0"}
    assert shown(options["value_template"], '{"id": "lion_house", "by": "hub", "protocol": 1}') == "{}"
    assert shown(options["latest_version_template"], KNOWN) == "0.2.0"
    assert shown(options["latest_version_template"], NOTHING) == ""  # which Home Assistant passes over


def test_the_firmware_is_installed_by_a_property_as_it_can_have_no_id(entities: dict[str, Discovered]) -> None:
    options = entities["firmware"].options

    assert options["command_topic"] == "mynah/speaker/lion_house/firmware/set"
    assert options["payload_install"] == "latest"


@pytest.mark.parametrize(
    "payload",
    [
        {"event": "wake", "level": 9000},
        {"event": "button", "action": "press"},
        {"event": "heard", "turn": "t4", "text": 'He said "hello"', "language": "en"},
    ],
)
def test_events_are_told_with_their_fields(entities: dict[str, Discovered], payload: dict[str, Any]) -> None:
    options = entities["event"].options

    event = json.loads(shown(options["value_template"], json.dumps(payload)))
    assert event == payload | {"event_type": payload["event"]}
    assert event["event_type"] in options["event_types"]


@pytest.mark.parametrize(
    "payload",
    [
        {"event": "button", "action": "release"},
        {"event": "underrun", "turn": "t4", "count": 1, "ms": 20},
        {"event": "said", "turn": "t4", "text": "Hello", "ms": 800},
        {"event": "update", "status": "loading", "version": "0.2.0"},
    ],
)
def test_other_events_render_to_nothing(entities: dict[str, Discovered], payload: dict[str, Any]) -> None:
    assert shown(entities["event"].options["value_template"], json.dumps(payload)) == ""


HOSTILE = 'Say "so", {{ now() }} \\ \n {% raw %} ü 鳥'


@pytest.mark.parametrize(
    ("key", "value", "command"),
    [
        ("say", HOSTILE, {"command": "say", "text": HOSTILE}),
        ("announce", HOSTILE, {"command": "announce", "text": HOSTILE}),
        ("announce", "x" * 5000, {"command": "announce", "text": "x" * 1000}),
        ("stop", "PRESS", {"command": "stop"}),
        ("listen", "PRESS", {"command": "listen"}),
        ("restart", "PRESS", {"command": "reboot"}),
        ("mynah-hub say", "Hello", {"command": "say", "text": "Hello"}),
        ("mynah-hub announce", "Hello", {"command": "announce", "text": "Hello"}),
        ("mynah-hub stop", "PRESS", {"command": "stop"}),
    ],
)
def test_commands_are_what_the_topics_take(
    entities: dict[str, Discovered], key: str, value: str, command: dict[str, Any]
) -> None:
    told = json.loads(sent(entities[key].options["command_template"], value))

    assert 1 <= len(told.pop("id")) <= 36
    assert told == command


@pytest.mark.parametrize(
    ("variables", "fields"),
    [
        ({}, {}),
        ({"tone": "chime"}, {"tone": "chime"}),
        ({"duration": 30, "volume_level": 0.456}, {"seconds": 30, "volume": 46}),
        ({"tone": "alarm", "duration": 5, "volume_level": 1}, {"tone": "alarm", "seconds": 5, "volume": 100}),
    ],
)
def test_an_alarm_is_told_what_the_caller_gave(
    entities: dict[str, Discovered], variables: dict[str, Any], fields: dict[str, Any]
) -> None:
    told = json.loads(sent(entities["alarm"].options["command_template"], "ON", **variables))

    assert 1 <= len(told.pop("id")) <= 36
    assert told == {"command": "alarm", "on": True} | fields


def test_an_alarm_is_turned_off(entities: dict[str, Discovered]) -> None:
    told = json.loads(sent(entities["alarm"].options["command_off_template"], "OFF"))

    assert told | {"id": ""} == {"id": "", "command": "alarm", "on": False}


def test_each_command_has_an_id_of_its_own(entities: dict[str, Discovered]) -> None:
    for key in ("say", "announce", "stop", "alarm"):
        template = entities[key].options["command_template"]
        ids = {json.loads(sent(template, "x"))["id"] for _ in range(20)}
        assert len(ids) == 20


def test_the_microphone_is_switched_on_to_what_the_speaker_uses() -> None:
    discovery = Discovery(DiscoveryOptions(), "mynah", "0.1.0")
    (message,) = discovery.speaker(SpeakerFacts("porch", microphone="open"))

    (found,) = [e for e in home_assistant.read("homeassistant", message.topic, message.payload) if "microphone" in e.id]
    assert (found.options["payload_on"], found.options["payload_off"]) == ("open", "off")
