"""Many speakers and many commands on the embedded broker."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from counterparts.mqtt_speaker import until
from mynah.testing import ScriptedTextToSpeech
from mynah.testing.simulated import SimulatedSpeaker as FirmwareSpeaker
from mynah.testing.simulated import websocket_url

REPORT_S = 5.0
GROWTH_MB = 8.0


@pytest.fixture(autouse=True)
def short_waits() -> None:
    """Here nothing is looked at more often than in any hub: with hundreds of speakers that takes its time."""


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@pytest.mark.parametrize("kind", ["embedded"])
@pytest.mark.parametrize(
    ("count", "firmware", "within_s"),
    [(20, 1, 4 * REPORT_S), pytest.param(200, 3, REPORT_S, marks=pytest.mark.long)],
)
async def test_many_speakers_register_and_report_an_announcement_in_time(
    make_world, build, tmp_path, count, firmware, within_s
):
    ids = [f"speaker_{number}" for number in range(count)]
    boards = [f"board_{number}" for number in range(firmware)]
    total = count + firmware
    world = make_world(speakers={id: {} for id in (*ids, *boards)}, sessions={"max": 2 * count})
    async with world.running(tts=ScriptedTextToSpeech(ms_per_word=20)), AsyncExitStack() as stack:
        admin = await stack.enter_async_context(world.admin("mynah/speaker/+/availability", "mynah/group/+/reply"))
        for id in ids:
            await stack.enter_async_context(world.session(id))
        for id in boards:
            (tmp_path / id).mkdir()
            await (await stack.enter_async_context(board(world, id, tmp_path / id, build))).connected()
        began = time.monotonic()
        speakers = [world.speaker(id) for id in ids]
        await asyncio.gather(*(stack.enter_async_context(speaker) for speaker in speakers))
        await until(
            lambda: len({topic for topic, payload in admin.messages if payload == "online"}) >= total, "all", 30
        )
        registered = time.monotonic()
        await admin.publish("mynah/group/all/cmd", {"id": "a", "command": "announce", "text": "We close now."})
        reply = await admin.reply("mynah/group/all/reply", "a", 30)
        announced = time.monotonic()
        await admin.publish("mynah/group/all/cmd", {"id": "v", "command": "volume", "volume": 7})
        volumes = await admin.reply("mynah/group/all/reply", "v", 30)
        told = time.monotonic()

    print(f"{count}: registered {registered - began:.2f} s, announced {announced - registered:.2f} s, "
          f"volume {told - announced:.2f} s")  # fmt: skip
    assert (len(reply["heard"]), reply["missed"]) == (total, [])
    assert (len(volumes["heard"]), volumes["missed"]) == (total, [])
    assert told - began < 2 * within_s
    assert announced - registered < within_s


def board(world, id: str, folder: Path, build: Path) -> FirmwareSpeaker:
    """Return a speaker that runs the firmware."""
    settings = {
        "id": id,
        "hub": websocket_url(world.hub.addresses["http"]),
        "broker": f"mqtt://127.0.0.1:{world.port}",
        "token": world.passwords[id],
        "key": bytes(32),
    }
    return FirmwareSpeaker(folder, build, **settings)


@pytest.mark.parametrize("kind", ["embedded"])
@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.long)])
async def test_memory_stays_flat_over_many_commands(make_world, count):
    world = make_world()
    async with (
        world.running(),
        world.speaker("lion_house") as speaker,
        world.session("giraffe_deck"),
        world.admin("mynah/speaker/+/reply") as admin,
    ):
        done = 0

        async def give(number: int) -> None:
            """Give commands of both doers, and forget what came of them, so that only the hub may grow."""
            nonlocal done
            for index in range(done, done + number, 2):
                await admin.publish(
                    "mynah/speaker/lion_house/cmd", {"id": f"c{index}", "command": "volume", "volume": index % 100}
                )
                await admin.publish(
                    "mynah/speaker/giraffe_deck/cmd",
                    {"id": f"c{index}", "command": "context", "context": {"n": f"{index}"}},
                )
            done += number
            await until(lambda: len(admin.messages) >= number, "the replies", 60)
            for each in (admin.messages, speaker.messages, speaker.done):
                each.clear()
            speaker._replies.clear()
            gc.collect()

        await give(count // 5)
        before = resident_mb()
        await give(count)
        grown = resident_mb() - before

    print(f"{count}: {grown:.1f} MB more")
    assert grown < GROWTH_MB
