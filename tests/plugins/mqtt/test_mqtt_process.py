"""A hub as people run it, in a process of its own that is killed."""

from __future__ import annotations

import os
import signal

import pytest

from counterparts.mqtt_broker import free_port
from counterparts.mqtt_speaker import Peer, SimulatedSpeaker, until
from mynah.plugins import load_plugins
from mynah.storage import Storage
from mynah.testing import FakeSpeaker, hub_process, scripts_folder

NEEDED = ("http", "mqtt", "vad", "websocket")
SCRIPT = {
    "plugins": {
        "folder": str(scripts_folder()),
        "disabled": [plugin.name for plugin in load_plugins().loaded if plugin.name not in NEEDED],
    },
    "persona": "sparrow",
    "engines": {
        "stt": ["script_stt"],
        "llm": ["script_llm"],
        "tts": [{"engine": "script_tts", "total_s": 0.02}],
        "vad": [{"engine": "vad", "model": "webrtc"}],
    },
}
"""Engines that are ready at once."""

HERE = "mynah/hub/availability"
CMD, REPLY = "mynah/speaker/lion_house/cmd", "mynah/speaker/lion_house/reply"


@pytest.fixture
def settings(kind, broker, tmp_path):
    """The configuration, the broker's port and the passwords."""
    if broker is not None:
        mqtt = {"broker": f"mqtt://127.0.0.1:{broker.port}", "username": "hub", "password": broker.passwords["hub"]}
        port, passwords = broker.port, broker.passwords
    else:
        port = free_port()
        mqtt = {"embedded": {"port": port}}
        storage = Storage(tmp_path / "data")
        passwords = {
            "admin": storage.issue_token("admin", "admin"),
            "lion_house": storage.issue_token("lion_house", "speaker"),
        }
        storage.close()
    return {**SCRIPT, "speakers": {"lion_house": {}}, "mqtt": mqtt}, port, passwords


async def test_hub_that_is_killed_and_restarted_has_everything_as_it_was(settings, tmp_path, kind):
    config, port, passwords = settings
    async with hub_process(tmp_path, config) as hub:
        speaker = SimulatedSpeaker(port, "lion_house", passwords["lion_house"])
        async with (
            speaker,
            FakeSpeaker(hub.url, speaker="lion_house"),
            Peer(port, "admin", passwords["admin"], "mynah/#") as admin,
        ):
            await until(lambda: admin.on(HERE) == ["online"], "the hub")
            os.kill(hub.pid, signal.SIGKILL)
            if kind == "mosquitto":
                await until(lambda: admin.on(HERE) == ["online", "offline"], "the hub's last will")
            else:
                await until(lambda: speaker.lost and admin.lost, "the end of the broker")
    speaker.done.clear()
    async with (
        hub_process(tmp_path, config) as hub,
        speaker,
        FakeSpeaker(hub.url, speaker="lion_house"),
        Peer(port, "admin", passwords["admin"], "mynah/#") as admin,
    ):
        await until(lambda: "online" in admin.on("mynah/speaker/lion_house/availability"), "the speaker")
        await until(lambda: admin.on(HERE)[-1:] == ["online"], "the hub")
        await admin.publish(CMD, {"id": "v", "command": "volume", "volume": 3})
        await admin.publish(CMD, {"id": "s", "command": "say", "text": "Hello."})
        assert (await admin.reply(REPLY, "v"))["by"] == "speaker"
        assert (await admin.reply(REPLY, "s"))["ok"]

    assert [command["id"] for command in speaker.done] == ["v"]
