"""The firmware and a real mosquitto: state, commands and updates, as docs/mqtt.md says."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import wave
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mynah.firmware import bundle, signature
from mynah.testing.simulated import HEAP, SimulatedSpeaker

pytestmark = pytest.mark.long  # plays in real time

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
HERE = "mynah/speaker/lion_house/"
KEY = bytes(range(32))
TOLD = ("availability", "info", "state", "reply", "event")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Broker:
    """A mosquitto, and all that is published on it."""

    def __init__(self, port):
        self.port = port
        self.seen: list[tuple[str, str]] = []
        self._came = asyncio.Event()

    async def publish(self, topic, payload, *options):
        payload = payload if isinstance(payload, str) else json.dumps(payload)
        call = ("-p", str(self.port), "-q", "1", "-t", HERE + topic, *options, "-s")
        process = await asyncio.create_subprocess_exec("mosquitto_pub", *call, stdin=asyncio.subprocess.PIPE)
        await process.communicate(payload.encode())

    async def read(self, stream):
        while line := (await stream.readline()).decode().strip():
            topic, _, payload = line.partition(" ")
            self.seen.append((topic.removeprefix(HERE), payload))
            self._came.set()

    async def until(self, topic, right=lambda payload: True, timeout_s=30):
        """Wait for a payload on a topic that is right, and return it."""
        async with asyncio.timeout(timeout_s):
            while True:
                for name, payload in self.seen:
                    if name == topic and right(payload):
                        return payload
                self._came.clear()
                await self._came.wait()

    async def reply(self, id):
        return json.loads(await self.until("reply", lambda payload: json.loads(payload)["id"] == id))

    async def state(self, **fields):
        return json.loads(await self.until("state", lambda text: fields.items() <= json.loads(text).items()))


@asynccontextmanager
async def broker_running(folder, port):
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", str(file), stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def listening(port):
    broker = Broker(port)
    topics = [part for name in TOLD for part in ("-t", HERE + name)]
    process = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(port), "-v", *topics, stdout=asyncio.subprocess.PIPE
    )
    reading = asyncio.create_task(broker.read(process.stdout))
    try:
        yield broker
    finally:
        process.terminate()
        await process.wait()
        await reading


@pytest.fixture
async def broker(tmp_path):
    port = free_port()
    async with broker_running(tmp_path, port), listening(port) as found:
        yield found


@asynccontextmanager
async def speaker_on(broker, folder, build, **settings):
    settings = {
        "id": "lion_house",
        "hub": "ws://127.0.0.1:1/ws/v1",
        "broker": f"mqtt://127.0.0.1:{broker.port}",
        "key": KEY,
        **settings,
    }
    async with SimulatedSpeaker(folder, build, HEAP, **settings) as speaker:
        await broker.until("availability", lambda payload: payload == "online")
        yield speaker


async def test_a_speaker_tells_what_it_is_and_that_it_is_gone(tmp_path, build, broker):
    async with speaker_on(broker, tmp_path, build):
        info, state = await broker.until("info"), await broker.until("state")
        assert len(info) <= 512
        assert len(state) <= 400
        assert json.loads(info)["plays"] == ["pcm_s16le", "ima_adpcm"]
        assert json.loads(state)["phase"] == "idle"
    await broker.until("availability", lambda payload: payload == "offline")


async def test_a_command_is_done_once_however_often_it_arrives(tmp_path, build, broker):
    async with speaker_on(broker, tmp_path, build):
        await broker.publish("cmd", {"id": "1", "command": "volume", "volume": 30})
        await broker.state(volume=30)
        await broker.publish("volume/set", "55")
        await broker.state(volume=55)
        await broker.publish("cmd", {"id": "1", "command": "volume", "volume": 30})
        await broker.publish("cmd", {"id": "2", "command": "mute", "mute": True})
        assert (await broker.state(mute=True))["volume"] == 55
        assert await broker.reply("1") == {"id": "1", "command": "volume", "ok": True, "by": "speaker"}
        assert [json.loads(text)["id"] for topic, text in broker.seen if topic == "reply"] == ["1", "1", "2"]


async def test_what_does_not_fit_is_refused_with_words_and_disturbs_nothing(tmp_path, build, broker):
    async with speaker_on(broker, tmp_path, build) as speaker:
        await broker.publish("cmd", {"id": "1", "command": "volume", "volume": 400})
        assert (await broker.reply("1"))["message"] == "volume must be a whole number from 0 to 100"
        await broker.publish("volume/set", "loud")
        await broker.until("reply", lambda text: json.loads(text)["command"] == "volume/set")
        await broker.publish("cmd", "x" * 10_000_000)
        await broker.until("reply", lambda text: json.loads(text).get("code") == "too_big")
        for other in ("{", '{"command": "stop"}', '{"id": "9", "command": "say", "text": "for the hub"}'):
            await broker.publish("cmd", other)
        await broker.publish("cmd", {"id": "3", "command": "stop"})
        assert (await broker.reply("3"))["ok"]
        assert len([topic for topic, _ in broker.seen if topic == "reply"]) == 4
        assert (await speaker.heap())["free"] > 0


async def test_commands_of_the_time_the_broker_was_gone_arrive_after_it(tmp_path, build):
    port = free_port()
    async with broker_running(tmp_path, port), listening(port) as first:
        ready = first
        speaker = SimulatedSpeaker(
            tmp_path, build, HEAP, id="lion_house", hub="ws://127.0.0.1:1/", broker=f"mqtt://127.0.0.1:{port}"
        )
        await speaker.__aenter__()
        await ready.until("availability", lambda payload: payload == "online")
    try:
        async with broker_running(tmp_path, port), listening(port) as broker:
            await broker.until("availability", lambda payload: payload == "online", 15)
            await broker.publish("cmd", {"id": "1", "command": "volume", "volume": 12})
            await broker.state(volume=12)
    finally:
        await speaker.__aexit__()


async def test_a_reboot_is_done_once_though_the_command_comes_again(tmp_path, build, broker):
    command = {"id": "boot", "command": "reboot"}
    async with speaker_on(broker, tmp_path, build) as speaker:
        await broker.publish("cmd", command)
        assert await speaker.ended() in (0, 1, 3)
    broker.seen.clear()
    async with SimulatedSpeaker(tmp_path, build, HEAP) as speaker:
        await broker.until("availability", lambda payload: payload == "online")
        await broker.publish("cmd", command)
        await broker.publish("cmd", {"id": "2", "command": "stop"})
        await broker.reply("2")
        await asyncio.sleep(1.5)
        assert (await speaker.heap())["hub"] is False


@asynccontextmanager
async def serving(data):
    asked = []

    async def answer(request):
        asked.append(request.headers.get("Authorization"))
        return web.Response(body=data)

    app = web.Application()
    app.router.add_get("/firmware", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/firmware", asked
    finally:
        await runner.cleanup()


async def test_an_update_starts_only_if_its_signature_is_right(tmp_path, build, broker):
    packed = bundle({file.name: file.read_bytes() for file in build.glob("*.mpy")})
    right = {"command": "update", "version": "0.2.0", "size": len(packed)}
    wrong = signature(packed, "giraffe_deck", "0.2.0", KEY)
    async with serving(packed) as (url, asked):
        async with speaker_on(broker, tmp_path, build, token="mk_1"):
            await broker.publish("cmd", {"id": "1", **right, "url": url, "mac": wrong})
            assert (await broker.reply("1"))["message"] == "the signature is wrong"
            assert not list((tmp_path / "b").iterdir())
        broker.seen.clear()
        async with speaker_on(broker, tmp_path, build, token="mk_1") as speaker:
            mac = signature(packed, "lion_house", "0.2.0", KEY)
            await broker.publish("cmd", {"id": "2", **right, "url": url, "mac": mac})
            assert (await broker.reply("2"))["ok"], speaker.lines
            assert asked == ["Bearer mk_1"] * 2
            await speaker.ended()
    assert {file.name for file in (tmp_path / "b").iterdir()} == {file.name for file in build.glob("*.mpy")}
    broker.seen.clear()
    async with SimulatedSpeaker(tmp_path, build, HEAP):
        info = await broker.until("info", lambda text: json.loads(text)["slot"] == "b")
        assert json.loads(info)["id"] == "lion_house"


async def test_an_older_version_is_refused_whoever_signed_it(tmp_path, build, broker):
    packed = bundle({"speaker.mpy": b"old"})
    update = {"command": "update", "version": "0.0.9", "size": len(packed)}
    async with serving(packed) as (url, asked), speaker_on(broker, tmp_path, build):
        mac = signature(packed, "lion_house", "0.0.9", KEY)
        await broker.publish("cmd", {"id": "1", **update, "url": url, "mac": mac})
        reply = await broker.reply("1")
    assert (reply["ok"], reply["code"], reply["message"]) == (False, "refused", "it is older than 0.1.0")
    assert asked == []


async def test_a_power_cut_in_mid_update_leaves_the_speaker_as_it_was(tmp_path, build, broker):
    packed = bundle({file.name: file.read_bytes() for file in build.glob("*.mpy")})
    update = {"command": "update", "version": "0.2.0", "size": len(packed)}
    update["mac"] = signature(packed, "lion_house", "0.2.0", KEY)
    half = asyncio.Event()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed[: len(packed) // 2])
        await writer.drain()
        while not (tmp_path / "b").exists() or len(list((tmp_path / "b").iterdir())) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        half.set()
        await reader.read()  # until the power is gone
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/firmware"
    async with speaker_on(broker, tmp_path, build):
        await broker.publish("cmd", {"id": "1", **update, "url": url})
        async with asyncio.timeout(30):
            await half.wait()
    server.close()
    await server.wait_closed()
    assert list((tmp_path / "b").iterdir())
    broker.seen.clear()
    async with serving(packed) as (url, _), SimulatedSpeaker(tmp_path, build, HEAP) as speaker:
        assert json.loads(await broker.until("info"))["slot"] == "a"
        await broker.publish("cmd", {"id": "2", **update, "url": url})
        assert (await broker.reply("2"))["ok"]
        await speaker.ended()
    broker.seen.clear()
    async with SimulatedSpeaker(tmp_path, build, HEAP):
        assert json.loads(await broker.until("info"))["slot"] == "b"


async def test_a_speaker_whose_audio_has_no_room_after_an_update_that_failed_tells_why_and_starts_anew(
    tmp_path, build, broker
):
    packed = bundle({file.name: file.read_bytes() for file in build.glob("*.mpy")})
    update = {"command": "update", "version": "0.2.0", "size": len(packed), "mac": "0" * 64}
    scattered = asyncio.Event()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed[:2000])
        await scattered.wait()
        writer.write(packed[2000:])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/firmware"
    async with server, speaker_on(broker, tmp_path, build) as speaker:
        await broker.publish("cmd", {"id": "1", **update, "url": url})
        async with asyncio.timeout(30):
            while not (tmp_path / "b").exists() or not list((tmp_path / "b").iterdir()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await speaker.tell("fragment 4096")
        assert (await speaker.answer("fragmented"))["fragmented"]
        scattered.set()
        assert (await broker.reply("1"))["message"] == "the signature is wrong"
        assert await speaker.ended() == 3


async def test_an_update_that_does_not_start_is_left_for_the_copy_before_it(tmp_path, build, broker):
    modules = {file.name: file.read_bytes() for file in build.glob("*.mpy")}
    packed = bundle({**modules, "speaker.mpy": modules["ring.mpy"]})
    update = {"command": "update", "version": "0.2.0", "size": len(packed)}
    update["mac"] = signature(packed, "lion_house", "0.2.0", KEY)
    async with serving(packed) as (url, _), speaker_on(broker, tmp_path, build) as speaker:
        await broker.publish("cmd", {"id": "1", **update, "url": url})
        assert (await broker.reply("1"))["ok"]
        await speaker.ended()
    broker.seen.clear()
    for _ in range(3):
        async with SimulatedSpeaker(tmp_path, build, HEAP) as speaker:
            assert await speaker.ended() == 1
    async with SimulatedSpeaker(tmp_path, build, HEAP):
        assert json.loads(await broker.until("info"))["slot"] == "a"


async def test_an_open_microphone_tells_how_loud_what_woke_it_was(tmp_path, build, broker):
    with wave.open(str(tmp_path / "loud.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"\x00\x20\x00\xe0" * 4000)
    async with speaker_on(broker, tmp_path, build, microphone="open") as speaker:
        await asyncio.sleep(0.5)
        await speaker.tell(f"speak {tmp_path / 'loud.wav'}")
        event = json.loads(await broker.until("event", lambda text: json.loads(text)["event"] == "wake"))
    assert 1000 < event["level"] <= 0x2000


async def test_a_button_that_is_down_for_ten_seconds_leads_back_to_setting_up(tmp_path, build, broker):
    async with speaker_on(broker, tmp_path, build) as speaker:
        await speaker.tell("press")
        await asyncio.sleep(10.3)
        await speaker.tell("release")
        assert await speaker.ended() == 3
    assert "ssid" not in json.loads((tmp_path / "nvs.json").read_text())["mynah"]
