"""`mynah run` with engines that cannot be reached: up at once, honest about it, and answering all the same."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

import mynah.cli
from mynah import LISTENING
from mynah.audio import read_audio
from mynah.testing import FakeSpeaker

pytestmark = pytest.mark.long  # limits of time, which a busy machine does not keep

QUESTION = Path(mynah.cli.__file__).with_name("question.wav")
NOWHERE = "http://127.0.0.1:9"
KEY = "sk-nobody-must-see-this"
OPENAI = {"engine": "openai", "base_url": f"{NOWHERE}/v1", "model": "tiny", "api_key": KEY}
EDGE = {"engine": "edge_tts", "proxy": NOWHERE}
AWAY = {"stt": [{"engine": "whisper"}, OPENAI], "llm": [OPENAI], "tts": [EDGE, OPENAI]}
EMBEDDED = {"stt": "pocketsphinx", "llm": "facts", "tts": "espeak"}
REST = {"persona": "zoo_guide", "http": {"mdns": False}}
START_S = 2.0


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the model be neither here nor to be fetched."""
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def question() -> Iterator[bytes]:
    pcm = b"".join(chunk.data for chunk in read_audio(QUESTION, LISTENING))
    return (pcm[start : start + 640] for start in range(0, len(pcm), 640))


async def health(url: str) -> dict[str, dict[str, str]]:
    async with aiohttp.ClientSession() as client, client.get(f"{url}/health") as answer:
        told = await answer.json()
    return {f"{engine['kind']} {engine['name']}": engine for engine in told["engines"]}


@asynccontextmanager
async def mynah_run(folder: Path, engines: dict[str, list[object]]) -> AsyncIterator[tuple[str, float]]:
    """Run `mynah run` on a free port; give its address, and the seconds until it said that it listens."""
    (folder / "config.yaml").write_text(json.dumps({**REST, "engines": engines}), encoding="utf-8")
    command = (sys.executable, "-m", "mynah.cli.main", "run", "-c", str(folder / "config.yaml"), "--port", "0")
    began = time.monotonic()
    with (folder / "hub.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("Mynah listens: http at "), line
        yield line.split()[-1], time.monotonic() - began
    finally:
        process.terminate()
        await process.communicate()


def log_of(folder: Path) -> str:
    return (folder / "hub.log").read_text(encoding="utf-8")


async def test_with_the_embedded_engines_behind_them_a_spoken_question_is_answered(tmp_path: Path):
    engines = {kind: [*away, EMBEDDED[kind]] for kind, away in AWAY.items()}
    async with mynah_run(tmp_path, engines) as (url, _), FakeSpeaker(url) as speaker:
        turn = await speaker.ask_audio(question(), timeout_s=60)
        told = await health(url)
    log = log_of(tmp_path)

    assert turn.transcript == "what do red pandas eat"
    assert turn.outcome == "answered"
    assert turn.audio
    assert turn.last("turn_finished")["engines"] == EMBEDDED
    assert "huggingface.co" in told["stt whisper"]["error"]
    for kind in AWAY:
        assert told[f"{kind} openai"]["error"] == f"{NOWHERE}/v1: nothing listens there; is the server running?"
        assert f"{kind} engine openai cannot be used: {NOWHERE}/v1: nothing listens there" in log
    assert "'base.en' is not on this computer and cannot be fetched" in log
    assert "the proxy cannot be reached; see engines → tts → edge_tts → proxy" in log
    assert "the proxy cannot be reached" in told["tts edge_tts"]["last_error"]
    assert "Traceback" not in log
    assert KEY not in log + str(told)


@pytest.mark.long
async def test_the_hub_is_up_in_two_seconds_though_nothing_can_be_reached(tmp_path: Path):
    took = []
    for number in range(3):
        (folder := tmp_path / str(number)).mkdir()
        async with mynah_run(folder, {kind: [*away, EMBEDDED[kind]] for kind, away in AWAY.items()}) as (url, start_s):
            assert await health(url)
            took.append(start_s)
    print(f"up after {', '.join(f'{each:.2f}' for each in took)} s")
    assert min(took) <= START_S


async def test_alone_they_fail_with_a_chime_and_a_reason_and_the_session_goes_on(tmp_path: Path):
    async with mynah_run(tmp_path, AWAY) as (url, _), FakeSpeaker(url) as speaker:
        for _ in range(2):
            turn = await speaker.ask_audio(question(), timeout_s=30)
            failed = turn.last("turn_failed")
            assert failed["stage"] in ("listening", "transcribing")  # it may be known before the person has finished
            assert "whisper: " in failed["message"]
            assert "openai: " in failed["message"]
            assert turn.audio  # the chime
            assert not turn.phrases
        turn = await speaker.ask_text("What do red pandas eat?")
        assert "nothing listens there" in turn.last("turn_failed")["message"]
        assert turn.audio
        spoken = await speaker.say("Nobody can say this.")
        assert "the proxy cannot be reached" in spoken.last("phrase_failed")["message"]
    assert "Traceback" not in log_of(tmp_path)
