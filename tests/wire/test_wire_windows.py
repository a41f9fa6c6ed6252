"""B: a recogniser that works in windows of 2.0 s with 0.5 s overlap, through the wire: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import threading
import time
import wave
from contextlib import aclosing

import aiohttp
import numpy
import pytest

from mynah import LISTENING, OutletOptions, SessionOptions, TranscriptReady
from mynah.testing import run_hub, scripted
from mynah_whisper.config import Options
from mynah_whisper.engine import Whisper
from mynah_whisper.gates import Decoded
from mynah_whisper.recognizer import Found
from mynah_whisper.settling import Word
from mynah_whisper.slots import Slots
from wire.test_wire_study_partner import record, studying, until_final
from wire.wire_clients import House

RATE = 16_000
SAID = 4_800  # samples of a word: 0.3 s
GAP = 1_120
WORDS = ("so", "that", "is", "very", "very", "good", "no", "no", "I", "said", "ask", "not", "what", "your", "country",
         "can", "do", "for", "you", "ask", "what", "you", "can", "had", "had", "the", "lions", "ate")  # fmt: skip
LEAST = 1_000


def talk(seconds, offset=0):
    """Return what is said in so many seconds, and its audio: each word is a tone of its own loudness."""
    count = int(seconds * RATE) // (SAID + GAP)
    said = [WORDS[(number + offset) % len(WORDS)] for number in range(count)]
    audio = b"".join(
        struct.pack("<h", LEAST + 10 * ((number + offset) % len(WORDS))) * SAID + bytes(2 * GAP)
        for number in range(count)
    )
    return said, audio


class Ears:
    """Hears the words in a window by their loudness, and garbles those that its edges cut."""

    multilingual = False
    name = "ears"

    def knows(self, language):
        return language == "en"

    def __init__(self):
        self.most = 0
        self.in_company = False
        self._working = set()
        self._lock = threading.Lock()
        self._two = threading.Event()

    def decode(self, stretch, stop):
        """Note how many work at once whose result somebody waits for; `in_company` the first waits for a second."""
        with self._lock:
            self._working.add(stop)
            self.most = max(self.most, sum(not each.is_set() for each in self._working))
            if self.most > 1:
                self._two.set()
        try:
            if self.in_company:
                self._two.wait(5.0)
            return self._decoded(stretch)
        finally:
            with self._lock:
                self._working.discard(stop)

    def _decoded(self, stretch):
        samples = numpy.frombuffer(stretch.audio, "<i2")
        edges = numpy.flatnonzero(numpy.diff(samples, prepend=0, append=0))
        words = []
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            text = WORDS[(samples[begin] - LEAST) // 10]
            whole = end - begin == SAID
            words.append(Word(f" {text if whole else text[: len(text) // 2] + 'x'}", begin / RATE, end / RATE))
        return Found(Decoded(tuple(words), -0.1, 0.0), "en")


class AlwaysVoice:
    """A detector that takes everything that sounds for a voice."""

    def run(self, names, inputs):
        voice = float(numpy.abs(inputs["input"]).max() > 0)
        return numpy.array([[voice]]), inputs["h"], inputs["c"]


@pytest.fixture
def recognizer():
    return Ears()


@pytest.fixture
def ears(recognizer):
    slots = Slots(2)
    yield Whisper(recognizer, AlwaysVoice(), slots, Options(workers=2))
    slots.close()


def pieces(audio, ms=100):
    size = RATE * 2 * ms // 1000
    return [audio[at : at + size] for at in range(0, len(audio), size)]


async def test_what_is_merged_is_what_was_said(house, ears):
    said, audio = talk(30)
    async with (
        house(**listening(ears)) as home,
        studying(home) as client,
    ):
        await record(client, *pieces(audio))
        frames = await until_final(client)
        assert frames[-1]["data"]["text"].split() == said


def listening(ears):
    """Return what makes a hub listen with these."""
    return {"specs": [scripted("stt", ears, name="a_ears")], "config": {"engines": {"stt": [{"engine": "a_ears"}]}}}


async def test_ten_at_once_are_heard_as_each_alone_by_two_workers(house, ears, recognizer):
    talks = [talk(20, offset=number) for number in range(10)]
    recognizer.in_company = True

    async def one(home, said, audio):
        async with studying(home) as client:
            for piece in pieces(audio, 500):
                await record(client, piece, final=False)
                await asyncio.sleep(0)
            await record(client, b"")
            return (await until_final(client))[-1]["data"]["text"].split() == said

    async with house(**listening(ears)) as home:
        assert all(await asyncio.gather(*(one(home, *each) for each in talks)))
        assert recognizer.most == 2
        assert max(session["buffered_bytes"] for session in home.hub.sessions()) <= 10 * 1024 * 1024


@pytest.mark.long
async def test_two_minutes_are_told_as_they_are_said(house, ears):
    said, audio = talk(120)
    async with (
        house(**listening(ears)) as home,
        studying(home) as client,
    ):
        began = time.monotonic()
        told = []

        async def listen():
            while not told or not told[-1][1]["is_final"]:
                frame = await client.next(within=30)
                if frame["type"] == "transcription":
                    told.append((time.monotonic() - began, frame["data"]))

        listener = asyncio.ensure_future(listen())
        for number, piece in enumerate(pieces(audio), 1):
            await record(client, piece, final=False)
            await asyncio.sleep(max(0.0, began + number * 0.1 - time.monotonic()))
        await record(client, b"")
        await listener
        assert told[-1][1]["text"].split() == said
        for number in range(len(said)):
            spoken_at = (number * (SAID + GAP) + SAID) / RATE
            first = next(at for at, data in told if len(data["text"].split()) > number)
            assert first - spoken_at < 2.0 + 0.3  # what this machine's other work may take


# ---------------------------------------------------------------- with PocketSphinx

QUESTIONS = (
    "What do lions eat?", "How tall is a giraffe?", "Where do penguins live?", "How fast can a cheetah run?",
    "How long does an elephant live?", "What do red pandas eat?", "Are tigers endangered?", "Where are the zebras?",
)  # fmt: skip


def errors(heard, said):
    """Return the word errors of a text, by Levenshtein's distance."""
    row = list(range(len(said) + 1))
    for number, word in enumerate(heard, 1):
        before, row[0] = row[0], number
        for at, other in enumerate(said, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


def plain(text):
    return text.lower().replace("?", "").split()


@pytest.mark.long
async def test_pocketsphinx_hears_questions_as_in_one_whole_pass(tmp_path):
    """Questions said one after another in a session, beside each in one pass of the engine alone."""
    spoken = []
    for number, question in enumerate(QUESTIONS):
        clip = tmp_path / f"{number}.wav"
        await asyncio.to_thread(subprocess.run, ["flite", "-voice", "rms", "-t", question, "-o", str(clip)], check=True)
        with wave.open(str(clip)) as file:
            spoken.append(bytes(9_600) + file.readframes(file.getnframes()) + bytes(9_600))
    folder = tmp_path / "hub"
    folder.mkdir()
    config = {"persona": "zoo_guide"}
    installed = ("dialects", "http", "pocketsphinx", "zoo_guide", "facts", "espeak", "vad")
    windows = whole = 0
    async with run_hub(folder, config=config, installed=installed) as hub, aiohttp.ClientSession() as http:
        home = House(hub, http)
        await hub.warm(60)
        async with studying(home) as client:
            for question, audio in zip(QUESTIONS, spoken, strict=True):
                for piece in pieces(audio, 200):
                    await record(client, piece, final=False)
                    await asyncio.sleep(0.02)
                await record(client, b"")
                heard = (await until_final(client))[-1]["data"]["text"]
                windows += errors(plain(heard), plain(question))
        for question, audio in zip(QUESTIONS, spoken, strict=True):
            session = hub.open_session(SessionOptions(persona="zoo_guide", replies=False))
            async with aclosing(session.outputs(OutletOptions())) as outputs:
                session.listen(LISTENING)
                for part in pieces(audio, 1_000):
                    session.feed(part)
                session.end_listening()
                async for output in outputs:
                    if isinstance(output, TranscriptReady):
                        whole += errors(plain(output.text), plain(question))
                        break
            hub.close_session(session.id)
    words = sum(len(plain(question)) for question in QUESTIONS)
    print(f"{windows} word errors in windows, {whole} in one pass, of {words} words")
    assert (windows - whole) / words <= 0.02
