from __future__ import annotations

import asyncio
import wave
from contextlib import aclosing
from pathlib import Path

import pytest

from counterparts.whisper_model import write_model
from mynah import LISTENING, Hints
from mynah_whisper.engine import open_whisper

RECORDINGS = Path(__file__).parents[2] / "audio"
PIECE = LISTENING.pcm_bytes(40)
SAID = "what do lions eat"


@pytest.fixture(scope="session")
def said_model(tmp_path_factory):
    """Say the same for any audio."""
    return write_model(tmp_path_factory.mktemp("said") / "model", say=SAID)


@pytest.fixture(scope="session")
def german_model(tmp_path_factory):
    return write_model(
        tmp_path_factory.mktemp("german") / "model", say="was fressen die Löwen", multilingual=True, language="de"
    )


@pytest.fixture(scope="session")
def random_model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("random") / "model")


@pytest.fixture
async def engine(said_model, tmp_path):
    async with open_whisper({"model": str(said_model), "device": "cpu", "threads": 1}, tmp_path) as engine:
        yield engine


@pytest.fixture(scope="session")
def recording():
    def read(name):
        with wave.open(str(RECORDINGS / name)) as clip:
            assert clip.getframerate() == LISTENING.rate
            return clip.readframes(clip.getnframes())

    return read


async def pieces(audio, pause=0.0):
    for at in range(0, len(audio), PIECE):
        await asyncio.sleep(pause)
        yield audio[at : at + PIECE]


async def endless(audio):
    async for piece in pieces(audio):
        yield piece
    await asyncio.get_running_loop().create_future()


@pytest.fixture(scope="session")
def hear():
    async def hear(engine, audio, language="en", hints=None):
        source = pieces(audio) if isinstance(audio, bytes) else audio
        transcripts = engine.transcribe(source, LISTENING, language=language, hints=hints or Hints())
        async with aclosing(transcripts) as outputs:
            return [transcript async for transcript in outputs]

    return hear


@pytest.fixture(scope="session")
def microphone():
    """Give audio endlessly: what it is given, and then it waits for more."""
    return endless


@pytest.fixture(scope="session")
def spoken():
    """Give audio piece by piece, with a pause in seconds before each."""
    return pieces
