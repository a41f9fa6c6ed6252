"""Who gets in, and what each may read and write."""

from __future__ import annotations

import asyncio
import logging
import ssl

import aiomqtt
import pytest

from counterparts.mqtt_broker import mosquitto
from counterparts.mqtt_speaker import Peer, until
from mynah.testing import scripted_engines

CMD, REPLY = "mynah/speaker/lion_house/cmd", "mynah/speaker/lion_house/reply"


async def test_speaker_cannot_read_the_commands_of_another(world):
    filters = ("mynah/speaker/giraffe_deck/cmd", "mynah/speaker/+/cmd", "mynah/#", "#", "mynah/speaker/lion_house/#")
    name = "lion_house"
    async with (
        Peer(world.port, name, world.passwords[name], *filters, client_id=name) as speaker,
        world.admin() as admin,
    ):
        await admin.publish("mynah/speaker/giraffe_deck/cmd", {"id": "1", "command": "stop"})
        await admin.reply("mynah/speaker/giraffe_deck/reply", "1")

    assert [topic for topic, _ in speaker.messages if "giraffe" in topic] == []
    if world.kind == "embedded":  # mosquitto takes any subscription, and delivers what may be read
        assert speaker.codes == [128] * len(filters)


async def test_speaker_cannot_write_on_the_topics_of_another(world, caplog):
    async with world.speaker("lion_house") as speaker, world.admin() as admin:
        for topic in ("giraffe_deck/availability", "giraffe_deck/cmd", "lion_house/cmd", "giraffe_deck/info"):
            await speaker.publish(f"mynah/speaker/{topic}", '{"id": "x", "command": "stop"}')
        await speaker.publish("mynah/hub/request/health", {"id": "h"})
        await speaker.publish("mynah/speaker/lion_house/event", {"event": "button", "action": "press"})
        await until(lambda: admin.on("mynah/speaker/lion_house/event"), "what it may write")

    hubs = "mynah/speaker/giraffe_deck/hub"  # which the hub writes
    found = [topic for topic, _ in admin.messages if "giraffe" in topic or "request" in topic]
    assert [topic for topic in found if topic != hubs] == []
    assert admin.on(CMD) == []
    if world.kind == "embedded":
        assert "lion_house may not publish 'mynah/speaker/giraffe_deck/availability'" in caplog.text


async def test_wrong_password_is_refused_and_disturbs_nobody(world, caplog):
    async with world.speaker("lion_house") as speaker, world.admin() as admin:
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot auth"):
            await Peer(world.port, "lion_house", "not-the-password", client_id="lion_house").connect()
        await admin.publish(CMD, {"id": "1", "command": "stop"})
        await admin.reply(REPLY, "1")

    assert not speaker.lost
    assert "offline" not in [payload for topic, payload in admin.messages if topic.endswith("lion_house/availability")]
    assert "not-the-password" not in caplog.text
    assert world.kind == "mosquitto" or "'lion_house' at 127.0.0.1 was refused: wrong password" in caplog.text


async def test_speaker_receives_retained_messages_of_its_own_only(world):
    async with world.speaker("giraffe_deck"), world.admin() as admin:
        await until(lambda: admin.on("mynah/speaker/giraffe_deck/availability"), "the other's topics")
        async with world.speaker("lion_house") as speaker:
            await until(lambda: speaker.messages, "what is retained for it")
            await admin.publish(CMD, {"id": "1", "command": "stop"})
            await admin.reply(REPLY, "1")

    assert {topic for topic, _ in speaker.messages} == {"mynah/hub/availability", CMD}


@pytest.mark.parametrize("kind", ["embedded"])
@pytest.mark.parametrize(
    ("name", "client_id", "reason"),
    [
        ("giraffe_deck", "giraffe_deck", "the password is that of another speaker"),
        ("lion_house", "mine", "a speaker's client id is its id, lion_house"),
        ("mynah-hub", "mynah-hub", "the password is that of another speaker"),
    ],
)
async def test_account_of_a_speaker_is_for_that_speaker(world, caplog, name, client_id, reason):
    with pytest.raises(aiomqtt.MqttError):
        await Peer(world.port, name, world.passwords["lion_house"], client_id=client_id).connect()

    assert reason in caplog.text
    assert world.passwords["lion_house"] not in caplog.text


@pytest.mark.parametrize("kind", ["embedded"])
@pytest.mark.parametrize("client_id", ["lion_house", "mynah-hub"])
async def test_admin_cannot_take_the_place_of_a_speaker_or_the_hub(world, client_id):
    with pytest.raises(aiomqtt.MqttError):
        await Peer(world.port, "admin", world.passwords["admin"], client_id=client_id).connect()


@pytest.mark.parametrize("kind", ["embedded"])
async def test_nobody_comes_in_without_an_account(world):
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", world.port, protocol=aiomqtt.ProtocolVersion.V311):
            pass


@pytest.mark.parametrize("kind", ["embedded"])
async def test_viewer_reads_all_and_writes_nothing(world):
    token = world.hub.storage.issue_token("display", "viewer")
    async with Peer(world.port, "display", token, "mynah/#") as viewer, world.admin() as admin:
        await viewer.publish(CMD, {"id": "1", "command": "stop"})
        await admin.publish(CMD, {"id": "2", "command": "stop"})
        await until(lambda: viewer.on(REPLY), "the reply")

    assert [each["id"] for each in viewer.on(CMD)] == ["2"]


@pytest.mark.parametrize("kind", ["embedded"])
async def test_last_will_for_the_topic_of_another_is_refused(world, caplog):
    will = aiomqtt.Will("mynah/speaker/giraffe_deck/cmd", '{"id": "w", "command": "reboot"}', 1)
    with pytest.raises(aiomqtt.MqttError):
        await world.speaker("lion_house", will=will).connect()

    assert "its last will is for a topic that it may not write" in caplog.text


async def test_payload_of_10_mb_is_refused_without_harm(world, caplog):
    caplog.set_level(logging.WARNING)
    async with (
        world.speaker("lion_house") as speaker,
        world.session("lion_house") as session,
        world.admin() as admin,
        Peer(world.port, "admin", world.passwords["admin"]) as sender,
    ):
        await sender.publish("mynah/group/savanna/cmd", b"x" * 10_000_000)
        too_big = await admin.reply("mynah/group/savanna/reply", None)
        await sender.publish(CMD, {"id": "after", "command": "stop"})
        assert (await admin.reply(REPLY, "after"))["ok"]

    assert too_big["code"] == "too_big"
    assert not speaker.lost
    assert session.connected or session.close_code == 1000
    assert "a command for savanna was not done: too_big: 100000" in caplog.text
    assert "xxxxx" not in caplog.text


@pytest.mark.parametrize("kind", ["embedded"])
@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x10\xff\xff\xff\xff\x7f",
        b"\x10\x00",
        b"\x10\x0c\x00\x04MQTT\x04\xc2\x00\x3c\x00\x00",
        b"\x30\x05\x00\x01abc",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_bytes_that_are_no_mqtt_end_their_own_connection_only(world, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(sent)
    writer.write_eof()
    async with asyncio.timeout(15):
        assert len(await reader.read()) <= 4
    writer.close()
    async with world.admin() as admin:
        await admin.publish("mynah/hub/request/personas", {"id": "1"})
        assert (await admin.reply("mynah/hub/response/personas", "1"))["ok"]


@pytest.mark.parametrize("kind", ["embedded"])
@pytest.mark.parametrize(
    "packet", [b"\x34\x0a\x00\x04a/b/\x00\x01xy", b"\x30\x05\x00\x03a/#", b"\x30\x06\x00\x04$SYS", b"\xf0\x00"]
)
async def test_packet_that_is_not_offered_ends_its_connection_and_the_will_goes_out(world, packet):
    will = aiomqtt.Will("mynah/speaker/lion_house/availability", "offline", 1, True)
    async with world.admin() as admin:
        speaker = world.speaker("lion_house", will=will)
        await speaker.connect()
        speaker.client._client.socket().send(packet)
        await until(lambda: "offline" in admin.on("mynah/speaker/lion_house/availability"), "the last will")
        await speaker.leave()


# ------------------------------------------------------------ TLS


async def ask(port: int, password: str, context, within_s: float = 10) -> None:
    async with aiomqtt.Client(
        "localhost", port, username="admin", password=password, tls_context=context, timeout=within_s
    ) as client:
        await client.subscribe("mynah/hub/availability", 1)
        async for message in client.messages:
            assert message.payload == b"online"
            return


def trusting(certificates, *, with_client: str = ""):
    context = ssl.create_default_context(cafile=certificates["ca"])
    if with_client:
        context.load_cert_chain(certificates[with_client], certificates[f"{with_client}_key"])
    return context


@pytest.mark.parametrize("kind", ["embedded"])
async def test_embedded_broker_serves_tls_and_wants_certificates_of_its_clients(make_world, certificates, caplog):
    tls = {"certificate": "server", "key": "server_key", "ca": "ca"}
    files = {name: str(certificates[file]) for name, file in tls.items()}
    world = make_world(mqtt={"embedded": {"port": 0, "tls": files}})
    world.settled = lambda: asyncio.sleep(0)
    async with world.running() as hub:
        assert hub.addresses["mqtt"].startswith("mqtts://")
        password = world.passwords["admin"]
        await ask(world.port, password, trusting(certificates, with_client="client"))
        for context in (trusting(certificates), trusting(certificates, with_client="old_client")):
            with pytest.raises(aiomqtt.MqttError):
                await ask(world.port, password, context, 0.5)  # TLS 1.3 tells a client late, or not at all
        await ask(world.port, password, trusting(certificates, with_client="client"))
        expired = "tls: a client was refused: its certificate is not trusted: certificate has expired"
        await until(lambda: expired in caplog.text, "what is told of the expired one")
        await until(lambda: "a client was refused: peer did not return a certificate" in caplog.text, "the other")

    assert password not in caplog.text


TLS_BROKERS = {
    "own authority and client certificate": ("server", "client", "connected to the broker"),
    "server expired": ("old_server", "client", "is not trusted: certificate has expired"),
    "client expired": ("server", "old_client", "expired on 2021-01-01"),
}


# paho leaves a socket to the garbage collector when a handshake fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("case", TLS_BROKERS)
async def test_hub_connects_by_tls_or_says_why_not(tmp_path, certificates, make_tls_hub, case, caplog):
    caplog.set_level(logging.INFO)
    server, client, expected = TLS_BROKERS[case]
    listener = {
        "cafile": certificates["ca"],
        "certfile": certificates[server],
        "keyfile": certificates[f"{server}_key"],
    }
    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, {"hub": "secret-of-hub"}, listener) as broker:
        tls = {"ca": "ca", "certificate": client, "key": f"{client}_key"}
        files = {name: str(certificates[file]) for name, file in tls.items()}
        async with make_tls_hub(f"mqtts://localhost:{broker.port}", files) as hub:
            await until(lambda: expected in caplog.text, expected)
            assert hub.health()["status"] == "healthy"

    assert "secret-of-hub" not in caplog.text
    assert sum(" is not trusted" in line for line in caplog.text.splitlines()) <= 1


@pytest.fixture
def make_tls_hub(run_hub):
    def make(url, files):
        mqtt = {"broker": url, "username": "hub", "password": "secret-of-hub", "tls": files}
        return run_hub(specs=scripted_engines(), installed=("mqtt",), config={"mqtt": mqtt})

    return make


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://127.0.0.1:1", "is not there: nothing listens on that port"),
        ("mqtt://no-such-broker.invalid", "is unknown: no address is known for that name"),
    ],
)
async def test_hub_says_why_it_cannot_reach_its_broker(make_tls_hub, caplog, url, expected):
    async with make_tls_hub(url, {}) as hub:
        await until(lambda: expected in caplog.text, expected)
        assert hub.health()["status"] == "healthy"


async def test_hub_says_that_its_password_is_refused(run_hub, one_mosquitto, caplog):
    broker = f"mqtt://127.0.0.1:{one_mosquitto.port}"
    mqtt = {"broker": broker, "username": "hub", "password": "not-the-password"}
    async with run_hub(specs=scripted_engines(), installed=("mqtt",), config={"mqtt": mqtt}):
        await until(lambda: "refuses the hub: it refuses user or password" in caplog.text, "the reason")

    assert "not-the-password" not in caplog.text


@pytest.mark.parametrize("kind", ["embedded"])
async def test_taken_port_is_told_and_nothing_else_suffers(make_world, one_mosquitto, caplog):
    world = make_world(mqtt={"embedded": {"port": one_mosquitto.port}})
    world.settled = lambda: asyncio.sleep(0)
    async with world.running() as hub:
        await until(lambda: "is taken by another program" in caplog.text, "the reason")
        async with world.session("lion_house") as session:
            assert (await session.ask_text("What do lions eat?")).reply
        assert "mqtt failed" in hub.health()["troubles"]
