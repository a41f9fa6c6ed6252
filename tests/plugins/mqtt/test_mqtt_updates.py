"""Updates over MQTT: packed, signed and served by the hub, loaded by the firmware under MicroPython."""

from __future__ import annotations

from contextlib import asynccontextmanager

import aiohttp
import pytest

from counterparts.mqtt_speaker import until
from mynah.firmware import firmware_folder, firmware_version
from mynah.testing.simulated import HEAP, SimulatedSpeaker, websocket_url
from mynah_mqtt.updates import PATH

HERE = "mynah/speaker/lion_house/"


@asynccontextmanager
async def speaker_of(world, folder, build, key):
    """The firmware, set up for the world."""
    folder.mkdir()
    if world.kind == "mosquitto":  # there the passwords are the broker's own; here they are the hub's as well
        world.hub.access = lambda token: ("speaker", "lion_house") if token == world.passwords["lion_house"] else None
    settings = {
        "id": "lion_house",
        "hub": websocket_url(world.hub.addresses["http"]),
        "broker": f"mqtt://127.0.0.1:{world.port}",
        "token": world.passwords["lion_house"],
        "key": key,
    }
    async with SimulatedSpeaker(folder, build, HEAP, **settings) as speaker, world.admin() as admin:
        await until(lambda: admin.on(HERE + "availability")[-1:] == ["online"], "the speaker", 30)
        yield speaker, admin


async def test_speaker_is_sent_the_hubs_firmware_and_starts_it(world, build, tmp_path):
    key = world.hub.storage.make_key("lion_house")
    async with speaker_of(world, tmp_path / "speaker", build, key) as (speaker, admin):
        await admin.publish("mynah/hub/request/update", {"id": "u", "speaker": "lion_house"})
        response = await admin.reply("mynah/hub/response/update", "u", 30)
        assert (response["ok"], response["version"]) == (True, firmware_version())
        await until(lambda: [each for each in admin.on(HERE + "reply") if each["command"] == "update"], "its word", 30)
        assert admin.on(HERE + "reply")[-1]["ok"], admin.on(HERE + "reply")[-1]
        await speaker.ended()
        names = {file.stem for file in (tmp_path / "speaker" / "b").iterdir()}
        await until(lambda: admin.on(HERE + "hub")[-1]["latest"] == firmware_version(), "what is the latest")
        await until(lambda: len(statuses(admin)) == 2, "how it went")

    assert names == {file.stem for file in (firmware_folder() / "app").glob("*.py")}
    assert statuses(admin) == ["loading", "rebooting"]


def statuses(admin) -> list[str]:
    """What was told of an update."""
    return [each["status"] for each in admin.on(HERE + "event") if each["event"] == "update"]


@pytest.mark.parametrize("kind", ["embedded"])
async def test_update_with_a_wrong_signature_is_refused_by_the_speaker(world, build, tmp_path, caplog):
    key = world.hub.storage.make_key("lion_house")
    async with speaker_of(world, tmp_path / "speaker", build, bytes(32)) as (_, admin):
        await admin.publish(HERE + "firmware/set", "latest")
        await until(lambda: [each for each in admin.on(HERE + "reply") if each["command"] == "update"], "its word", 30)
        assert not (tmp_path / "speaker" / "b").exists() or not list((tmp_path / "speaker" / "b").iterdir())
        why = "a command at lion_house ('update') was not done: refused: the signature is wrong"
        await until(lambda: why in caplog.text, "the reason in the log")

    reply = admin.on(HERE + "reply")[-1]
    assert (reply["code"], reply["message"]) == ("refused", "the signature is wrong")
    assert key.hex() not in caplog.text + "".join(payload for _, payload in admin.messages)


async def test_what_cannot_be_updated_is_told(world):
    async with world.admin() as admin, world.speaker("lion_house") as speaker:
        await until(lambda: admin.on(HERE + "availability")[-1:] == ["online"], "the speaker")
        for value, code in (("latest", "failed"), ("9.9.9", "unknown")):
            admin.messages.clear()
            await admin.publish(HERE + "firmware/set", value)
            reply = await admin.reply(HERE + "reply", None)
            assert (reply["command"], reply["code"]) == ("firmware/set", code)
        admin.messages.clear()
        await speaker.publish(HERE + "info", {**speaker.info, "mpy": 10 << 10 | 0x306}, retain=True)
        await admin.publish("mynah/hub/request/update", {"id": "k", "speaker": "lion_house"})
        reply = await admin.reply("mynah/hub/response/update", "k")
        assert (reply["code"], "has no key for updates" in reply["message"]) == ("refused", True)
        for id, code in (("giraffe_deck", "failed"), ("nobody", "unknown")):
            await admin.publish("mynah/hub/request/update", {"id": id, "speaker": id})
            assert (await admin.reply("mynah/hub/response/update", id))["code"] == code


@pytest.mark.parametrize("kind", ["embedded"])
async def test_firmware_is_served_to_the_token_of_its_speaker_alone(world):
    world.hub.storage.make_key("lion_house")
    url = world.hub.addresses["http"] + PATH.format(id="lion_house", architecture="xtensawin")
    tokens = {"": 403, "giraffe_deck": 403, "admin": 403, "lion_house": 200}
    found = {}
    async with aiohttp.ClientSession() as client:
        for name in tokens:
            headers = {"Authorization": f"Bearer {world.passwords[name]}"} if name else {}
            async with client.get(url, headers=headers) as answer:
                found[name] = answer.status
                data = await answer.read()

    assert found == tokens
    assert data == (await world.hub.firmware("lion_house", "xtensawin")).data
