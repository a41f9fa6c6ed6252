"""A sentence that Whisper has settled is heard in the other language while the rest is still being said."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest

from counterparts.whisper_model import write_model
from mynah import (
    LISTENING,
    Interpretation,
    OutletOptions,
    PartialTranscript,
    SessionOptions,
    SpeechChunk,
    TurnFinished,
)
from mynah_whisper.config import Options
from mynah_whisper.course import Course
from mynah_whisper.gates import Decoded
from mynah_whisper.pace import Speech
from mynah_whisper.settling import Word

SAID = "Where does it hurt? Please sit down."
PUT = "¿Dónde le duele? Siéntese, por favor."
SPANISH = Interpretation(target="es", source="en", original=False)


@pytest.fixture(scope="module")
def interpreting_model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("interpreting") / "model", say=SAID)


async def test_the_first_sentence_sounds_before_the_end_of_speech(run_hub, interpreting_model, recording):
    audio = recording("jfk.wav")[: LISTENING.pcm_bytes(8_000)]
    engine = {"engine": "whisper", "model": str(interpreting_model), "device": "cpu", "threads": 1}
    ended: list[float] = []
    sounded: list[float] = []
    installed = ["phrasebook", "whisper", "espeak"]
    async with run_hub(installed=installed, config={"engines": {"stt": [engine]}}) as hub:
        session = hub.open_session(SessionOptions(persona="interpreter", interpret=SPANISH))

        async def speak():
            session.listen(LISTENING)
            size = LISTENING.pcm_bytes(100)
            for at in range(0, len(audio), size):
                session.feed(audio[at : at + size])
                await asyncio.sleep(0.1)
            while not sounded and not ended:  # a machine that is busy may need a little longer
                session.feed(audio[:size])
                await asyncio.sleep(0.1)
            ended.append(time.monotonic())
            session.end_listening()

        async with (
            asyncio.timeout(60),
            aclosing(session.outputs(OutletOptions())) as outputs,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(speak())
            partials = []
            async for output in outputs:
                if isinstance(output, PartialTranscript):
                    partials.append(output.text)
                if isinstance(output, SpeechChunk):
                    sounded.append(time.monotonic())
                if isinstance(output, TurnFinished):
                    break
    assert sounded[0] < ended[0]
    assert output.reply == PUT
    assert partials == [SAID]  # that it is sure of more of it is told to nobody as words


def course_of(*decodes):
    """Follow decodes of windows: each so many seconds long, with words that take half a second each."""
    course = Course(Options())
    for end, text in decodes:
        words = tuple(Word(f" {word}", 0.5 * n, 0.5 * n + 0.4) for n, word in enumerate(text.split()))
        window = course.window(0.0, end)
        assert course.due(end, Speech(0.0, end))
        course.take(Decoded(words, -0.1, 0.0), window)
    return course


def test_words_are_settled_when_two_decodes_agree():
    first = course_of((2.0, "I am ill. My"))
    assert (first.text, first.settled) == ("I am ill. My", 0)
    both = course_of((2.0, "I am ill. My"), (3.5, "I am ill. My head hurts"))
    assert both.text == "I am ill. My head hurts"
    assert both.text[: both.settled] == "I am ill. My"
