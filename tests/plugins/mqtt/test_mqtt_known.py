"""What the hub tells of itself and of each speaker; alarms and voices, which show there."""

from __future__ import annotations

from counterparts.mqtt_speaker import until

HERE = "mynah/speaker/lion_house/"
CMD, REPLY, KNOWN = HERE + "cmd", HERE + "reply", HERE + "hub"
GROUP = "mynah/group/all/"


def last(peer, topic):
    """What is known by now on a topic, or nothing."""
    return (peer.on(topic) or [{}])[-1]


async def test_what_was_heard_and_said_is_known_and_retained(world):
    async with world.session("lion_house") as session, world.admin() as admin:
        await session.ask_text("What do lions eat?")
        await until(lambda: last(admin, KNOWN).get("said"), "what was said")
        await until(lambda: last(admin, "mynah/hub/state").get("ms") is not None, "its latency")
        async with world.admin(KNOWN, "mynah/hub/state") as other:
            await until(lambda: other.on(KNOWN) and other.on("mynah/hub/state"), "what is retained")

    known, state = other.on(KNOWN)[0], other.on("mynah/hub/state")[0]
    assert known["heard"] == "What do lions eat?"
    assert (known["persona"], known["alarm"], known["latest"]) == ("sparrow", False, None)
    assert state["online"] == 1
    assert state["ms"] == known["ms"]


async def test_alarm_goes_on_until_it_is_ended(world):
    slowly = {"playback": "real_time", "buffer_ms": 500}
    async with (
        world.session("lion_house", **slowly),
        world.session("reptile_house", **slowly),
        world.admin() as admin,
    ):
        await admin.publish(GROUP + "cmd", {"id": "on", "command": "alarm", "on": True, "seconds": 3600, "volume": 90})
        reply = await admin.reply(GROUP + "reply", "on")
        assert (reply["ok"], reply["heard"]) == (True, ["lion_house", "reptile_house"])
        assert [each["speaker"] for each in reply["missed"]] == ["giraffe_deck"]
        await until(lambda: last(admin, KNOWN).get("alarm") and last(admin, "mynah/hub/state").get("alarm"), "it")
        await admin.publish(CMD, {"id": "off", "command": "alarm", "on": False})
        assert (await admin.reply(REPLY, "off"))["ok"]
        await until(lambda: last(admin, KNOWN).get("alarm") is False, "its end here")
        assert last(admin, "mynah/hub/state")["alarm"]
        await admin.publish(GROUP + "cmd", {"id": "stop", "command": "stop"})
        await until(lambda: last(admin, "mynah/hub/state").get("alarm") is False, "its end everywhere")


async def test_alarm_that_is_a_chime_ends_by_itself(world):
    async with world.session("lion_house"), world.admin() as admin:
        await admin.publish(CMD, {"id": "1", "command": "alarm", "on": True, "tone": "chime"})
        assert (await admin.reply(REPLY, "1"))["ok"]
        await until(lambda: last(admin, KNOWN).get("alarm") is False, "its end")


async def test_alarm_for_nobody_is_told(world):
    async with world.admin() as admin:
        await admin.publish(CMD, {"id": "1", "command": "alarm", "on": True})
        reply = await admin.reply(REPLY, "1")

    assert (reply["ok"], reply["code"]) == (False, "offline")


async def test_voice_is_set_and_the_persona_s_own_again(world):
    async with world.session("lion_house"), world.admin() as admin:
        for name, shown in (("en-us", "en-us"), ("default", None)):
            await admin.publish(HERE + "voice/set", name)
            await until(lambda shown=shown: last(admin, KNOWN).get("voice", 0) == shown, f"the voice {name}")


async def test_topics_of_a_forgotten_speaker_are_emptied(world):
    async with world.admin() as admin:
        world.hub.note_speaker("aquarium", {"online": False})
        await until(lambda: admin.on("mynah/speaker/aquarium/hub"), "the speaker")
        world.hub.forget_speaker("aquarium")
        await until(lambda: admin.on("mynah/speaker/aquarium/hub")[-1] == "", "its end")
        async with world.admin("mynah/speaker/+/hub", "mynah/hub/availability") as other:
            await until(lambda: other.on("mynah/hub/availability"), "what is retained")

    assert "mynah/speaker/aquarium/hub" not in [topic for topic, _ in other.messages]
