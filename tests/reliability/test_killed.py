"""A hub that is killed in mid-turn (`kill -9`) loses no finished exchange, and starts as it always does."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mynah.errors import MynahError
from mynah.plugins import load_plugins
from mynah.testing import FakeSpeaker, HubProcess, hub_process, scripts_folder

NEEDED = ("http", "vad", "websocket")
OTHERS = [plugin.name for plugin in load_plugins().loaded if plugin.name not in NEEDED]
"""Left out: the hub is started very often here."""

SCRIPT = {
    "plugins": {"folder": str(scripts_folder()), "disabled": OTHERS},
    "persona": "sparrow",
    "engines": {
        "stt": ["script_stt"],
        "llm": [{"engine": "script_llm", "first_s": 0.005, "each_s": 0.002, "tokens": ["Lions", " eat", " meat", "."]}],
        "tts": [{"engine": "script_tts", "first_s": 0.005, "total_s": 0.02}],
        "vad": [{"engine": "vad", "model": "webrtc"}],
    },
}
SPEAKERS = 3
START_S = 15.0
"""Generous, for a busy machine: what is looked for is a start that hangs or does repairs."""


@dataclass
class Talker:
    """Somebody who asks one question after the other, over as many hubs as it takes."""

    number: int
    session: str = ""
    asked: int = 0
    finished: dict[str, str] = field(default_factory=dict)

    async def talk(self, url: str) -> None:
        """Ask until the hub is gone; note what was told to be finished."""
        resume: dict[str, Any] = {"resume": {"session": self.session}} if self.session else {}
        with suppress(MynahError, OSError, TimeoutError, aiohttp.ClientError):
            async with FakeSpeaker(url, **resume) as speaker:
                assert speaker.welcome["resumed"] == bool(self.session)
                self.session = speaker.session_id
                while True:
                    self.asked += 1
                    question = f"question {self.number}.{self.asked}"
                    turn = await speaker.ask_text(question)
                    if turn.last("turn_finished"):
                        self.finished[question] = turn.last("turn_finished")["reply"]


async def kept(url: str, session: str) -> dict[str, str]:
    """Return what the hub has of a session: question → reply."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}/api/v1/sessions/{session}/export") as answer:
        exchanges = (await answer.json())["exchanges"]
    assert len({each["turn_id"] for each in exchanges}) == len(exchanges)
    return {each["user"]: each["reply"] for each in exchanges}


def check_database(file: Path) -> None:
    """Look at the database as the killed hub left it."""
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


async def kill_in_mid_turn(hub: HubProcess, talkers: list[Talker], delay_s: float) -> None:
    """Let everybody talk for so long, kill the hub, and wait until all have noticed."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for talker in talkers:
            group.create_task(talker.talk(hub.url))
        before = sum(len(talker.finished) for talker in talkers)
        while sum(len(talker.finished) for talker in talkers) <= before:  # noqa: ASYNC110  # until all is going
            await asyncio.sleep(0.001)
        await asyncio.sleep(delay_s)
        os.kill(hub.pid, signal.SIGKILL)


async def kill_and_look(folder: Path, kills: int, seed: int) -> tuple[int, list[float]]:
    """Kill a hub again and again; return how many exchanges were finished, and how long each start took."""
    delays, talkers, starts = random.Random(seed), [Talker(number) for number in range(SPEAKERS)], []
    for _ in range(kills):
        async with hub_process(folder, SCRIPT) as hub:
            starts.append(hub.healthy_s)
            for talker in talkers:
                if talker.session:
                    found = await kept(hub.url, talker.session)
                    assert talker.finished.items() <= found.items()
            await kill_in_mid_turn(hub, talkers, delays.uniform(0.0, 0.25))
        check_database(folder / "data" / "mynah.sqlite3")
    async with hub_process(folder, SCRIPT) as hub:
        starts.append(hub.healthy_s)
        for talker in talkers:
            found = await kept(hub.url, talker.session)
            assert talker.finished.items() <= found.items()
            # What was written, but not told before the end came, is one exchange a kill at most.
            assert len(found) - len(talker.finished) <= kills
    return sum(len(talker.finished) for talker in talkers), starts


async def test_a_hub_that_is_killed_loses_no_finished_exchange(tmp_path):
    finished, starts = await kill_and_look(tmp_path, 3, seed=5)
    assert finished >= 3
    assert max(starts) < START_S


@pytest.mark.long
async def test_a_hub_that_is_killed_fifty_times_loses_no_finished_exchange(tmp_path):
    finished, starts = await kill_and_look(tmp_path, 50, seed=50)
    assert finished >= 50
    assert max(starts) < START_S
    spread = f"{min(starts[1:]):.2f} to {max(starts[1:]):.2f} s"
    print(f"\n{finished} exchanges; the first start took {starts[0]:.2f} s, the others {spread}")
