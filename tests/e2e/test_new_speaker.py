"""From `mynah speaker add` to the first words: the code that it prints, given to the firmware's own set-up page."""

from __future__ import annotations

import asyncio
import os
import socket
import sys

import aiohttp

from counterparts.mqtt_speaker import until
from mynah.firmware import compile_firmware, firmware_folder
from mynah.testing import run_hub, scripted_engines
from mynah.testing.simulated import START, SimulatedSpeaker

CONFIG = {"mqtt": {"broker": "embedded", "embedded": {"port": 0}}}
SET_UP = """
import asyncio
from provisioning import Provisioning
from settings import Settings
asyncio.run(Provisioning(Settings(), "Mynah").run({port}))
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def mynah(*arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mynah.cli.main", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode()


async def fill_in(port, **form):
    """Fill in the page of the set-up, as a telephone does; return what it says."""
    async with aiohttp.ClientSession() as telephone, asyncio.timeout(60):
        while True:
            try:
                async with telephone.post(f"http://127.0.0.1:{port}/", data=form) as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def set_up(folder, code):
    """Run the firmware's set-up until somebody has filled in its page, wrongly first."""
    port = free_port()
    path = ":".join(str(firmware_folder() / part) for part in ("shim", "app"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, "-X", "heapsize=200k", "-c", SET_UP.format(port=port),
        env={**os.environ, "MICROPYPATH": f"{path}:.frozen", "MYNAH_SIM": str(folder)},
    )  # fmt: skip
    try:
        status, page = await fill_in(port, ssid="Home", password="secret", code=code[:-9])
        assert (status, "This is not a code" in page) == (400, True)
        status, page = await fill_in(port, ssid="Home", password="secret", code=code)
        assert (status, "Saved" in page) == (200, True)
        return await asyncio.wait_for(process.wait(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_code_that_is_printed_brings_a_speaker_to_hub_and_broker(tmp_path):
    flash, build = tmp_path / "flash", tmp_path / "build"
    flash.mkdir()
    await compile_firmware(build, "x64")
    async with run_hub(
        tmp_path, specs=scripted_engines(), config=CONFIG, installed=("http", "mqtt", "websocket")
    ) as hub:
        at = ("--url", hub.addresses["http"])
        status, printed = await mynah("speaker", "add", "lion_house", "--area", "savanna", *at)
        (code,) = [line for line in printed.splitlines() if line.startswith("eyJ")]
        assert (status, await set_up(flash, code)) == (0, 0)
        async with SimulatedSpeaker(flash, build) as speaker:
            await speaker.connected()
            await until(lambda: hub.speakers()[0]["firmware"], "what it is, over MQTT")
            status, said = await mynah("say", "savanna", "Welcome", *at)
            await speaker.quit()
        assert (status, said) == (0, "lion_house heard it\n")
        assert any(speaker.sound())
