"""What goes wrong: brokers and hubs that come back, speakers that vanish, clients that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import time

import aiomqtt
import pytest

from counterparts.mqtt_speaker import until
from counterparts.network import StallingProxy
from mynah_mqtt.packets import whole_packet

CMD, REPLY = "mynah/speaker/lion_house/cmd", "mynah/speaker/lion_house/reply"
HERE = "mynah/speaker/lion_house/availability"
BREAKS = 4


@pytest.mark.parametrize("kind", ["mosquitto"])
async def test_broker_that_forgot_everything_has_it_all_again_when_it_is_back(world, caplog):
    caplog.set_level(logging.INFO)
    async with world.session("lion_house"):
        async with world.admin() as admin:
            await until(lambda: "online" in admin.on(HERE), "the speaker")
        world.broker.stop()
        await until(lambda: "is lost" in caplog.text or "is not there" in caplog.text, "the loss")
        (world.broker.folder / "mosquitto.db").unlink(missing_ok=True)
        world.broker.start()
        async with world.admin() as admin:
            await until(lambda: "online" in admin.on(HERE), "the speaker")
            assert (await until(lambda: admin.on("mynah/hub/info"), "its info"))[0]["protocol"] == 1
            speakers = "mynah/speaker/lion_house/info"
            assert (await until(lambda: admin.on(speakers), "the speaker's info"))[0]["by"] == "hub"
            await until(lambda: "online" in admin.on("mynah/hub/availability"), "the hub")
            await admin.publish(CMD, {"id": "after", "command": "say", "text": "We are back."})
            assert (await admin.reply(REPLY, "after"))["ok"]

    names = [topic for topic, _ in admin.messages if topic.startswith("mynah/hub/a") or topic == HERE]
    assert names[-1].startswith("mynah")


async def test_hub_that_stops_says_so_and_comes_back(make_world):
    world = make_world()
    async with world.running(), world.session("lion_house"), world.admin() as admin:
        await until(lambda: "online" in admin.on(HERE), "the speaker")
    if world.kind == "mosquitto":
        async with world.admin() as admin:
            await until(lambda: admin.on("mynah/hub/availability") and admin.on(HERE), "what is retained")
            assert admin.on("mynah/hub/availability") == ["offline"]
            assert admin.on(HERE) == ["offline"]
    async with world.running(), world.admin() as admin:
        await until(lambda: admin.on("mynah/hub/availability"), "the hub's availability")
        assert admin.on("mynah/hub/availability")[-1] == "online"
        await admin.publish("mynah/hub/request/health", {"id": "1"})
        assert (await admin.reply("mynah/hub/response/health", "1"))["ok"]


@pytest.mark.parametrize("kind", ["mosquitto"])
async def test_command_given_while_the_hub_restarts_is_done_once(make_world):
    world = make_world()
    async with world.running():
        pass
    async with world.admin() as admin:
        for _ in range(2):
            await admin.publish("mynah/hub/request/personas", {"id": "q1"})
            await admin.publish(CMD, {"id": "c1", "command": "persona", "persona": "sparrow"})
        async with world.running():
            await admin.reply("mynah/hub/response/personas", "q1")
            await until(lambda: len(admin.on(REPLY)) == 2, "the reply, and the reply again")

    assert admin.on(REPLY)[0] == admin.on(REPLY)[1]


@pytest.mark.parametrize("kind", ["mosquitto"])
async def test_words_that_waited_too_long_for_the_hub_are_not_said(make_world):
    world = make_world()
    async with world.running():
        pass
    stamp = world.folder / "data" / "mqtt" / "connected"
    assert stamp.is_file()
    os.utime(stamp, (1, 1))
    async with world.admin() as admin:
        await admin.publish(CMD, {"id": "late", "command": "say", "text": "Feeding time!"})
        async with world.running():
            assert (await admin.reply(REPLY, "late"))["code"] == "expired"


async def test_speaker_that_vanishes_is_offline(world):
    async with world.admin() as admin:
        speaker = world.speaker("lion_house")
        await speaker.connect()
        await until(lambda: admin.on(HERE) == ["online"], "online")
        await speaker.die()
        await until(lambda: admin.on(HERE) == ["online", "offline"], "offline")


@pytest.mark.parametrize("kind", ["embedded"])
async def test_speaker_that_falls_silent_is_offline_after_one_and_a_half_keep_alives(world):
    async with world.admin() as admin:
        began = asyncio.get_running_loop().time()
        raw = await Raw.connect(world, "lion_house", keep_alive=1, will=HERE)
        await until(lambda: admin.on(HERE) == ["offline"], "offline")
        took = asyncio.get_running_loop().time() - began
        raw.close()

    assert 1.4 < took < 10


async def test_commands_wait_for_a_speaker_that_is_away_and_arrive_once(world):
    async with world.speaker("lion_house"):
        pass
    async with world.admin() as admin:
        for number in range(3):
            await admin.publish(CMD, {"id": f"c{number}", "command": "volume", "volume": number})
        async with world.speaker("lion_house") as speaker:
            await until(lambda: len(speaker.done) == 3, "the commands")
            await admin.publish(CMD, {"id": "last", "command": "stop"})
            await until(lambda: len(speaker.done) == 4, "the last command")

    assert [command["id"] for command in speaker.done] == ["c0", "c1", "c2", "last"]
    assert [topic for topic, _ in speaker.messages].count(CMD) == 4


@pytest.mark.parametrize("kind", ["embedded"])
async def test_of_too_many_commands_for_a_speaker_that_is_away_the_newest_are_kept(world):
    async with world.speaker("lion_house"):
        pass
    async with world.admin() as admin:
        commands = ({"id": f"c{number}", "command": "volume", "volume": 1} for number in range(150))
        await asyncio.gather(*(admin.publish(CMD, command) for command in commands))
        await until(lambda: len(admin.on(CMD)) == 150, "all that was sent")
        async with world.speaker("lion_house") as speaker:
            await until(lambda: len(speaker.done) >= 100, "the commands")

    assert [command["id"] for command in speaker.done] == [f"c{number}" for number in range(50, 150)]


@pytest.mark.parametrize("kind", ["embedded"])
async def test_command_that_was_not_acknowledged_comes_again(world):
    raw = await Raw.connect(world, "lion_house", clean=False)
    await raw.subscribe(CMD)
    async with world.admin() as admin:
        await admin.publish(CMD, {"id": "c1", "command": "stop"})
        await raw.until(b"c1")
        raw.close()
        async with world.speaker("lion_house") as speaker:
            await until(lambda: speaker.done, "the command")

    assert [command["id"] for command in speaker.done] == ["c1"]


async def test_command_that_was_not_acknowledged_is_marked_when_it_comes_again(world):
    async with world.admin() as admin:
        first = await Raw.connect(world, "lion_house", clean=False)
        await first.subscribe(CMD)
        await admin.publish(CMD, {"id": "c1", "command": "stop"})
        await first.until(b'"stop"}')
        first.close()
        second = await Raw.connect(world, "lion_house", clean=False)
        await second.until(b'"stop"}')
        second.close()

    sent, again = (raw.heard[raw.heard.index(CMD.encode()) - 4 :] for raw in (first, second))
    assert (sent[0], again[0]) == (0x32, 0x3A)
    assert again[1:] == sent[1:]


@pytest.mark.parametrize("kind", ["embedded"])
async def test_commands_given_while_a_connection_breaks_come_on_the_next_in_their_order(world):
    raw = await Raw.connect(world, "lion_house", clean=False)
    await raw.subscribe(CMD)
    async with world.admin() as admin:
        for number in range(12):
            if number == 4:
                raw.close()
            await admin.publish(CMD, {"id": f"c{number}", "command": "volume", "volume": number})
        async with world.speaker("lion_house") as speaker:
            await until(lambda: len(speaker.done) == 12, "the commands")

    assert [command["volume"] for command in speaker.done] == list(range(12))


@pytest.mark.parametrize("kind", ["embedded"])
async def test_commands_given_while_a_speaker_connects_do_not_overtake_those_that_waited(world):
    """They are given all the while that it comes and goes."""
    speaker = world.speaker("lion_house")
    async with world.admin() as admin:
        await speaker.connect()
        giving = asyncio.create_task(give(admin, 100))
        while not giving.done():
            await speaker.leave()
            await speaker.connect()
        await until(lambda: len(speaker.done) == 100, "the commands")
        await speaker.leave()

    assert [command["volume"] for command in speaker.done] == list(range(100))


async def give(admin, count: int) -> None:
    """Give so many commands, one after the other."""
    for number in range(count):
        await admin.publish(CMD, {"id": f"c{number}", "command": "volume", "volume": number})


async def test_speaker_that_connects_again_takes_its_own_place(world):
    async with world.admin() as admin:
        first = world.speaker("lion_house")
        await first.connect()
        async with world.speaker("lion_house") as second:
            await until(lambda: first.lost, "the end of the first connection")
            await admin.publish(CMD, {"id": "1", "command": "volume", "volume": 5})
            await until(lambda: second.done, "the command")
            await until(lambda: admin.on(HERE)[-1:] == ["online"], "online")
        await first.leave()

    assert first.done == []


async def test_two_devices_with_one_id_are_told_of(world, caplog):
    for number in range(6):
        speaker = world.speaker("lion_house")
        speaker.info = {**speaker.info, "mac": f"m{number % 2}"}
        await speaker.connect()
        await speaker.die()

    await until(lambda: "two devices call themselves lion_house" in caplog.text, "the warning")


@pytest.mark.parametrize("kind", ["embedded"])
async def test_client_that_does_not_read_is_cut_off_and_holds_nobody_up(world, caplog):
    raw = await Raw.connect(world, "admin", client_id="lazy")
    await raw.subscribe("flood/#")
    raw.stop_reading()
    async with world.admin() as admin, world.speaker("lion_house") as speaker:
        for _ in range(220):
            await admin.publish("flood/a", b"x" * 60_000, qos=0)
        await admin.publish(CMD, {"id": "1", "command": "stop"})
        await until(lambda: speaker.done, "a command in between")
        await until(lambda: "does not read what it is sent" in caplog.text, "the cut")
    raw.close()


@pytest.mark.parametrize("kind", ["embedded"])
async def test_embedded_broker_retains_no_commands(world):
    async with world.admin() as admin:
        for leaf in ("cmd", "volume/set", "reply", "event"):
            await admin.publish(f"mynah/speaker/lion_house/{leaf}", '{"id": "1", "command": "stop"}', retain=True)
        await admin.publish(
            "mynah/speaker/lion_house/state", {"phase": "idle", "volume": 1, "mute": False}, retain=True
        )
        await until(lambda: admin.on("mynah/speaker/lion_house/state"), "the state")
        async with world.admin("mynah/speaker/lion_house/#") as other:
            await until(lambda: other.on("mynah/speaker/lion_house/state"), "what is retained")
            await admin.publish("mynah/speaker/lion_house/event", "the last")
            await until(lambda: "the last" in other.on("mynah/speaker/lion_house/event"), "what came after it")

    retained = {
        topic.removeprefix("mynah/speaker/lion_house/") for topic, payload in other.messages if payload != "the last"
    }
    assert retained - {"hub"} == {"state"}


@pytest.mark.parametrize("kind", ["mosquitto"])
async def test_speaker_that_a_killed_hub_left_online_is_offline_and_a_removed_one_is_gone(make_world):
    world = make_world()
    async with world.admin() as admin:
        for id in ("lion_house", "aquarium"):
            await admin.publish(f"mynah/speaker/{id}/info", {"id": id, "by": "hub", "protocol": 1}, retain=True)
            await admin.publish(f"mynah/speaker/{id}/availability", "online", retain=True)
        async with world.running():
            await until(lambda: admin.on(HERE) == ["online", "offline"], "offline")
            await until(lambda: admin.on("mynah/speaker/aquarium/info")[-1] == "", "nothing")
    async with world.admin() as admin:
        await until(lambda: admin.on("mynah/hub/availability") and admin.on(HERE), "what is retained")

    assert admin.on("mynah/speaker/aquarium/info") == []


async def test_every_command_is_done_once_over_a_connection_that_keeps_breaking(world):
    count = 20
    proxy = Flaky(world.port, random.Random(7))
    async with proxy, world.admin() as admin:
        speaker = world.speaker("lion_house")
        speaker.port = proxy.port
        staying = asyncio.create_task(stay(speaker, count))
        await until(lambda: admin.on(HERE), "the speaker")
        for number in range(count):
            await admin.publish(CMD, {"id": f"c{number}", "command": "volume", "volume": number})
            await asyncio.sleep(0.04)
        await asyncio.wait_for(staying, 60)

    assert sorted(command["volume"] for command in speaker.done) == list(range(count))
    assert proxy.broken > 0


async def test_every_command_is_done_once_by_a_speaker_whose_link_drops_packets(world):
    count = 20
    network = lossy(world.port)
    async with network.running() as between, world.admin() as admin:
        speaker = world.speaker("lion_house")
        speaker.port = between
        staying = asyncio.create_task(stay(speaker, count))
        await until(lambda: admin.on(HERE), "the speaker")
        breaking = asyncio.create_task(break_often(network))
        for number in range(count):
            await admin.publish(CMD, {"id": f"c{number}", "command": "volume", "volume": number})
            await asyncio.sleep(0.04)
        await breaking
        await asyncio.wait_for(staying, 60)

    assert sorted(command["volume"] for command in speaker.done) == list(range(count))
    assert network.stalls > 0


@pytest.mark.parametrize("kind", ["mosquitto"])  # the embedded one is in the hub: no network is between them
async def test_every_command_is_done_once_by_a_hub_whose_link_drops_packets(make_world, monkeypatch):
    count = 20
    monkeypatch.setattr("mynah_mqtt.link.PAUSES_S", (0.1, 0.2))
    world = make_world()
    network = lossy(world.port)
    async with network.running() as between:
        world.config["mqtt"]["broker"] = f"mqtt://127.0.0.1:{between}"
        async with world.running(), world.session("lion_house"), world.admin() as admin:
            await until(lambda: admin.on(HERE)[-1:] == ["online"], "the speaker")
            breaking = asyncio.create_task(break_often(network))
            said = []
            for number in range(count):
                await admin.publish(CMD, {"id": f"c{number}", "command": "volume", "volume": number})
                await asyncio.sleep(0.05)
            async with world.session("giraffe_deck") as other:  # what has no link to the broker is not held up
                said.append(await other.ask_text("What do lions eat?"))
            await breaking
            await until(lambda: {each["id"] for each in admin.on(REPLY)} >= {f"c{n}" for n in range(count)}, "all", 60)
            await until(lambda: admin.on("mynah/hub/availability")[-1] == "online", "the hub")
            state = "mynah/speaker/lion_house/state"
            await until(lambda: admin.on(state)[-1]["volume"] == world.hub.sessions()[0]["volume"], "the state")

    assert all(each["ok"] for each in admin.on(REPLY))
    assert said[0].reply
    assert admin.on(state)[-1]["volume"] == count - 1


def lossy(port: int) -> StallingProxy:
    """Return a network on the way to a broker that passes nothing for a moment, again and again."""
    return StallingProxy(port, every_s=0.3, stall_s=0.15)


async def break_often(network: StallingProxy) -> None:
    """Break all connections now and then, with what is on its way."""
    source = random.Random(7)
    for _ in range(BREAKS):
        await asyncio.sleep(source.uniform(0.1, 0.5))
        network.cut()


async def stay(speaker, count: int) -> None:
    """Keep a speaker connected, as its firmware does, until it has done so many commands."""
    while len(speaker.done) < count:
        with contextlib.suppress(aiomqtt.MqttError, OSError):
            await speaker.connect()
            await until(lambda: speaker.lost or len(speaker.done) >= count, "the end", 60)
        await speaker.leave()
        await asyncio.sleep(0.05)


class Flaky:
    """A proxy before a broker that breaks connections after some time, with what was on its way, so many times."""

    def __init__(self, port: int, source: random.Random) -> None:
        self.broken = 0
        self._port, self._source = port, source
        self._serving: set[asyncio.Task] = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc) -> None:
        self._server.close()
        if self._serving:
            await asyncio.wait(self._serving)  # none takes long

    async def _serve(self, reader, writer) -> None:
        self._serving.add(task := asyncio.current_task())
        task.add_done_callback(self._serving.discard)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        pumps = [
            asyncio.create_task(self._pump(reader, inner_writer)),
            asyncio.create_task(self._pump(inner_reader, writer)),
        ]
        try:
            lasts = self._source.uniform(0.1, 0.5) if self.broken < BREAKS else None
            await asyncio.wait(pumps, timeout=lasts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.broken += 1
            for pump in pumps:
                pump.cancel()
            writer.transport.abort()
            inner_writer.transport.abort()

    async def _pump(self, reader, writer) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)


class Raw:
    """A client that does only what it is told to: it acknowledges nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard = b""

    @classmethod
    async def connect(cls, world, name, *, client_id="", keep_alive=60, clean=True, will=""):
        def field(text: str) -> bytes:
            return len(text).to_bytes(2, "big") + text.encode()

        flags = 0xC0 | (0x02 if clean else 0) | (0x2C if will else 0)
        wills = field(will) + field("offline") if will else b""
        body = field("MQTT") + bytes((4, flags)) + keep_alive.to_bytes(2, "big") + field(client_id or name)
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port, limit=2**16)
        raw = cls(reader, writer)
        writer.write(whole_packet(1, 0, body + wills + field(name) + field(world.passwords[name])))
        await raw.until(b"\x20\x02")
        return raw

    async def subscribe(self, topic: str) -> None:
        name = topic.encode()
        self.writer.write(whole_packet(8, 2, b"\x00\x01" + len(name).to_bytes(2, "big") + name + b"\x01"))
        await self.until(b"\x90\x03")

    async def until(self, expected: bytes) -> None:
        async with asyncio.timeout(15):
            while expected not in self.heard:
                self.heard += await self.reader.read(4096)

    def stop_reading(self) -> None:
        self.writer.transport.pause_reading()

    def close(self) -> None:
        self.writer.transport.abort()


def test_whole_packet_has_the_length_of_the_standards_examples():
    assert whole_packet(3, 0, bytes(321))[:3] == b"\x30\xc1\x02"


async def test_speaker_that_comes_to_the_broker_after_its_session_is_its_own_again(world):
    info = "mynah/speaker/lion_house/info"
    async with world.session("lion_house"), world.admin() as admin:
        await until(lambda: admin.on(info), "the hub in its stead")
        async with world.speaker("lion_house") as speaker:
            await until(lambda: admin.on(info)[-1].get("board") == "simulated", "its own info")
            await admin.publish(info, {"id": "lion_house", "by": "hub", "protocol": 1}, retain=True)
            await until(lambda: len(admin.on(info)) >= 4 and "board" in admin.on(info)[-1], "its own info again")
            await admin.publish(CMD, {"id": "v", "command": "volume", "volume": 9})
            assert (await admin.reply(REPLY, "v"))["by"] == "speaker"
            await speaker.die()
            await until(lambda: admin.on(HERE)[-1] == "offline", "its end")

    assert speaker.state["volume"] == 9


async def test_speaker_that_loses_its_power_in_mid_sentence_holds_up_nobody_else(world):
    long = "The lions are fed at noon, and the red pandas somewhat later. " * 8
    async with world.admin() as admin, world.session("giraffe_deck", playback="real_time"):
        speaker = world.speaker("lion_house")
        await speaker.connect()
        session = world.session("lion_house", playback="real_time")
        await session.connect()
        await until(lambda: admin.on(HERE)[-1:] == ["online"], "the speaker")
        await admin.publish(CMD, {"id": "long", "command": "say", "text": long})
        await until(lambda: session.turns, "its first words")
        await session.drop()
        await speaker.die()
        await until(lambda: admin.on(HERE)[-1] == "offline", "its end")
        await admin.publish("mynah/speaker/giraffe_deck/cmd", {"id": "g", "command": "say", "text": "Hello."})
        assert (await admin.reply("mynah/speaker/giraffe_deck/reply", "g"))["ok"]
        await admin.publish(CMD, {"id": "v", "command": "volume", "volume": 5})
        async with world.speaker("lion_house") as again, world.session("lion_house"):
            await until(lambda: again.done, "the command that waited")
            await until(lambda: admin.on(HERE)[-1] == "online", "the speaker again")

    assert [command["id"] for command in again.done] == ["v"]


@pytest.mark.parametrize("jump_s", [86_400, -86_400])
async def test_clock_that_jumps_changes_nothing(world, monkeypatch, jump_s):
    now = time.time
    async with world.session("lion_house"), world.admin() as admin:
        await admin.publish(CMD, {"id": "1", "command": "say", "text": "Hello."})
        assert (await admin.reply(REPLY, "1"))["ok"]
        monkeypatch.setattr("time.time", lambda: now() + jump_s)
        for id, command in (("2", {"command": "say", "text": "Hello."}), ("3", {"command": "volume", "volume": 7})):
            await admin.publish(CMD, {"id": id, **command})
            assert (await admin.reply(REPLY, id))["ok"]
        await admin.publish(CMD, {"id": "4", "command": "say", "text": "No.", "expires": now() + jump_s - 5})
        assert (await admin.reply(REPLY, "4"))["code"] == "expired"
        states = "mynah/speaker/lion_house/state"
        await until(lambda: [each for each in admin.on(states) if each["volume"] == 7], "the volume")
        await until(lambda: admin.on(HERE)[-1:] == ["online"], "the speaker")  # which is told last


@pytest.mark.parametrize("kind", ["mosquitto"])
@pytest.mark.parametrize("away_s", [0.7, pytest.param(60.0, marks=pytest.mark.long)])
async def test_state_is_right_after_the_broker_was_gone_for_a_while(world, away_s):
    async with world.session("lion_house"):
        async with world.admin() as admin:
            await until(lambda: admin.on(HERE)[-1:] == ["online"], "the speaker")
        world.broker.stop()
        (world.broker.folder / "mosquitto.db").unlink(missing_ok=True)
        world.hub.session(world.hub.sessions()[0]["id"]).set_volume(33)
        await asyncio.sleep(away_s)
        world.broker.start()
        async with world.admin() as admin:
            await until(lambda: admin.on("mynah/speaker/lion_house/state"), "the state", 40)
            await until(lambda: admin.on("mynah/speaker/lion_house/state")[-1]["volume"] == 33, "the state as it is")
            await until(lambda: admin.on("mynah/hub/availability")[-1:] == ["online"], "the hub")
            for _ in range(2):
                await admin.publish(CMD, {"id": "c", "command": "persona", "persona": "sparrow"})
            await until(lambda: len(admin.on(REPLY)) == 2, "the reply, and the reply again")
