"""The firmware's modules, each by itself, under MicroPython."""

from __future__ import annotations

import hmac
import json
import re

import numpy
import pytest

from mynah.audio.adpcm import Decoder, Encoder
from mynah.firmware import firmware_folder


@pytest.mark.parametrize("arch", ["xtensawin", "rv32imc"])
def test_every_module_compiles_for_the_chips(pack, tmp_path, arch):
    pack.compile_modules(tmp_path, arch)
    assert {file.stem for file in tmp_path.iterdir()} == {
        file.stem for file in (firmware_folder() / "app").glob("*.py")
    }


def test_adpcm_decodes_as_the_hub_does_bit_for_bit(run, tmp_path):
    walk = numpy.random.default_rng(7).normal(size=40 * 505 + 123).cumsum() * 300
    encoder, decoder = Encoder(16000), Decoder(16000)
    data = encoder.feed(walk.clip(-32768, 32767).astype("<i2").tobytes()) + encoder.flush()
    (tmp_path / "sound").write_bytes(data)
    run(f"""
import adpcm
out = bytearray(1010)
with open({str(tmp_path / "sound")!r}, "rb") as file, open({str(tmp_path / "pcm")!r}, "wb") as pcm:
    while block := file.read(256):
        pcm.write(memoryview(out)[: adpcm.decode(block, len(block), out) * 2])
assert adpcm.decode(bytes((0, 0, 89, 0)) + bytes(252), 256, out) == 0
assert adpcm.decode(bytes(3), 3, out) == 0
""")
    assert (tmp_path / "pcm").read_bytes() == decoder.feed(data) + decoder.flush()


def test_the_work_on_samples_takes_no_memory(run):
    run("""
import adpcm, micropython, samples, websocket
from ring import Ring
ring, block, out, key = Ring(bytearray(4096)), bytearray(256), bytearray(1024), b"abcd"
slots = bytearray(2560)
adpcm.decode(block, 256, out)
micropython.heap_lock()
adpcm.decode(block, 256, out)
websocket.mask(out, 0, 1024, key)
samples.scale(out, 512, 128)
samples.from_slots(slots, out, 0, 320, 2)
samples.loudness(out, 320)
micropython.heap_unlock()
""")


def test_samples_are_scaled_taken_from_slots_and_measured(run):
    run("""
import array, struct, samples
data = array.array("h", (1000, -1000, 32767, -32768))
samples.scale(data, 4, 128)
assert list(data) == [500, -500, 16383, -16384], data
slots = struct.pack("<8i", 100 << 14, 5, -100 << 14, 5, 1 << 30, 0, -1 << 31, 0)
out = array.array("h", (0, 0, 0, 0, 0))
samples.from_slots(slots, out, 1, 4, 2)
assert list(out) == [0, 100, -100, 32767, -32768], out
assert samples.loudness(array.array("h", (4, -4, 8, -8)), 4) == 6
""")


def test_frames_of_websocket_carry_their_mask_and_length(run):
    run("""
from websocket import HEAD, frame
key = b"\\x01\\x02\\x03\\x04"
for n in (0, 5, 125, 126, 1280):
    payload = bytes(i & 255 for i in range(n))
    buffer = bytearray(HEAD) + payload
    start = frame(buffer, n, 2, key)
    sent = bytes(buffer[start:])
    assert sent[0] == 0x82 and sent[1] & 0x80
    head = 2 if n < 126 else 4
    assert (sent[1] & 127 if n < 126 else int.from_bytes(sent[2:4], "big")) == n
    assert sent[head:head + 4] == key
    assert bytes(b ^ key[i & 3] for i, b in enumerate(sent[head + 4:])) == payload
""")


def test_the_ring_keeps_order_over_its_end(run):
    run("""
import random
from ring import Ring
ring, out, wrote, took = Ring(bytearray(97)), bytearray(64), 0, 0
random.seed(3)
for _ in range(3000):
    n = min(random.randint(0, 40), ring.free)
    if random.random() < 0.5:
        ring.write(bytes((wrote + i) & 255 for i in range(n)), n)
    else:
        view = ring.space(n)
        n = len(view)
        for i in range(n):
            view[i] = (wrote + i) & 255
        ring.add(n)
    wrote += n
    n = ring.read(out, random.randint(0, 40))
    assert bytes(out[:n]) == bytes((took + i) & 255 for i in range(n))
    took += n
    assert ring.held == wrote - took and ring.free == 97 - ring.held
""")


def test_settings_last_once_they_are_saved(run):
    run("""
from settings import Settings
one = Settings()
assert (one.text("board"), one.number("volume"), one.text("hub"), one.blob("key")) == ("esp32", 60, None, None)
one.put("hub", "ws://hub/ws/v1"); one.put("volume", 35); one.put("key", bytes(range(32))); one.put("mute", True)
assert Settings().text("hub") is None
one.save()
two = Settings()
assert two.text("hub") == "ws://hub/ws/v1" and two.number("volume") == 35 and two.number("mute") == 1
assert two.blob("key") == bytes(range(32))
two.put("hub", None); two.save()
assert Settings().text("hub") is None
""")


def test_settings_come_whole_whatever_their_length_and_short_ones_need_only_a_small_piece_of_memory(run):
    run("""
import gc
from settings import Settings
one = Settings()
for n in (0, 1, 64, 65, 256, 257, 1024):
    one.put("ca", bytes(i & 255 for i in range(n)))
    one.save()
    assert one.blob("ca") == bytes(i & 255 for i in range(n)), n
one.put("ca", None); one.put("key", bytes(range(32))); one.save()
plugs = []
try:
    while True:
        plugs.append(bytearray(512))
except MemoryError:
    pass
for i in range(0, len(plugs), 2):
    plugs[i] = None
gc.collect()
try:
    bytearray(1024)
    assert False, "there is such a piece"
except MemoryError:
    pass
assert one.blob("key") == bytes(range(32)) and one.blob("ca") is None
""")


def test_names_of_all_that_runs_at_once_fit_into_micropythons_table(run, build):
    """One name more, and its next table takes 7 kB in one piece, most likely in mid-update."""
    together = sorted({file.stem for file in firmware_folder().glob("app/*.py")} - {"provisioning", "vs1053"})
    said = run(
        f"""
import micropython
for name in {["hands", *together]!r}:
    __import__(name)
micropython.qstr_info()
""",
        build=build,
    )
    assert int(re.search(r"n_qstr=(\d+)", said)[1]) <= 620, said


def test_packets_of_mqtt_are_as_the_standard_has_them(run):
    run("""
import mqtt as packets
assert packets.connect("a", "u", "p", ("t", "off")) == (
    b"\\x10\\x1b\\x00\\x04MQTT\\x04\\xec\\x00\\x1e\\x00\\x01a\\x00\\x01t\\x00\\x03off\\x00\\x01u\\x00\\x01p")
assert packets.publish("t", "x") == b"\\x30\\x04\\x00\\x01tx"
sent = packets.publish("t", "x", 1, True, 258)
assert sent == b"\\x33\\x06\\x00\\x01t\\x01\\x02x" and packets.again(sent)[0] == 0x3b
assert packets.published(sent[0], sent[2:]) == ("t", 5, 258)
assert packets.published(0x30, packets.publish("t", "x")[2:]) == ("t", 3, 0)
assert packets.puback(258) == b"\\x40\\x02\\x01\\x02"
assert packets.subscribe(1, ["a", "b"]) == b"\\x82\\x0a\\x00\\x01\\x00\\x01a\\x01\\x00\\x01b\\x01"
assert packets.packet(0x30, bytes(321))[:3] == b"\\x30\\xc1\\x02"
""")


def test_commands_are_checked_and_remembered(run):
    run("""
from commands import Done, Wrong, check, parse, scalar
for others in (b"{", b'{"id":"1","command":"say","text":"x"}', b'{"command":"stop"}'):
    assert parse(others) is None
check(parse(b'{"id":"1","command":"volume","volume":40,"expires":1}'))
for bad in (b'"volume":101', b'"volume":true', b'"volume":5,"loud":1'):
    try:
        check(parse(b'{"id":"1","command":"volume",' + bad + b'}'))
        assert False, bad
    except Wrong as error:
        assert error.code == "invalid"
assert (scalar("volume", b"7"), scalar("mute", b"ON"), scalar("microphone", b"open")) == (7, True, "open")
done = Done("old")
for i in range(16):
    done.add(str(i), "reply")
assert done.find("old") == (False, None) and done.find("0") == (True, "reply")
assert ["".join(done.ids(id).split()) for id in "abcd"] == ["olda", "oldab", "oldabc", "abcd"]
""")


def test_the_gate_opens_for_speech_and_gets_used_to_a_noisy_room(run):
    run("""
from gate import Gate
gate = Gate(hang=10)
assert not any([gate.feed(30) for _ in range(100)])
assert gate.feed(2000) and all([gate.feed(30) for _ in range(9)]) and not gate.feed(30)
for _ in range(4000):
    gate.feed(900)
assert not gate.open and gate.feed(3500)
""")


def test_hmac_and_names_of_an_update(run):
    key, data = bytes(range(32)), b"mynah" * 99
    out = run(f"""
from update import Hmac, Refused, check_name, number, same
hmac = Hmac({key!r})
hmac.update({data[:100]!r}); hmac.update({data[100:]!r})
print(hmac.digest().hex())
assert same(b"ab", b"ab") and not same(b"ab", b"aa") and not same(b"ab", b"abc")
assert number("1.10.0") > number("1.9.9") and check_name(b"vs1053.mpy") == "vs1053.mpy"
for bad in (b"../main.py", b"a/b.py", b".py", b"x.txt", b"a.b.py"):
    try:
        check_name(bad)
        assert False, bad
    except Refused:
        pass
""")
    assert out.strip() == hmac.new(key, data, "sha256").hexdigest()


def test_a_copy_that_never_proves_itself_is_left_after_three_starts(run):
    run("""
from slots import Slots
assert Slots().boot() == "a" and not Slots().on_trial
Slots().activate()
assert [Slots().boot() for _ in range(3)] == ["b"] * 3
assert Slots().boot() == "a" and Slots().rolled_back() and not Slots().rolled_back()
Slots().activate(); Slots().boot()
assert Slots().confirm() and not Slots().confirm()
assert [Slots().boot() for _ in range(5)] == ["b"] * 5 and Slots().spare == "a"
""")


def test_the_set_up_page_takes_a_code_and_the_portal_answers_every_name(run):
    code = json.dumps({"id": "lion_house", "hub": "ws://h/ws/v1", "token": "t+=&", "key": "00" * 32}).encode().hex()
    run(f"""
from binascii import b2a_base64
from provisioning import decode_code, dns_answer, keep, parse_form
from settings import Settings
code = b2a_base64(bytes.fromhex({code!r})).decode()
quoted = code.replace("+", "%2B").replace("=", "%3D").replace("/", "%2F").replace("\\n", "%0D%0A")
keep(Settings(), parse_form("ssid=My+net%21&password=p%26w&code=" + quoted))
kept = Settings()
assert (kept.text("ssid"), kept.text("password"), kept.text("token")) == ("My net!", "p&w", "t+=&")
assert kept.blob("key") == bytes(32)
for bad in ("", "abc", "e30="):
    try:
        decode_code(bad)
        assert False
    except ValueError:
        pass
query = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x03www\\x02hi\\x00\\x00\\x01\\x00\\x01"
answer = dns_answer(query)
assert answer[:4] == b"\\x12\\x34\\x81\\x80" and answer[-4:] == bytes((192, 168, 4, 1)) and dns_answer(answer) is None
""")


def test_messages_that_do_not_matter_are_not_read_and_cut_ones_give_what_they_have(run):
    run("""
from session import read
assert read(b'{"type":"token","turn":"t1","text":"x"}', True) is None
assert read(b'{"type":"stage","turn":"t1","stage":"thinking"}', True)["stage"] == "thinking"
cut = b'{"type":"speech_started","turn":"t1","stream":3,"format":{"codec":"ima_adpcm","rate":16000},"text":"lo'
assert read(cut, False) == {"type": "speech_started", "turn": "t1", "at_ms": None, "format": {"codec": "ima_adpcm"}}
""")


def test_the_vs1053_gets_32_bytes_at_a_time_when_it_asks(run):
    run("""
import asyncio, machine
log, level = [], [1]
class SPI:
    def __init__(self, *a, **k): pass
    def init(self, **k): pass
    def write(self, data): log.append(bytes(data))
machine.SPI = SPI
from vs1053 import Vs1053, mp3_rate
assert mp3_rate(b"xx\\xff\\xf3\\x64\\xc4") == 48 and mp3_rate(b"nothing") == 0
chip = Vs1053({"vs1053": (2, 18, 23, 19, 5, 13, 4, 21)})
chip.open(); chip.volume(100)
assert log[-1] == b"\\x02\\x0b\\x00\\x00"
del log[:]
machine.Pin.levels[4] = 0
async def main():
    task = asyncio.create_task(chip.write(memoryview(bytearray(96))))
    await asyncio.sleep_ms(20)
    assert not log
    machine.Pin.levels[4] = 1
    await task
    assert [len(piece) for piece in log] == [32, 32, 32]
asyncio.run(main())
""")


def test_a_button_counts_once_it_has_stopped_bouncing(run):
    run("""
import asyncio
from button import Button
said, levels = [], [1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 1]
class Bouncing:
    def value(self):
        said.append(levels[0])
        return levels.pop(0)
button = Button(0)
button._pin = Bouncing()
button.on_press, button.on_release = lambda: said.append("press"), lambda: said.append("release")
async def main():
    try:
        await button.run()
    except IndexError:
        pass
asyncio.run(main())
assert said == [1, 0, 1, 0, 1, 0, 0, "press", 0, 1, 0, 0, 1, 1, "release", 1], said
""")


def test_the_led_shows_the_phase_at_once_and_blinks_where_it_should(run):
    run("""
import asyncio
from lights import LOOKS, Lights
from machine import Pin
lights = Lights({"led": 2})
shown = []
lights._show = lambda colour: shown.append(colour)
async def main():
    task = asyncio.create_task(lights.run())
    lights.phase = "updating"
    while len(shown) < 4:
        await asyncio.sleep_ms(20)
    assert shown[:4] == [LOOKS["updating"][0], 0] * 2, shown
    lights.phase = "speaking"
    while shown[-1] != LOOKS["speaking"][0]:
        await asyncio.sleep_ms(20)
    del shown[:]
    while len(shown) < 2:
        await asyncio.sleep_ms(20)
    assert set(shown) == {LOOKS["speaking"][0]}, shown
asyncio.run(main())
Lights({"led": 2})._show(0x140000)
assert Pin.levels[2] == 1
Lights({"led": 2})._show(0)
assert Pin.levels[2] == 0
from boards import BOARDS
assert all(name in LOOKS for name in ("setup", "connecting", "idle", "listening", "thinking", "speaking", "muted"))
""")


def test_the_watchdog_is_fed_only_while_audio_and_network_both_live(run):
    run("""
import asyncio, time
import watchdog
fed, seen = [], {"audio": 0, "network": 0}
class WDT:
    def __init__(self, timeout): pass
    def feed(self): fed.append(1)
watchdog.WDT = WDT
for dead in ("audio", "network", None):
    alive = lambda name: lambda: time.ticks_ms() - (5000 if name == dead else 0)
    dog = watchdog.Watchdog({name: (alive(name), 1000) for name in seen})
    assert dog.late() == ([dead] if dead else [])
    del fed[:]
    async def main():
        try:
            await asyncio.wait_for_ms(dog.run(), 50)
            return True
        except asyncio.TimeoutError:
            return False
    assert asyncio.run(main()) == (dead is not None)
    assert bool(fed) == (dead is None)
""")


def test_a_wifi_that_is_lost_is_joined_again(run):
    run("""
import asyncio, network
from wifi import Wifi
joined = []
def connect(self, name, password):
    joined.append((name, password))
    network.WLAN.there = True
network.WLAN.connect = connect
network.WLAN.there = False
async def main():
    radio = Wifi("zoo", "secret")
    assert not radio.connected and await radio.join() and radio.connected
    task = asyncio.create_task(radio.run())
    await asyncio.sleep_ms(50)
    network.WLAN.there = False
    while not radio.connected:
        await asyncio.sleep_ms(50)
    assert joined == [("zoo", "secret")] * 2, joined
asyncio.run(main())
""")


def test_a_clock_that_jumps_changes_nothing_as_no_module_asks_it():
    for module in sorted((firmware_folder() / "app").glob("*.py")):
        source = module.read_text()
        for asked in ("time.time(", "localtime", "gmtime", "RTC", "ntptime"):
            assert asked not in source, module.name
