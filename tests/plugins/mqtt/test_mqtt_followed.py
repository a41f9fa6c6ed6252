"""What the mqtt plugin offers other parts of the hub: publishing and following any topic; automations that use it."""

from __future__ import annotations

import pytest

from counterparts.mqtt_speaker import until
from mynah import InputError
from mynah_mqtt.followed import Followed


async def test_what_is_followed_comes_whatever_the_broker(world):
    came: list[tuple[str, str]] = []
    world.hub.parts["mqtt"].follow("mynah/zoo/+/water", lambda topic, payload: came.append((topic, payload)))
    async with world.admin() as admin:
        await admin.publish("mynah/zoo/pond/water", "7", retain=False)

        async def again() -> None:
            await admin.publish("mynah/zoo/pond/water", "8", retain=False)

        while not came:
            await again()
            await until(lambda: True, "a moment")
        await admin.publish("mynah/zoo/pond/air", "9", retain=False)
        await admin.publish("mynah/zoo/lake/water", "10", retain=False)
        await until(lambda: ("mynah/zoo/lake/water", "10") in came, "the message")
    assert not any(topic.endswith("air") for topic, _ in came)


async def test_what_was_retained_comes_to_who_follows_later(world):
    came: list[tuple[str, str]] = []
    async with world.admin() as admin:
        await admin.publish("mynah/ha/light/kitchen/state", "on", retain=True)
        await until(lambda: "on" in admin.on("mynah/ha/light/kitchen/state"), "the state")
        world.hub.parts["mqtt"].follow("mynah/ha/#", lambda topic, payload: came.append((topic, payload)))
        await until(lambda: came == [("mynah/ha/light/kitchen/state", "on")], "what was retained")


async def test_what_is_published_arrives(world):
    async with world.admin() as admin:
        world.hub.parts["mqtt"].publish("mynah/zoo/told", "hello", qos=1)
        world.hub.parts["mqtt"].publish("mynah/zoo/kept", "still", retain=True)
        await until(lambda: "hello" in admin.on("mynah/zoo/told"), "the message")
    async with world.admin() as late:
        await until(lambda: "still" in late.on("mynah/zoo/kept"), "what is retained")
        assert late.on("mynah/zoo/told") == []


@pytest.mark.parametrize("topic", ["", "a/+", "a/#", "a\0b", "x" * 2000])
def test_a_topic_that_cannot_be_published_to_is_refused(topic):
    with pytest.raises(InputError, match="is no topic"):
        Followed().publish(topic, "x")


@pytest.mark.parametrize("topic", ["", "a/#/b", "a+/b", "a#"])
def test_a_topic_that_cannot_be_followed_is_refused(topic):
    with pytest.raises(InputError, match="is no topic"):
        Followed().follow(topic, lambda topic, payload: None)


def test_who_follows_no_longer_is_told_nothing():
    came: list[str] = []
    followed = Followed()
    stop = followed.follow("a/#", lambda topic, payload: came.append(payload))
    followed.take("a/b", b"1")
    stop()
    followed.take("a/b", b"2")
    assert came == ["1"]


AUTOMATIONS = [
    {
        "alias": "Water",
        "triggers": [{"trigger": "mqtt", "topic": "mynah/zoo/+/water", "value_template": "{{ value|float < 20 }}",
                      "payload": "True"}],
        "actions": [{"mqtt.publish": {"topic": "mynah/zoo/alarm", "payload": "{{ trigger.topic.split('/')[2] }}"}}],
    },
    {
        "alias": "Kitchen light",
        "triggers": [{"trigger": "state", "entity_id": "light.kitchen", "to": "on"}],
        "conditions": [{"condition": "numeric_state", "entity_id": "light.kitchen", "attribute": "brightness",
                        "above": 100}],
        "actions": [{"mqtt.publish": {"topic": "mynah/zoo/alarm", "payload": "bright"}}],
    },
    {
        "alias": "Listen",
        "triggers": [{"trigger": "mqtt", "topic": "mynah/zoo/listen"}],
        "actions": [{"listen": {"where": "lion_house", "seconds": 3}}],
    },
]  # fmt: skip


async def test_automations_hear_speak_and_mirror_home_assistant_over_mqtt(make_world):
    world = make_world(automation={"statestream": "mynah/ha"}, automations=AUTOMATIONS)
    world.installed = (*world.installed, "automation")
    async with world.running(), world.admin() as admin:
        states = world.hub.parts["automation"].house
        await admin.publish("mynah/ha/light/kitchen/brightness", "200", retain=True)
        await admin.publish("mynah/ha/light/kitchen/friendly_name", '"Kitchen"', retain=True)
        await admin.publish("mynah/ha/light/kitchen/last_changed", '"2026-11-28"', retain=True)
        await until(lambda: states.state("light.kitchen") is not None, "the light")
        await until(lambda: len(states.state("light.kitchen").attributes) == 2, "its attributes")
        assert states.state("light.kitchen").attributes == {"brightness": 200, "friendly_name": "Kitchen"}
        await admin.publish("mynah/ha/light/kitchen/state", "on", retain=True)
        await until(lambda: "bright" in admin.on("mynah/zoo/alarm"), "the automation on the mirrored state")
        await admin.publish("mynah/zoo/lake/water", "30", retain=False)
        await admin.publish("mynah/zoo/pond/water", "10", retain=False)
        await until(lambda: "pond" in admin.on("mynah/zoo/alarm"), "the automation on a message")
        assert "lake" not in admin.on("mynah/zoo/alarm")
        await admin.publish("mynah/zoo/listen", "now", retain=False)
        command = await until(lambda: admin.on("mynah/speaker/lion_house/cmd"), "listen")
        assert (command[0]["command"], command[0]["seconds"]) == ("listen", 3)
