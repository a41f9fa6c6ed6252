"""Setting up: the captive portal on real sockets, as a telephone meets it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest

from counterparts.mqtt_broker import free_port
from mynah.firmware import firmware_folder
from mynah.testing.simulated import START

CODE = {"id": "lion_house", "hub": "ws://hub:8000/ws/v1", "token": "mk_1+/=", "key": "ab" * 32}
PROGRAM = """
import asyncio
from provisioning import Provisioning
from settings import Settings
asyncio.run(Provisioning(Settings(), "Mynah").run({}, {}))
print("saved")
"""


@asynccontextmanager
async def portal(folder):
    """A speaker that is being set up: its page's address, the port of its names, its process."""
    page, names = free_port(), free_port()
    file = folder / "program.py"
    file.write_text(PROGRAM.format(page, names))
    path = ":".join(str(firmware_folder() / part) for part in ("shim", "app", "."))
    process = subprocess.Popen(  # noqa: ASYNC220  # starting it blocks for milliseconds
        [sys.executable, "-c", START, "-X", "heapsize=100k", str(file)],
        env={**os.environ, "MICROPYPATH": f"{path}:.frozen", "MYNAH_SIM": str(folder)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", page))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{page}", names, process
    finally:
        process.kill()
        process.communicate()


def code(**fields):
    return base64.b64encode(json.dumps({**CODE, **fields}).encode()).decode()


def query(name, number=0x1234):
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    head = number.to_bytes(2, "big") + b"\x01\x00\x00\x01" + bytes(6)
    return head + labels + b"\0\0\x01\0\x01"


@pytest.mark.parametrize("name", ["connectivitycheck.gstatic.com", "captive.apple.com"])
async def test_every_name_is_the_speakers_own(tmp_path, name):
    async with portal(tmp_path) as (_, port, _):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(15)
            udp.sendto(b"no query", ("127.0.0.1", port))
            udp.sendto(query(name), ("127.0.0.1", port))
            answer = await asyncio.to_thread(udp.recv, 512)
    asked = query(name)
    assert answer[:4] == b"\x12\x34\x81\x80"
    assert answer[12 : len(asked)] == asked[12:]
    assert answer[-4:] == bytes((192, 168, 4, 1))


async def test_any_address_shows_the_form_so_that_telephones_open_it(tmp_path):
    async with portal(tmp_path) as (url, _, _), aiohttp.ClientSession() as session:
        for path in ("/", "/generate_204", "/hotspot-detect.html"):
            async with session.get(url + path) as answer:
                page = await answer.text()
                assert answer.status == 200
                assert "name=ssid" in page
                assert "name=code" in page


async def test_what_the_form_says_is_kept_and_the_speaker_starts_anew(tmp_path):
    async with portal(tmp_path) as (url, _, process), aiohttp.ClientSession() as session:
        form = {"ssid": "Zoo & friends", "password": "p%w=d", "code": code()}
        async with session.post(url, data=form) as answer:
            assert answer.status == 200
            assert "Saved" in await answer.text()
        assert await asyncio.to_thread(process.wait, 30) == 0
    kept = json.loads((tmp_path / "nvs.json").read_text())["mynah"]
    assert bytes.fromhex(kept["ssid"]).decode() == "Zoo & friends"
    assert bytes.fromhex(kept["password"]).decode() == "p%w=d"
    assert bytes.fromhex(kept["token"]).decode() == CODE["token"]
    assert kept["key"] == CODE["key"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"ssid": "zoo", "code": "no code"}, "not a code from mynah speaker add"),
        ({"ssid": "", "code": code()}, "Which Wi-Fi?"),
        ({"ssid": "zoo", "code": base64.b64encode(b"{}").decode()}, "names no speaker or no hub"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_kept(tmp_path, form, said):
    async with portal(tmp_path) as (url, _, process), aiohttp.ClientSession() as session:
        async with session.post(url, data=form) as answer:
            assert answer.status == 400
            assert said in await answer.text()
        assert process.poll() is None
    assert not (tmp_path / "nvs.json").exists()
