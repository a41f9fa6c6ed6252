"""Home Assistant's discovery at both brokers: what lies there, when it is told again, and what is taken away."""

from __future__ import annotations

import asyncio
import json

import pytest

from counterparts.mqtt_broker import program
from counterparts.mqtt_speaker import until

DEVICE = "homeassistant/device/mynah-speaker-lion_house/config"
HUB = "homeassistant/device/mynah-hub/config"
SINGLE = "homeassistant/number/mynah-speaker-lion_house/volume/config"


def with_form(form: str, **more):
    return {"mqtt": {"home_assistant": {"form": form, **more}}}


def everything(world):
    return world.admin("homeassistant/#", "mynah/#")


async def test_hub_and_speakers_are_told_in_one_message_each(world):
    async with everything(world) as admin, world.speaker("lion_house"):
        await until(lambda: "microphone" in (admin.on(DEVICE) or [{"cmps": {}}])[-1]["cmps"], "a speaker's own")
        speaker, hub = admin.on(DEVICE)[-1], (await until(lambda: admin.on(HUB), "the hub"))[-1]

    assert speaker["avty"] == [{"t": "mynah/hub/availability"}, {"t": "mynah/speaker/lion_house/availability"}]
    assert (speaker["avty_mode"], speaker["dev"]["via_device"]) == ("all", hub["dev"]["ids"][0])
    assert {key: part["p"] for key, part in speaker["cmps"].items()} == {
        "volume": "number", "mute": "switch", "microphone": "switch", "persona": "select", "phase": "sensor",
        "last_heard": "sensor", "last_said": "sensor", "latency": "sensor", "event": "event", "say": "text",
        "announce": "notify", "stop": "button", "listen": "button", "restart": "button", "alarm": "siren",
        "firmware": "update",
    }  # fmt: skip
    assert {"status", "online", "latency", "say", "announce", "stop", "alarm"} == set(hub["cmps"])


async def test_single_form_has_a_message_for_each_entity(make_world):
    world = make_world(**with_form("single"))
    async with world.running(), everything(world) as admin:
        await until(lambda: admin.on(SINGLE), "the volume")
        payload = admin.on(SINGLE)[-1]

    assert payload["command_topic"] == "mynah/speaker/lion_house/volume/set"
    assert payload["state_topic"] == "mynah/speaker/lion_house/state"
    assert payload["availability_mode"] == "all"
    assert not admin.on(DEVICE)


async def test_mosquitto_sub_shows_the_tree(world):
    """What Home Assistant is to find lies retained at the broker, and so does every state that it reads."""
    async with world.speaker("lion_house"), world.session("lion_house"), everything(world) as admin:
        await until(lambda: "firmware" in (admin.on(DEVICE) or [{"cmps": {}}])[-1]["cmps"], "the speaker")
        await until(lambda: admin.on("mynah/speaker/lion_house/hub"), "what is known of it")
        config = admin.on(DEVICE)[-1]
        read = {
            part[key] for part in config["cmps"].values() for key in part if key in ("stat_t", "l_ver_t", "json_attr_t")
        }
        read |= {each["t"] for each in config["avty"]}
        tree = await shown(world, {DEVICE, *read} - {"mynah/speaker/lion_house/event"})

    assert json.loads(tree[DEVICE])["cmps"].keys() == config["cmps"].keys()
    for part in config["cmps"].values():
        if part["p"] == "sensor":
            assert json.loads(tree[part["stat_t"]]).keys() & {"phase", "heard", "said", "ms"}


async def shown(world, topics: set[str]) -> dict[str, str]:
    """What mosquitto_sub shows of what is retained, once these topics are among it."""
    arguments = ["-h", "127.0.0.1", "-p", str(world.port), "-u", "admin", "-P", world.passwords["admin"],
                 "-v", "--retained-only", "-t", "homeassistant/#", "-t", "mynah/#"]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        program("mosquitto_sub"), *arguments, stdout=asyncio.subprocess.PIPE, limit=2**20
    )
    tree: dict[str, str] = {}
    try:
        async with asyncio.timeout(20):
            while not topics <= tree.keys():
                topic, payload = (await process.stdout.readline()).decode().rstrip("\n").split(" ", 1)
                tree[topic] = payload
    except TimeoutError:
        pass
    finally:
        process.kill()
        await process.communicate()
    assert topics <= tree.keys()
    return tree


async def test_all_is_told_again_when_home_assistant_starts(world, monkeypatch):
    monkeypatch.setattr("mynah_mqtt.home_assistant.discovery.JITTER_S", (0.1, 0.3))
    async with everything(world) as admin:
        await until(lambda: admin.on(HUB) and admin.on(DEVICE), "the first time")
        before = len(admin.on(DEVICE))
        await admin.publish("homeassistant/status", "online")
        await until(lambda: len(admin.on(DEVICE)) > before, "the second time")

    assert admin.on(DEVICE)[-1] == admin.on(DEVICE)[before - 1]


async def test_an_open_microphone_that_was_switched_off_is_switched_on_to_open_again(world):
    async with everything(world) as admin, world.speaker("lion_house") as speaker:
        for mode in ("open", "off"):
            speaker.state["microphone"] = mode
            await speaker.publish(speaker.topic("state"), speaker.state, retain=True)
            await until(lambda: len(admin.on("mynah/speaker/lion_house/state")) > 1, "its state")
            await until(
                lambda: (admin.on(DEVICE) or [{"cmps": {}}])[-1]["cmps"].get("microphone", {}).get("pl_on") == "open",
                "how it is when on",
            )
        count = len(admin.on(DEVICE))
        speaker.info["firmware"] = "0.2.0"  # something else to tell
        await speaker.publish(speaker.topic("info"), speaker.info, retain=True)
        await until(lambda: len(admin.on(DEVICE)) > count, "what is new")
        assert admin.on(DEVICE)[-1]["cmps"]["microphone"]["pl_on"] == "open"


async def test_forgotten_speaker_is_taken_away(world):
    topic = "homeassistant/device/mynah-speaker-aquarium/config"
    async with everything(world) as admin:
        world.hub.note_speaker("aquarium", {"online": False})
        await until(lambda: admin.on(topic), "the speaker")
        world.hub.forget_speaker("aquarium")
        await until(lambda: admin.on(topic)[-1] == "", "its end")


async def test_what_a_forgotten_speaker_was_like_outlives_its_introduction(world):
    """Home Assistant would read what is emptied as a state, as long as it knows the entity."""
    topic = "homeassistant/device/mynah-speaker-aquarium/config"
    async with everything(world) as admin:
        world.hub.note_speaker("aquarium", {"online": False})
        await until(lambda: admin.on(topic) and admin.on("mynah/speaker/aquarium/hub"), "the speaker")
        world.hub.forget_speaker("aquarium")
        await until(lambda: admin.on("mynah/speaker/aquarium/hub")[-1] == "", "the end of what is known")
        emptied = [name for name, payload in admin.messages if not payload]

    assert emptied.index(topic) < emptied.index("mynah/speaker/aquarium/hub")


@pytest.mark.parametrize("kind", ["mosquitto"])
async def test_what_is_retained_of_a_forgotten_speaker_is_emptied_when_the_hub_stops(make_world, monkeypatch):
    monkeypatch.setattr("mynah_mqtt.known.FORGET_S", 60.0)
    world = make_world()
    async with everything(world) as admin:
        async with world.running():
            world.hub.note_speaker("aquarium", {"online": True})
            await until(lambda: online(admin) == 1 and admin.on("mynah/speaker/aquarium/hub"), "the speaker")
            world.hub.forget_speaker("aquarium")
            await until(lambda: online(admin) == 0, "its end")
            assert admin.on("mynah/speaker/aquarium/hub")[-1] != ""
        await until(lambda: admin.on("mynah/speaker/aquarium/hub")[-1] == "", "nothing")


def online(admin) -> int:
    """How many speakers the hub says are connected."""
    return (admin.on("mynah/hub/state") or [{"online": -1}])[-1]["online"]


@pytest.mark.parametrize("kind", ["mosquitto"])
@pytest.mark.parametrize("change", [{"discovery": False}, {"form": "single"}])
async def test_what_an_earlier_run_left_is_taken_away(make_world, monkeypatch, change):
    monkeypatch.setattr("mynah_mqtt.home_assistant.discovery.SETTLE_S", 0.1)
    world = make_world()
    async with world.running(), everything(world) as admin:
        await until(lambda: admin.on(HUB) and admin.on(DEVICE), "the first run")
    world.config["mqtt"]["home_assistant"] = change
    async with everything(world) as admin, world.running():
        await until(lambda: "" in admin.on(HUB) and "" in admin.on(DEVICE), "the end of it")
