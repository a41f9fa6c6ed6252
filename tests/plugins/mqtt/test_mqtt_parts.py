"""The small parts: topics, kinds, what is read, what waits to be published, why there is no connection."""

from __future__ import annotations

import asyncio
import json
import ssl

import aiomqtt
import pytest
import voluptuous as vol

from mynah import InputError, MynahError
from mynah_mqtt import packets
from mynah_mqtt.accounts import Account
from mynah_mqtt.config import SCHEMA
from mynah_mqtt.devices import Devices
from mynah_mqtt.embedded import tls_context
from mynah_mqtt.groups import groups, members
from mynah_mqtt.kinds import FLAG, check, list_of, map_of, number, one_of, or_null, text, whole
from mynah_mqtt.outbox import MOST, Outbox
from mynah_mqtt.reading import Refusal, Remembered, read_scalar
from mynah_mqtt.topics import Address, Topics
from mynah_mqtt.troubles import explain, not_after, own_expiry

TOPICS = Topics("zoo/mynah")


# ------------------------------------------------------------ configuration


@pytest.mark.parametrize(
    "broker", ["embedded", None, "mqtt://192.168.1.3", "mqtts://broker.lan:8884", "mqtt://[::1]:1"]
)
def test_broker_may_be(broker):
    assert vol.Schema(SCHEMA)({"broker": broker})["broker"] == broker


@pytest.mark.parametrize(
    "broker", ["", "mosquitto", "http://broker", "mqtt://", "mqtt://host:port", "mqtt://a:b@host", "mqtt://h/topic", 5]
)
def test_broker_may_not_be(broker):
    with pytest.raises(vol.Invalid):
        vol.Schema(SCHEMA)({"broker": broker})


@pytest.mark.parametrize("base", ["", "/mynah", "mynah/", "my nah", "mynah/#", "+", "$SYS"])
def test_base_may_not_be(base):
    with pytest.raises(vol.Invalid):
        vol.Schema(SCHEMA)({"base": base})


# ------------------------------------------------------------ topics and who may use them


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("zoo/mynah/speaker/lion_house/cmd", Address("speaker", "lion_house", "cmd")),
        ("zoo/mynah/speaker/lion_house/volume/set", Address("speaker", "lion_house", "set", "volume")),
        ("zoo/mynah/group/savanna/cmd", Address("group", "savanna", "cmd")),
        ("zoo/mynah/hub/request/health", Address("request", "health", "")),
        ("zoo/mynah/hub/info", Address("hub", "", "info")),
        ("zoo/mynah/speaker/Lion/cmd", None),
        ("zoo/mynah/speaker/lion_house/a/b/c", None),
        ("mynah/speaker/lion_house/cmd", None),
        ("zoo/mynah", None),
    ],
)
def test_topic_is_read_as(topic, address):
    assert TOPICS.read(topic) == address


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("zoo/mynah/speaker/lion/cmd", True),
        ("zoo/mynah/speaker/lion/+/set", True),
        ("zoo/mynah/speaker/lion/volume/set", True),
        ("zoo/mynah/hub/availability", True),
        ("zoo/mynah/speaker/lion/#", False),
        ("zoo/mynah/speaker/lion/#/set", False),
        ("zoo/mynah/speaker/lion/+", False),
        ("zoo/mynah/speaker/lion/state", False),
        ("zoo/mynah/speaker/lion2/cmd", False),
        ("zoo/mynah/speaker/+/cmd", False),
        ("zoo/mynah/hub/info", False),
        ("+/mynah/speaker/lion/cmd", False),
        ("#", False),
    ],
)
def test_speaker_may_subscribe_to(pattern, allowed):
    assert Account("speaker", "lion").reads(TOPICS, pattern) is allowed


@pytest.mark.parametrize(
    ("leaf", "allowed"),
    [("state", True), ("reply", True), ("event", True), ("cmd", False), ("volume/set", False), ("x", False)],
)
def test_speaker_may_write(leaf, allowed):
    account = Account("speaker", "lion")
    assert account.writes(TOPICS, f"zoo/mynah/speaker/lion/{leaf}") is allowed
    assert not account.writes(TOPICS, f"zoo/mynah/speaker/tiger/{leaf}")


# ------------------------------------------------------------ kinds


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (whole(0, 100), (0, 100), (-1, 101, True, 1.0, "1", None)),
        (number(0), (0, 1.5), (-1, True, float("nan"), float("inf"), "0")),
        (text(1, 3), ("a", "äöü"), ("", "abcd", 1, None)),
        (text(1, 9, "^a+$", "letters a"), ("aaa",), ("ab", "")),
        (FLAG, (True, False), (0, 1, "true", None)),
        (one_of("off", "open"), ("off",), ("on", 1)),
        (list_of(text(1, 3)), ([], ["a"]), ("a", [""], None)),
        (map_of(whole(), 1, "numbers"), ({}, {"a": 1}), ({"a": 1, "b": 2}, {"a": "b"}, [])),
        (or_null(text(1, 3)), (None, "a"), ("", 1)),
    ],
)
def test_kind_fits(kind, good, bad):
    assert all(kind.fits(value) for value in good)
    assert not any(kind.fits(value) for value in bad)


def test_first_mistake_is_told_in_words():
    fields = {vol.Required("volume"): whole(0, 100), vol.Optional("keep"): FLAG}
    for value, words in (
        ({}, "volume is missing"),
        ({"volume": 101}, "volume must be a whole number from 0 to 100"),
        ({"volume": 1, "loud": 1}, "there is no field 'loud'"),
    ):
        with pytest.raises(InputError) as error:
            check(fields, value)
        assert str(error.value) == words


def test_unknown_names_are_left_out_where_they_may_be():
    assert check({vol.Required("a"): FLAG}, {"a": True, "b": 1}, more=True) == {"a": True}


@pytest.mark.parametrize(
    ("name", "payload", "value"),
    [("volume", b"40", 40), ("mute", b"ON", True), ("mute", b"0", False), ("microphone", b"open", "open")],
)
def test_scalar_is_read(name, payload, value):
    assert read_scalar(name, payload) == value


@pytest.mark.parametrize(
    ("name", "payload"), [("volume", b"101"), ("volume", b"4.5"), ("volume", b""), ("mute", b"2"), ("sun", b"1")]
)
def test_scalar_that_does_not_fit_is_refused(name, payload):
    with pytest.raises(Refusal):
        read_scalar(name, payload)


# ------------------------------------------------------------ memories


def test_sixteen_commands_are_remembered_and_those_under_way_longest():
    memory = Remembered()
    memory.begin("under way")
    for index in range(16):
        memory.begin(str(index))
        memory.end(str(index), {"id": index})

    assert memory.knows("under way")
    assert memory.reply("under way") is None
    assert not memory.knows("0")
    assert memory.reply("15") == {"id": 15}


def test_speaker_whose_hardware_changes_back_and_forth_is_two(caplog):
    devices = Devices()
    for mac in ("a", "b", "a"):
        devices.take("lion", "info", json.dumps({"id": "lion", "mac": mac}).encode())

    assert caplog.text.count("two devices call themselves lion") == 1


def test_speaker_that_was_replaced_is_one(caplog):
    devices = Devices()
    for mac in ("a", "b", "b", "b"):
        devices.take("lion", "info", json.dumps({"id": "lion", "mac": mac}).encode())

    assert "two devices" not in caplog.text


# ------------------------------------------------------------ groups


class Zoo:
    """A hub that knows its speakers."""

    def __init__(self) -> None:
        groups = {"savanna": ["lion", "deck"], "everything": ["savanna", "indoors"], "round": ["round", "lion"]}
        self.config = {"groups": groups}

    def speakers(self):
        areas = {"lion": None, "deck_1": "deck", "deck_2": "deck", "gecko": "indoors"}
        return [{"id": id, "area": area} for id, area in areas.items()]


def test_groups_hold_speakers_areas_and_groups():
    assert members(Zoo(), "savanna") == ("lion", "deck_1", "deck_2")
    assert members(Zoo(), "everything") == ("lion", "deck_1", "deck_2", "gecko")
    assert members(Zoo(), "deck") == ("deck_1", "deck_2")
    assert len(members(Zoo(), "all")) == 4
    assert sorted(groups(Zoo())) == ["deck", "everything", "indoors", "round", "savanna"]
    with pytest.raises(Refusal):
        members(Zoo(), "aquarium")


# ------------------------------------------------------------ the outbox


async def test_of_a_retained_topic_only_the_newest_waits():
    outbox = Outbox()
    for volume in range(5):
        outbox.keep("state", {"volume": volume})
    outbox.send("reply", {"id": "1"})

    sent = [await outbox.next(), await outbox.next()]

    assert [(each.topic, each.payload, each.retain) for each in sent] == [
        ("reply", '{"id":"1"}', False),
        ("state", '{"volume":4}', True),
    ]


async def test_everything_kept_is_published_afresh_and_who_is_there_last():
    outbox = Outbox()
    for topic in ("a/availability", "a/info", "a/state"):
        outbox.keep(topic, "x")
        await outbox.next()
    outbox.refresh()

    assert [(await outbox.next()).topic for _ in range(3)] == ["a/info", "a/state", "a/availability"]


async def test_what_could_not_be_published_comes_again_unless_there_is_something_newer():
    outbox = Outbox()
    outbox.send("reply", "first")
    outbox.send("reply", "second")
    outbox.keep("state", "old")
    first = await outbox.next()
    outbox.again(first)
    replies = [(await outbox.next()).payload for _ in range(2)]
    state = await outbox.next()
    outbox.keep("state", "new")
    outbox.again(state)

    assert replies == ["first", "second"]
    assert (await outbox.next()).payload == "new"


async def test_outbox_is_bounded_and_says_what_it_lost(caplog):
    outbox = Outbox()
    for index in range(MOST + 10):
        outbox.send("reply", str(index))

    assert outbox.lost == 10
    assert (await outbox.next()).payload == "10"
    assert caplog.text.count("were thrown away") == 1


async def test_outbox_is_empty_when_all_was_published():
    outbox = Outbox()
    assert await outbox.emptied(0.01)
    outbox.send("a", "b")
    assert not await outbox.emptied(0.01)
    await outbox.next()
    waiting = asyncio.create_task(outbox.emptied(1))
    outbox.done()

    assert await waiting


# ------------------------------------------------------------ packets


def field(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def test_connect_is_read():
    body = (
        field(b"MQTT")
        + b"\x04\xce\x00\x1e"
        + field(b"lion")
        + field(b"a/b")
        + field(b"gone")
        + field(b"u")
        + field(b"p")
    )

    hello = packets.read_connect(body)

    assert hello == packets.Hello("lion", True, 30, 4, "a/b", "u", "p")
    assert "'p'" not in repr(hello)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        field(b"MQIsdp"),
        field(b"MQTT") + b"\x04",
        field(b"MQTT") + b"\x04\xc2\x00\x1e\x00\xff",
        field(b"MQTT") + b"\x04\x02\x00\x1e" + field(b"\xff"),
    ],
)
def test_connect_that_is_none_is_malformed(body):
    with pytest.raises(packets.Malformed):
        packets.read_connect(body)


@pytest.mark.parametrize("topic", [b"", b"a/#", b"a/+/b", b"$SYS/x", b"\xc3\x28", b"a\x00"])
def test_topic_that_nobody_may_publish_on_is_malformed(topic):
    with pytest.raises(packets.Malformed):
        packets.check_publish(0, field(topic) + b"x")


# ------------------------------------------------------------ troubles


def caused(error: OSError) -> aiomqtt.MqttError:
    try:
        try:
            raise error
        except OSError as cause:
            raise aiomqtt.MqttError(str(cause)) from None
    except aiomqtt.MqttError as found:
        return found


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiomqtt.exceptions.MqttConnectError(5), "refuses user or password"),
        (aiomqtt.exceptions.MqttConnectError(3), "is not available"),
        (caused(ConnectionRefusedError(111, "Connection refused")), "nothing listens on that port"),
        (caused(ssl.SSLError(1, "WRONG_VERSION_NUMBER")), "do not agree on TLS"),
        (caused(TimeoutError("timed out")), "does not answer"),
        (caused(OSError(113, "No route to host")), "cannot be reached: No route to host"),
        (aiomqtt.MqttError("Unexpected disconnection"), "is lost: Unexpected disconnection"),
    ],
)
def test_trouble_is_told_in_one_line(error, words):
    line = explain(error, "mqtt://broker:1883")

    assert words in line
    assert "mqtt://broker:1883" in line
    assert "\n" not in line


def test_end_of_a_certificate_is_read(certificates):
    assert not_after(certificates["client"].read_text()).year == 2045
    assert own_expiry(certificates["client"]) == ""
    assert own_expiry(certificates["old_client"]) == "2021-01-01"
    assert own_expiry(certificates["client_key"]) == ""


def test_expired_certificate_of_the_embedded_broker_is_told(certificates, caplog):
    files = {"certificate": str(certificates["old_server"]), "key": str(certificates["old_server_key"])}
    tls_context(files, certificates["ca"].parent)

    assert "certificate expired on 2021-01-01" in caplog.text


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"certificate": "server.pem", "key": "missing.key"}, "there is no file"),
        ({"certificate": "server.pem", "key": "client.key"}, "cannot be used together"),
        ({"certificate": "ca.cnf", "key": "ca.key"}, "cannot be used together"),
    ],
)
def test_files_that_make_no_tls_are_told(certificates, files, words):
    with pytest.raises(MynahError, match=words):
        tls_context(files, certificates["ca"].parent)
