"""Whatever comes over the wire, the hub and its broker go on."""

from __future__ import annotations

import asyncio
import json
import random
import time

import pytest

from mynah_mqtt import payloads
from mynah_mqtt.packets import whole_packet

ROUNDS = 100


def anything(source: random.Random, depth: int = 0):
    """Return some JSON value."""
    return source.choice(
        (
            lambda: None,
            lambda: source.random() < 0.5,
            lambda: source.choice((0, -1, 40, 10**30, 1.5, -1e300)),
            lambda: source.choice(("", "stop", "say", "\x00", "ü" * 2000, "zoo_guide", "1", "\ud800")),
            lambda: [anything(source, depth + 1) for _ in range(source.randrange(3))] if depth < 3 else [],
            lambda: {source.choice(("id", "a", "text")): anything(source, depth + 1)} if depth < 3 else {},
        )
    )()


def a_message(source: random.Random) -> tuple[str, bytes]:
    """Return a topic and something on it."""
    place = source.choice(("speaker/lion_house", "speaker/x", "group/savanna", "group/all", "hub/request", "hub"))
    leaf = source.choice(
        ("cmd", "info", "state", "reply", "availability", "volume/set", "health", "speakers", "", "a/b/c")
    )
    name = source.choice((*payloads.COMMANDS, "sing"))
    fields = [str(field) for field in payloads.COMMANDS.get(name, payloads.Shape("hub", {})).fields]
    content = {field: anything(source) for field in source.sample(fields, source.randrange(len(fields) + 1))}
    content |= {"id": anything(source), "command": source.choice((name, anything(source)))}
    payload = source.choice(
        (json.dumps(content).encode(), json.dumps(anything(source)).encode(), source.randbytes(source.randrange(60)))
    )
    return f"mynah/{place}/{leaf}", payload


@pytest.mark.parametrize("kind", ["embedded"])
async def test_whatever_is_published_the_hub_goes_on(world):
    source = random.Random(3)
    async with world.session("lion_house"), world.admin() as admin:
        for _ in range(ROUNDS):
            topic, payload = a_message(source)
            await admin.publish(topic, payload, qos=source.randrange(2), retain=source.random() < 0.2)
        await admin.publish("mynah/hub/request/health", {"id": "after"})
        assert (await admin.reply("mynah/hub/response/health", "after"))["ok"]


@pytest.mark.parametrize("kind", ["embedded"])
async def test_whatever_a_client_sends_the_broker_goes_on(world):
    source = random.Random(5)

    def field(value: bytes) -> bytes:
        return len(value).to_bytes(2, "big") + value

    token = world.passwords["lion_house"].encode()
    hello = field(b"MQTT") + b"\x04\xc2\x00\x3c" + field(b"lion_house") * 2 + field(token)
    for _ in range(40):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        damaged = bytearray(whole_packet(1, 0, hello))
        if source.random() < 0.3:
            damaged[source.randrange(14)] = source.randrange(256)
        writer.write(damaged)
        for _ in range(source.randrange(4)):
            kind, flags = source.choice((3, 4, 8, 10, 12, 14, source.randrange(16))), source.randrange(16)
            body = source.choice((b"", field(b"mynah/speaker/lion_house/event") + b"x", source.randbytes(12)))
            writer.write(whole_packet(kind, flags, body))
        writer.write_eof()
        async with asyncio.timeout(15):
            while await reader.read(4096):
                pass
        writer.close()
    async with world.admin() as admin:
        await admin.publish("mynah/hub/request/health", {"id": "after"})
        assert (await admin.reply("mynah/hub/response/health", "after"))["ok"]


@pytest.mark.parametrize("kind", ["embedded"])
async def test_speaker_that_floods_the_broker_leaves_room_for_the_others(world):
    async with (
        world.speaker("lion_house") as flooding,
        world.speaker("giraffe_deck") as other,
        world.admin("mynah/speaker/giraffe_deck/reply") as admin,
    ):
        flood = asyncio.create_task(pour(flooding))
        times = []
        for number in range(4):
            began = time.monotonic()
            await admin.publish("mynah/speaker/giraffe_deck/cmd", {"id": f"c{number}", "command": "stop"})
            await admin.reply("mynah/speaker/giraffe_deck/reply", f"c{number}")
            times.append(time.monotonic() - began)
        sent = flood.cancel() and len(other.done)
        await asyncio.gather(flood, return_exceptions=True)

    assert sent == 4
    assert max(times) < 10, times


async def pour(speaker) -> None:
    """Publish what the hub follows, and what it does not, as fast as it goes."""
    while True:
        for leaf in ("state", "event", "reply"):
            speaker.client._client.publish(speaker.topic(leaf), json.dumps({"phase": "idle", "id": "x"}), 0)
        await asyncio.sleep(0.001)
