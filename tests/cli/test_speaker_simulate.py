"""`mynah speaker simulate`: in a process of its own, as people run it, at a hub."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import wave
from contextlib import asynccontextmanager, suppress

import pytest

from counterparts.mqtt_speaker import Peer, until
from mynah.provisioning import read_code
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, run_hub, scripted_engines

EMBEDDED = {"mqtt": {"broker": "embedded", "embedded": {"port": 0}}}
WAIT_S = 30.0


@pytest.fixture
async def hub(tmp_path):
    specs = scripted_engines(
        stt=ScriptedSpeechToText(text="hello"), llm=ScriptedLanguageModel(tokens=["Good ", "day."])
    )
    async with run_hub(tmp_path, specs=specs, config=EMBEDDED, installed=("http", "mqtt", "websocket")) as running:
        yield running


class Simulated:
    """`mynah speaker simulate` at work."""

    def __init__(self, process):
        self.process = process
        self.lines = []

    async def until(self, text):
        """Read on until a line has the text; return that line."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                while raw := await self.process.stdout.readline():
                    self.lines.append(raw.decode().rstrip())
                    if text in self.lines[-1]:
                        return self.lines[-1]
        raise AssertionError(f"{text!r} did not come: {self.lines}")

    async def until_all(self, *texts):
        """Read on until each of the texts has stood in a line; they may come in any order."""
        for text in texts:
            if not any(text in line for line in self.lines):
                await self.until(text)

    async def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def end(self):
        """Wait for its end; return its status."""
        async with asyncio.timeout(WAIT_S):
            rest, _ = await self.process.communicate()
        self.lines += rest.decode().splitlines()
        return self.process.returncode


@asynccontextmanager
async def simulate(hub, folder, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mynah.cli.main", "speaker", "simulate", "--url", hub.addresses["http"], *arguments,
        cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Simulated(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def row(hub, id):
    return next((row for row in hub.speakers() if row["id"] == id), None)


def played(path):
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


async def test_it_registers_and_does_what_is_typed(hub, folder, question):
    async with simulate(hub, folder) as speaker:
        await speaker.until("the firmware on MicroPython, with a heap of")
        await speaker.until_all("broker: connected", "hub: connected")
        await until(lambda: (found := row(hub, "simulated")) and found["online"], "the speaker")
        await until(lambda: row(hub, "simulated")["firmware"] == "0.1.0", "its firmware")
        await speaker.type("dance")
        await speaker.until("Type press, release, ask FILE or quit.")
        await speaker.type("press")
        await speaker.until("it is listening")
        await asyncio.sleep(0.5)  # what is held for less than a word is no question
        await speaker.type("release")
        await speaker.until("it is speaking")
        await speaker.type(f"ask {question}")
        await speaker.until("it is listening")
        await speaker.until("it is speaking")
        await speaker.type("quit")
        assert await speaker.end() == 0
    assert any(played(folder / "data" / "simulated" / "simulated" / "loudspeaker.wav"))


@pytest.mark.parametrize("kind", [(), ("--python",)])
async def test_with_a_question_it_asks_plays_the_reply_and_ends(hub, folder, question, kind):
    async with simulate(hub, folder, "hall", "--ask", str(question), "--out", "said.wav", *kind) as speaker:
        assert await speaker.end() == 0
    assert "saved said.wav" in speaker.lines
    assert ("hall: a speaker in Python, not the firmware" in speaker.lines[0]) == bool(kind)
    assert any(played(folder / "said.wav"))
    assert row(hub, "hall") is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_in_mid_speech_ends_it_in_good_order_and_what_it_played_is_saved_whole(hub, folder, number):
    port = int(hub.addresses["mqtt"].rsplit(":", 1)[1])
    here = "mynah/speaker/simulated/"
    async with (
        simulate(hub, folder, "--out", "said.wav") as speaker,
        Peer(port, "anna", hub.storage.issue_token("anna", "admin"), here + "availability") as anna,
    ):
        await speaker.until_all("broker: connected", "hub: connected")
        await anna.publish(here + "cmd", {"id": "1", "command": "say", "text": "The lions are fed at noon. " * 20})
        await speaker.until("it is speaking")
        await asyncio.sleep(0.5)
        speaker.process.send_signal(number)
        assert await speaker.end() == 0
        await until(lambda: anna.on(here + "availability")[-1:] == ["offline"], "its end")
        await until(lambda: not row(hub, "simulated")["online"], "its end at the hub")
    assert "Traceback" not in "\n".join(speaker.lines)
    assert speaker.lines[-1] == "saved said.wav"
    assert (folder / "said.wav").stat().st_size == 44 + len(sound := played(folder / "said.wav"))
    assert any(sound)
    assert sound == played(folder / "data" / "simulated" / "simulated" / "loudspeaker.wav")


async def test_it_starts_anew_where_it_is_told_to(hub, folder):
    port = int(hub.addresses["mqtt"].rsplit(":", 1)[1])
    async with simulate(hub, folder) as speaker, Peer(port, "anna", hub.storage.issue_token("anna", "admin")) as anna:
        await speaker.until("broker: connected")
        await anna.publish("mynah/speaker/simulated/cmd", {"id": "1", "command": "reboot"})
        await speaker.until("it starts anew")
        await speaker.until("broker: connected")


async def test_what_was_set_lasts_in_its_folder(hub, folder):
    async with simulate(hub, folder) as speaker:
        await speaker.until("broker: connected")
        flash = folder / "data" / "simulated" / "simulated" / "nvs.json"
        kept = json.loads(flash.read_text())
        kept["mynah"]["volume"] = 41
        flash.write_text(json.dumps(kept))
        await speaker.type("quit")
        assert await speaker.end() == 0
    async with simulate(hub, folder) as speaker:
        await speaker.until("broker: connected")
    assert json.loads(flash.read_text())["mynah"]["volume"] == 41


async def test_the_token_of_another_speaker_is_not_taken_from_it(hub, folder):
    token = hub.add_speaker("hall", {}).token
    async with simulate(hub, folder, "hall") as speaker:
        assert await speaker.end() == 1
    assert "hall has a token already" in speaker.lines[-1]
    assert hub.access(token) == ("speaker", "hall")


async def test_the_code_of_speaker_add_is_all_that_it_needs(hub, folder, cli):
    added = await asyncio.to_thread(cli, "speaker", "add", "new_one", "--area", "hall", "--url", hub.addresses["http"])
    (code,) = [line for line in added.out.splitlines() if line.startswith("eyJ")]
    async with simulate(hub, folder, "--code", code) as speaker:
        await speaker.until("broker: connected")
        said = await asyncio.to_thread(cli, "say", "hall", "Good day", "--url", hub.addresses["http"])
        assert (said.code, said.out) == (0, "new_one heard it\n")
        await speaker.type("quit")
        assert await speaker.end() == 0
    assert hub.access(read_code(code)["token"]) == ("speaker", "new_one")


async def test_what_cannot_be_is_told_before_anything_starts(hub, folder, cli):
    for arguments, told in (
        (("Lion House",), "ids have only small letters"),
        (("--ask", "missing.wav"), "missing.wav"),
        (("--code", "rubbish"), "this is not a code"),
    ):
        said = await asyncio.to_thread(cli, "speaker", "simulate", *arguments, "--url", hub.addresses["http"])
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert told in said.err
