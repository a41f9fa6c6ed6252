"""The connection to a broker: stopped at any moment, lost at any other, and nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import aiomqtt
import pytest
from paho.mqtt.client import MQTTMessage

from counterparts.mqtt_speaker import Peer, until
from mynah_mqtt.client import Client, complete
from mynah_mqtt.link import Link, Target
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.topics import Topics


@pytest.mark.parametrize("kind", ["mosquitto"])
@pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.long)])
async def test_link_that_is_stopped_at_any_moment_stops(broker, count):
    source = random.Random(11)
    target = Target("127.0.0.1", broker.port, "mynah-hub", "hub", broker.passwords["hub"])
    for _ in range(count):
        outbox = Outbox()
        link = asyncio.create_task(Link(target, Topics(), outbox, lambda *_: None).run())
        chatter = asyncio.create_task(talk(outbox))
        await asyncio.sleep(source.uniform(0, 0.03))
        link.cancel()
        done, _ = await asyncio.wait({link}, timeout=15)
        chatter.cancel()
        assert done
        assert link.cancelled()
        await asyncio.wait({chatter})
    await until(lambda: len(asyncio.all_tasks()) == 1, "the end of every connection")


async def talk(outbox: Outbox) -> None:
    """Keep the link publishing."""
    for number in range(4000):
        outbox.send("mynah/hub/response/x", str(number))
        await asyncio.sleep(0)


async def test_call_that_ends_as_it_is_cancelled_is_cancelled():
    async def call() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
        return "done all the same"

    task = asyncio.create_task(complete(call()))
    await asyncio.sleep(0.01)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("passes", range(6))
async def test_message_that_comes_as_its_reader_is_stopped_is_not_lost(passes):
    client = Client("127.0.0.1")
    taken: list[aiomqtt.Message] = []

    async def read() -> None:
        while True:
            taken.extend(client.rest())
            await client.more()

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    client._on_message(client._client, None, MQTTMessage(topic=b"a"))
    for _ in range(passes):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})

    assert len([*taken, *client.rest()]) == 1


async def test_connection_that_is_lost_at_once_is_known_to_be_lost(world):
    """Many with one id push each other out as fast as they can; the last one stays."""
    twins = [Peer(world.port, "admin", world.passwords["admin"], client_id="twin") for _ in range(12)]
    came = await asyncio.gather(*(twin.connect() for twin in twins), return_exceptions=True)
    await until(lambda: sum(twin.lost for twin in twins) + sum(map(bool, came)) == 11, "the end of all but one")
    for twin, trouble in zip(twins, came, strict=True):
        assert trouble is None or isinstance(trouble, aiomqtt.MqttError)
        if trouble is None:
            await twin.leave()
