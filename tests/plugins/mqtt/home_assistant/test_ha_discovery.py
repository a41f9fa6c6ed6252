from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mynah_mqtt.home_assistant import Discovery, DiscoveryOptions, HubFacts, Publish, SpeakerFacts

LION = SpeakerFacts("lion_house", firmware="0.1.0", personas=("zoo_guide",))
DEVICE_TOPIC = "homeassistant/device/mynah-speaker-lion_house/config"
MIGRATE = b'{"migrate_discovery": true}'


class Broker:
    """Keeps what is retained, and counts what is published."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.seen: list[Publish] = []

    def take(self, messages: list[Publish]) -> list[Publish]:
        self.seen += messages
        for message in messages:
            if message.retain and message.payload:
                self.retained[message.topic] = message.payload
            elif message.retain:
                self.retained.pop(message.topic, None)
        return messages

    def show(self, discovery: Discovery) -> None:
        for topic, payload in self.retained.items():
            discovery.found(topic, payload)


@pytest.fixture
def broker() -> Broker:
    return Broker()


def discovery(form: str = "device", base: str = "mynah", **options: object) -> Discovery:
    return Discovery(DiscoveryOptions(form=form, **options), base, "0.1.0", rng=lambda: 0.5)


def test_what_is_published_already_is_not_published_again() -> None:
    mynah = discovery()

    assert [message.topic for message in mynah.hub(HubFacts())] == ["homeassistant/device/mynah-hub/config"]
    assert [message.topic for message in mynah.speaker(LION)] == [DEVICE_TOPIC]
    assert mynah.hub(HubFacts()) == mynah.speaker(LION) == []


def test_a_renamed_speaker_is_published_again_under_the_same_ids(broker: Broker) -> None:
    mynah = discovery()
    broker.take(mynah.speaker(LION))
    before = json.loads(broker.retained[DEVICE_TOPIC])

    (message,) = broker.take(mynah.speaker(replace(LION, name="Big cats")))

    after = json.loads(message.payload)
    assert after["dev"]["name"] == "Big cats"
    assert after["cmps"] == before["cmps"]


@pytest.mark.parametrize("form", ["device", "single"])
def test_a_removed_speaker_leaves_nothing_behind(broker: Broker, form: str) -> None:
    mynah = discovery(form)
    broker.take(mynah.hub(HubFacts()))
    alone = dict(broker.retained)
    broker.take(mynah.speaker(LION))

    removal = broker.take(mynah.removed("lion_house"))

    assert broker.retained == alone
    assert all(message.retain and not message.payload for message in removal)
    assert mynah.removed("lion_house") == []


@pytest.mark.parametrize("form", ["device", "single"])
def test_a_removed_speaker_is_taken_away_again_for_a_home_assistant_that_was_away(broker: Broker, form: str) -> None:
    mynah = discovery(form)
    broker.take(mynah.hub(HubFacts()))
    alone = dict(broker.retained)
    broker.take(mynah.speaker(LION))
    gone = {message.topic for message in mynah.removed("lion_house")}

    again = broker.take(mynah.everything())

    assert {message.topic for message in again if message.retain and not message.payload} == gone
    assert broker.retained == alone
    mynah.speaker(LION)
    assert all(message.payload for message in mynah.everything())


def test_of_speakers_that_were_removed_the_last_hundred_are_remembered() -> None:
    mynah = discovery()
    for number in range(150):
        mynah.speaker(SpeakerFacts(f"page-{number}"))
        mynah.removed(f"page-{number}")

    topics = [message.topic for message in mynah.everything()]

    assert len(topics) == 100
    assert topics[-1] == "homeassistant/device/mynah-speaker-page-149/config"


@pytest.mark.parametrize("form", ["device", "single"])
def test_everything_is_the_same_again_and_the_hub_comes_first(broker: Broker, form: str) -> None:
    mynah = discovery(form)
    broker.take(mynah.speaker(LION))
    broker.take(mynah.hub(HubFacts()))

    again = mynah.everything()

    assert {message.topic: message.payload for message in again} == broker.retained
    assert "mynah-hub" in again[0].topic


def test_an_entity_that_is_gone_from_a_device_is_announced_as_removed_first(broker: Broker) -> None:
    mynah = discovery()
    broker.take(mynah.speaker(LION))

    first, second = broker.take(mynah.speaker(replace(LION, records=False)))

    components = json.loads(first.payload)["cmps"]
    assert components["microphone"] == {"p": "switch"}
    assert components["listen"] == {"p": "button"}
    assert components["last_heard"] == {"p": "sensor"}
    assert components["volume"]["p"] == "number"
    assert second.pause > 0
    assert not {"microphone", "listen", "last_heard"} & set(json.loads(second.payload)["cmps"])


def test_an_entity_that_is_gone_is_emptied_in_the_single_form(broker: Broker) -> None:
    mynah = discovery("single")
    broker.take(mynah.speaker(LION))

    messages = broker.take(mynah.speaker(replace(LION, records=False)))

    assert {(message.topic, message.payload) for message in messages} == {
        (f"homeassistant/{leaf}/config", b"")
        for leaf in (
            "switch/mynah-speaker-lion_house/microphone",
            "button/mynah-speaker-lion_house/listen",
            "sensor/mynah-speaker-lion_house/last_heard",
        )
    }


def restarted(broker: Broker, form: str, *speakers: SpeakerFacts, early: bool = False, **options: object) -> Discovery:
    """Return the discovery of a hub that was started again and has connected; `early`: its facts were there before."""
    mynah = discovery(form, **options)
    if early:
        facts_told(mynah, speakers)  # there is no connection yet
        broker.show(mynah)
    else:
        broker.show(mynah)
        broker.take(facts_told(mynah, speakers))
    broker.take(mynah.everything())
    return mynah


def facts_told(mynah: Discovery, speakers: tuple[SpeakerFacts, ...]) -> list[Publish]:
    return [*mynah.hub(HubFacts()), *(message for facts in speakers for message in mynah.speaker(facts))]


@pytest.mark.parametrize("form", ["device", "single"])
@pytest.mark.parametrize("early", [False, True])
def test_a_speaker_removed_while_the_hub_was_down_is_taken_away(broker: Broker, form: str, early: bool) -> None:
    mynah = discovery(form)
    broker.take([*mynah.hub(HubFacts()), *mynah.speaker(LION), *mynah.speaker(SpeakerFacts("porch"))])

    restarted(broker, form, SpeakerFacts("porch"), early=early)

    assert not [topic for topic in broker.retained if "lion_house" in topic]
    assert [topic for topic in broker.retained if "porch" in topic]


@pytest.mark.parametrize(("old", "new"), [("device", "single"), ("single", "device")])
@pytest.mark.parametrize("early", [False, True])
def test_another_form_takes_the_place_of_the_old_one(broker: Broker, old: str, new: str, early: bool) -> None:
    fresh = Broker()
    restarted(fresh, new, LION)
    mynah = discovery(old)
    broker.take([*mynah.hub(HubFacts()), *mynah.speaker(LION)])
    outdated = set(broker.retained)
    broker.seen.clear()

    restarted(broker, new, LION, early=early)

    assert broker.retained == fresh.retained
    migrated = {message.topic for message in broker.seen if message.payload == MIGRATE}
    emptied = {message.topic for message in broker.seen if not message.payload}
    assert migrated == emptied == outdated


def test_a_form_is_changed_in_the_order_that_keeps_settings(broker: Broker) -> None:
    broker.take(discovery("single").speaker(LION))
    broker.seen.clear()
    mynah = discovery("device")
    broker.show(mynah)

    messages = broker.take(mynah.speaker(LION))

    step = ["migrate" if m.payload == MIGRATE else "publish" if m.payload else "empty" for m in messages]
    assert step == sorted(step, key=["migrate", "publish", "empty"].index)
    assert [m.pause > 0 for m in messages if m.payload == MIGRATE] == [False] * step.count("migrate")
    assert messages[step.index("publish")].pause > 0
    assert messages[step.index("empty")].pause > 0
    assert not any(m.retain for m in messages if m.payload == MIGRATE)


def test_what_the_other_form_had_and_this_one_lacks_is_not_carried_over(broker: Broker) -> None:
    broker.take(discovery("single").speaker(LION))
    mynah = discovery("device")
    broker.show(mynah)

    messages = mynah.speaker(replace(LION, records=False))

    microphone = "homeassistant/switch/mynah-speaker-lion_house/microphone/config"
    assert [m.payload for m in messages if m.topic == microphone] == [b""]


@pytest.mark.parametrize("early", [False, True])
def test_an_entity_gone_while_the_hub_was_down_is_announced_as_removed(broker: Broker, early: bool) -> None:
    broker.take(discovery().speaker(LION))
    broker.seen.clear()

    restarted(broker, "device", replace(LION, records=False), early=early)

    first, second, *_ = (json.loads(m.payload)["cmps"] for m in broker.seen if m.topic == DEVICE_TOPIC)
    assert first["microphone"] == {"p": "switch"}
    assert "microphone" not in second


@pytest.mark.parametrize("form", ["device", "single"])
def test_switched_off_it_takes_everything_away(broker: Broker, form: str) -> None:
    mynah = discovery(form)
    broker.take([*mynah.hub(HubFacts()), *mynah.speaker(LION)])

    mynah = restarted(broker, form, LION, discovery=False)

    assert broker.retained == {}
    assert mynah.removed("lion_house") == []
    assert [message.payload for message in mynah.everything() if message.payload] == []


def test_messages_of_others_are_left_alone() -> None:
    mynah = discovery()

    for topic in (
        "homeassistant/device/zigbee2mqtt_0x12/config",
        "homeassistant/device/mynah-speaker-x/y/config",
        "homeassistant/sensor/mynah-hub/config",
        "homeassistant/sensor/mynah_two-hub/status/config",
        "homeassistant/sensor/mynah-speaker-X/phase/config",
        "elsewhere/device/mynah-hub/config",
        "mynah/hub/state",
    ):
        mynah.found(topic, b"{}")

    assert mynah.everything() == []


@pytest.mark.parametrize("payload", [b"\xff", b"[]", b"null", b'{"cmps": []}', b'{"cmps": {"a": 1}}', b"[" * 100_000])
def test_whatever_lies_on_our_topic_is_written_over(payload: bytes) -> None:
    mynah = discovery()
    mynah.found(DEVICE_TOPIC, payload)

    (message,) = mynah.speaker(LION)

    assert json.loads(message.payload)["dev"]["ids"] == ["mynah-speaker-lion_house"]


def test_two_hubs_on_one_broker_do_not_touch_each_other(broker: Broker) -> None:
    for base in ("mynah", "Mynah", "house/mynah", "house-mynah", "mynah-speaker-lion_house"):
        broker.take(discovery(base=base).hub(HubFacts()))
    assert len(broker.retained) == 5
    before = dict(broker.retained)

    mynah = discovery(base="mynah")
    broker.show(mynah)
    broker.take(mynah.everything())

    assert broker.retained == {t: p for t, p in before.items() if t != "homeassistant/device/mynah-hub/config"}


def test_what_the_broker_holds_is_looked_at_within_bounds() -> None:
    mynah = discovery()
    for n in range(30_000):
        mynah.found(f"homeassistant/device/mynah-speaker-s{n}/config", b"{}")

    assert len(mynah.everything()) == 20_000


def test_home_assistants_birth_is_answered_after_a_while() -> None:
    times = [
        Discovery(DiscoveryOptions(), "mynah", "0.1.0", rng=lambda x=x: x).on_status(b"online") for x in (0, 0.5, 1)
    ]

    assert times == [0.5, 2.75, 5.0]
    assert discovery().on_status("online") == 2.75


@pytest.mark.parametrize("payload", [b"offline", b"", b"\xff", "Online"])
def test_anything_else_on_the_status_topic_is_not_answered(payload: bytes | str) -> None:
    assert discovery().on_status(payload) is None


def test_topics_follow_the_prefix() -> None:
    mynah = discovery(prefix="ha/test")

    assert mynah.status_topic == "ha/test/status"
    assert mynah.config_filters == ("ha/test/device/+/config", "ha/test/+/+/+/config")
    assert mynah.speaker(LION)[0].topic == "ha/test/device/mynah-speaker-lion_house/config"
    assert discovery(status_topic="hass/status").status_topic == "hass/status"
