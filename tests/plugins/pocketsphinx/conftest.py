from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import pytest

from mynah import LISTENING, Hints

RECORDINGS = Path(__file__).parents[2] / "audio"
ANIMALS = {"lion": "lions", "giraffe": "giraffes", "meerkat": "meerkats", "wolf": "wolves"}
ASKED = (
    "What do {plural} eat?",
    "How tall is a {name}?",
    "How long does a {name} live?",
    "Where do {plural} live?",
    "Where are the {plural}?",
    "How fast can a {name} run?",
    "When are the {plural} fed?",
    "Are {plural} endangered?",
)


@pytest.fixture(scope="session")
def hints():
    questions = [text.format(name=name, plural=plural) for name, plural in ANIMALS.items() for text in ASKED]
    names = [name for pair in ANIMALS.items() for name in pair]
    return Hints(tuple([*questions, "Where can I buy a ticket?", "When does the zoo close?"]), (*names, "cub"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pocketsphinx")


@pytest.fixture(scope="session")
def say(tmp_path_factory):
    """Speak by flite, Debian's small synthesiser, with silence around."""
    clips = tmp_path_factory.mktemp("clips")

    def say(text, voice="rms"):
        clip = clips / f"{voice}-{text}.wav"
        if not clip.exists():
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(clip)], check=True)
        silence = bytes(LISTENING.pcm_bytes(300))
        return silence + pcm(clip) + silence

    return say


@pytest.fixture(scope="session")
def recording():
    return lambda name: pcm(RECORDINGS / name)


def pcm(file):
    with wave.open(str(file)) as clip:
        assert clip.getframerate() == LISTENING.rate
        return clip.readframes(clip.getnframes())
