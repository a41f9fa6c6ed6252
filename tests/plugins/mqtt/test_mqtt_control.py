"""Speakers with MQTT, told by the hub what to do."""

from __future__ import annotations

import pytest

from counterparts.mqtt_speaker import until

HERE = "mynah/speaker/lion_house/"
pytestmark = pytest.mark.parametrize("kind", ["embedded"])


def row(world):
    return next(each for each in world.hub.speakers() if each["id"] == "lion_house")


async def test_speaker_is_told_by_mqtt_and_its_state_is_what_it_tells(world):
    async with world.speaker("lion_house") as speaker:
        await until(lambda: row(world)["volume"] == 50, "its state")
        assert row(world)["commands"] == ["volume", "mute", "stop", "listen", "reboot", "update"]
        report = await world.hub.command("lion_house", "volume", {"volume": 20})
        assert report.done == ("lion_house",)
        assert [(each["command"], each["volume"]) for each in speaker.done] == [("volume", 20)]


async def test_what_speaker_refuses_is_told_with_its_reason(world):
    async with world.speaker("lion_house"):
        await until(lambda: row(world)["commands"], "the speaker")
        report = await world.hub.command("savanna", "listen", {"seconds": 100})
    assert report.done == ()
    assert report.missed == {
        "lion_house": "seconds must be a whole number from 1 to 60", "giraffe_deck": "it is not connected"
    }  # fmt: skip


async def test_speaker_whose_broker_is_gone_is_told_over_its_session(world):
    speaker = world.speaker("lion_house")
    await speaker.connect()
    await until(lambda: row(world)["commands"], "the speaker")
    await speaker.die()
    async with world.session("lion_house") as session:
        await until(lambda: "reboot" not in row(world)["commands"], "its farewell")
        await world.hub.command("lion_house", "volume", {"volume": 20})
        assert (await session.expect("volume")).data["percent"] == 20


async def test_speaker_that_restarts_for_its_update_is_known_to(world):
    speaker = world.speaker("lion_house")
    await speaker.connect()
    await until(lambda: row(world)["commands"], "the speaker")
    await speaker.publish(HERE + "event", {"event": "update", "status": "rebooting", "version": "9.9.9"})
    await until(lambda: row(world)["update"], "the update")
    await speaker.die()
    await until(lambda: not row(world)["commands"], "its end")
    gone = row(world)
    assert (gone["update"], gone["volume"]) == ({"status": "rebooting", "version": "9.9.9"}, None)


async def test_how_an_update_goes_is_known(world):
    async with world.speaker("lion_house") as speaker:
        await until(lambda: row(world)["commands"], "the speaker")
        assert row(world)["latest"] == world.hub.firmware_version
        assert row(world)["update"] is None
        await speaker.publish(HERE + "event", {"event": "update", "status": "loading", "version": "9.9.9"})
        await until(lambda: row(world)["update"] == {"status": "loading", "version": "9.9.9"}, "the update")
        await speaker.publish(HERE + "event", {"event": "button", "action": "press", "x": "update"})
        await speaker.publish(HERE + "event", {"event": "update", "status": "nonsense"})
        report = await world.hub.command("lion_house", "update", {})
        assert "does not say for which chip" in report.missed["lion_house"]
        assert row(world)["update"]["status"] == "loading"
