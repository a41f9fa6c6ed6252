from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from counterparts import home_assistant
from counterparts.home_assistant import Discovered
from mynah_mqtt.home_assistant import Discovery, DiscoveryOptions, HubFacts, Publish, SpeakerFacts

DOCS = Path(__file__).parents[4] / "docs"

LION = SpeakerFacts(
    "lion_house",
    name="Lion house",
    area="savanna",
    board="esp32s3",
    firmware="0.1.0",
    mac="a0b1c2d3e4f5",
    personas=("zoo_guide", "news_host"),
    voices=("en-GB-SoniaNeural",),
)
BARE = SpeakerFacts("page-1", records=False, wireless=False)
LARGEST = SpeakerFacts(
    "x" * 64,
    name="名" * 300,
    area="区" * 300,
    board="b" * 300,
    firmware="10.20.30",
    personas=tuple(f"persona_{n:03}_" + "p" * 50 for n in range(500)),
    voices=tuple(f"voice {n:03} " + "声" * 50 for n in range(500)),
)
HUB = HubFacts(http="http://192.168.1.2:8000")
SPEAKERS = [LION, BARE, LARGEST]


def told(form: str, facts: SpeakerFacts, base: str = "mynah") -> list[Publish]:
    discovery = Discovery(DiscoveryOptions(form=form), base, "0.1.0")
    return [*discovery.hub(HUB), *discovery.speaker(facts)]


def entities(form: str, facts: SpeakerFacts, base: str = "mynah") -> dict[str, Discovered]:
    read = (home_assistant.read("homeassistant", m.topic, m.payload) for m in told(form, facts, base))
    return {entity.id: entity for found in read for entity in found}


@pytest.mark.parametrize("form", ["device", "single"])
@pytest.mark.parametrize("facts", SPEAKERS, ids=lambda facts: facts.id[:10])
@pytest.mark.parametrize("base", ["mynah", "house-1/Mynah"])
def test_every_field_is_as_home_assistant_documents_it(form: str, facts: SpeakerFacts, base: str) -> None:
    assert entities(form, facts, base)


@pytest.mark.parametrize("facts", SPEAKERS, ids=lambda facts: facts.id[:10])
def test_both_forms_say_the_same_of_the_same_discovery_ids(facts: SpeakerFacts) -> None:
    assert entities("device", facts) == entities("single", facts)


def test_a_speaker_has_all_that_it_should() -> None:
    found = {(e.platform, e.options["name"]) for e in entities("device", LION).values() if "speaker" in e.id}

    assert found == {
        ("number", "Volume"),
        ("switch", "Mute"),
        ("switch", "Microphone"),
        ("select", "Voice"),
        ("select", "Persona"),
        ("sensor", "Phase"),
        ("sensor", "Signal"),
        ("sensor", "Last heard"),
        ("sensor", "Last said"),
        ("sensor", "Latency"),
        ("event", "Event"),
        ("text", "Say"),
        ("notify", "Announce"),
        ("button", "Stop"),
        ("button", "Listen"),
        ("button", "Restart"),
        ("siren", "Alarm"),
        ("update", "Firmware"),
    }


def test_a_speaker_is_not_shown_what_it_lacks() -> None:
    found = {id.split()[1] for id in entities("device", BARE) if "speaker" in id}

    assert found == {"volume", "mute", "stop", "phase", "last_said", "latency", "event", "say", "announce", "alarm"}


def test_the_hub_speaks_to_everyone_where_there_is_such_a_group() -> None:
    assert {id for id in entities("device", LION) if "hub" in id} == {
        f"mynah-hub {key}" for key in ("status", "online", "latency", "say", "announce", "stop", "alarm")
    }
    alone = Discovery(DiscoveryOptions(), "mynah", "0.1.0").hub(HubFacts(everyone=""))
    assert set(json.loads(alone[0].payload)["cmps"]) == {"status", "online", "latency"}


def test_ids_are_unique_across_speakers_whose_ids_look_alike() -> None:
    discovery = Discovery(DiscoveryOptions(form="single"), "mynah", "0.1.0")
    twins = [*discovery.speaker(SpeakerFacts("a-b")), *discovery.speaker(SpeakerFacts("a_b")), *discovery.hub(HUB)]
    twins += discovery.speaker(SpeakerFacts("hub"))

    ids = [json.loads(message.payload)["unique_id"] for message in twins]
    assert len(set(ids)) == len(ids)
    assert len({message.topic for message in twins}) == len(twins)


def test_an_entity_is_available_while_hub_and_speaker_both_are() -> None:
    volume = entities("single", LION)["mynah-speaker-lion_house volume"].options

    assert volume["availability_mode"] == "all"
    assert [part["topic"] for part in volume["availability"]] == [
        "mynah/hub/availability",
        "mynah/speaker/lion_house/availability",
    ]


def test_a_device_says_where_it_is_and_what_connects_it() -> None:
    device = entities("device", LION)["mynah-speaker-lion_house volume"].options["device"]

    assert device == {
        "identifiers": ["mynah-speaker-lion_house"],
        "name": "Lion house",
        "manufacturer": "Mynah",
        "model": "esp32s3",
        "sw_version": "0.1.0",
        "suggested_area": "Savanna",
        "connections": [["mac", "a0:b1:c2:d3:e4:f5"]],
        "via_device": "mynah-hub",
    }
    hub = entities("device", LION)["mynah-hub status"].options
    assert hub["device"]["identifiers"] == ["mynah-hub"]
    assert hub["origin"] == {"name": "Mynah", "sw_version": "0.1.0", "support_url": "http://192.168.1.2:8000"}


def test_entity_ids_are_given_in_the_new_way_and_the_old() -> None:
    volume = entities("device", LION)["mynah-speaker-lion_house volume"].options

    assert volume["default_entity_id"] == "number.lion_house_volume"
    assert volume["object_id"] == "lion_house_volume"


def test_an_address_that_is_none_of_the_web_is_left_out() -> None:
    (message,) = Discovery(DiscoveryOptions(), "mynah", "0.1.0").hub(HubFacts(http="unix:/run/mynah"))

    assert "cu" not in json.loads(message.payload)["dev"]
    assert json.loads(message.payload)["o"] == {"name": "Mynah", "sw": "0.1.0"}


@pytest.mark.parametrize(("form", "limit"), [("device", 24_576), ("single", 8192)])
def test_no_message_grows_without_bounds(form: str, limit: int) -> None:
    assert max(len(message.payload) for message in told(form, LARGEST)) <= limit


def test_commands_are_told_with_qos_1_and_never_retained() -> None:
    for entity in entities("single", LION).values():
        assert entity.options["qos"] == 1
        assert not entity.options.get("retain")


def pages() -> str:
    return (DOCS / "mqtt.md").read_text() + (DOCS / "home_assistant.md").read_text()


def topics(options: Any) -> list[str]:
    own = [value for key, value in options.items() if key.endswith("topic")]
    return own + [part["topic"] for part in options["availability"]]


def test_every_topic_is_documented() -> None:
    documented = set(re.findall(r"^\| `(mynah/[^`]+)` \|", pages(), re.MULTILINE))
    for entity in entities("single", LION).values():
        for topic in topics(entity.options):
            general = topic.replace("speaker/lion_house", "speaker/<id>").replace("group/all", "group/<name>")
            general, properties = re.subn("<id>/([a-z]+)/set", "<id>/<property>/set", general)
            assert general in documented, topic
            if properties:
                name = topic.split("/")[-2]
                assert re.search(
                    rf"^\| (?:`[a-z]+`, )*`{name}`(?:, `[a-z]+`)* \| (?:hub|speaker) \|", pages(), re.MULTILINE
                )
