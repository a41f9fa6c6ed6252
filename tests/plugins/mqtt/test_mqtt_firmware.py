"""The firmware, on MicroPython, at both brokers."""

from __future__ import annotations

from counterparts.mqtt_speaker import until
from mynah.testing.simulated import HEAP, SimulatedSpeaker, websocket_url

HERE = "mynah/speaker/lion_house/"


async def test_firmware_is_steered_over_mqtt_while_it_speaks_over_its_session(world, build, tmp_path):
    folder = tmp_path / "speaker"
    folder.mkdir()
    settings = {
        "id": "lion_house",
        "hub": websocket_url(world.hub.addresses["http"]),
        "broker": f"mqtt://127.0.0.1:{world.port}",
        "token": world.passwords["lion_house"],
        "key": bytes(32),
    }
    async with world.admin() as admin:
        if world.kind == "mosquitto":  # there the passwords are the broker's own
            world.hub.access = lambda token: ("speaker", "lion_house") if token == settings["token"] else None
        async with SimulatedSpeaker(folder, build, HEAP, **settings) as speaker:
            await until(lambda: "firmware" in (admin.on(HERE + "info") or [{}])[-1], "the speaker", 30)
            await speaker.connected()
            for command in (
                {"id": "1", "command": "volume", "volume": 33},
                {"id": "2", "command": "say", "text": "Feeding time!"},
                {"id": "3", "command": "persona", "persona": "sparrow"},
                {"id": "4", "command": "dance"},
                {"id": "5", "command": "volume", "volume": 333},
            ):
                await admin.publish(HERE + "cmd", command)
            replies = {id: await admin.reply(HERE + "reply", id, 30) for id in "12345"}
            await admin.publish("mynah/group/savanna/cmd", {"id": "g", "command": "mute", "mute": True})
            group = await admin.reply("mynah/group/savanna/reply", "g", 30)
        await until(lambda: admin.on(HERE + "availability")[-1] == "offline", "the last will")

    assert {id: (reply["by"], reply["ok"]) for id, reply in replies.items()} == {
        "1": ("speaker", True),
        "2": ("hub", True),
        "3": ("hub", True),
        "4": ("hub", False),
        "5": ("speaker", False),
    }
    assert len([each for each in admin.on(HERE + "reply") if each["id"] in "12345"]) == 5
    assert group["heard"] == ["lion_house"]
    assert admin.on(HERE + "info")[-1]["firmware"]
