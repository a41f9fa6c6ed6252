"""A page that holds a conversation by the client, and what it is compared with."""

from __future__ import annotations

import json
import wave
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy

from mynah.audio import AudioChunk, AudioFormat, converter
from mynah_web.ear import give_ear

RECORDINGS = Path(__file__).parents[1] / "audio"
GO = RECORDINGS / "goforward.wav"
JFK = RECORDINGS / "jfk.wav"
AS_IT_IS = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}

CLIENT = """async (options) => {
  const { MynahClient } = await import("/web/client/mynah-client.js");
  const client = new MynahClient(options);
  const told = [];
  const names = ["state", "welcome", "transcript", "speech_started", "speech_ended", "sound", "playing", "listening",
    "level", "problem", "interrupted", "turn_finished", "turn_failed", "volume", "error"];
  for (const name of names) client.addEventListener(name, (event) => told.push({ name, ...event.detail }));
  Object.assign(globalThis, { client, told });
  return client.connect();
}"""
"""Make a client on the page, `client`, that notes its events in `told`."""

ASK = """async () => {
  const silent = new Promise((resolve) => client.addEventListener("playing", function hear({ detail }) {
    if (detail.turn !== null) return;
    client.removeEventListener("playing", hear);
    resolve();
  }));
  client.ask("what do lions eat");
  await silent;
}"""


async def talk(page, *, ear=True, **options):
    """Give the page a client that is connected, and an ear; returns what `connect` gave.

    `page.sent` is the hub's sound by the number of its stream, `page.said` what the client says.
    """
    page.sent, page.said = {}, []

    def take(frame):
        if isinstance(frame, bytes):
            page.sent.setdefault(frame[0], []).append(frame[1:])

    def note(frame):
        if isinstance(frame, str):
            page.said.append(json.loads(frame))

    def watch(socket):
        socket.on("framereceived", take)
        socket.on("framesent", note)

    page.on("websocket", watch)
    if ear:
        await give_ear(page)
    return await page.evaluate(CLIENT, options)


def sent(page):
    """Return all the hub's sound, in the order of its streams."""
    return b"".join(b"".join(frames) for _, frames in sorted(page.sent.items()))


async def ask(page):
    """Ask in writing, and wait until the reply has sounded to its end."""
    await page.evaluate(ASK)


async def told(page, name):
    """Return the events of that name."""
    return await page.evaluate("name => told.filter((each) => each.name === name)", name)


async def until(page, name, **values):
    """Wait for an event of that name with those values; returns the first."""
    found = await page.wait_for_function(
        "([name, values]) => told.find((each) => each.name === name"
        " && Object.entries(values).every(([key, value]) => each[key] === value))",
        arg=[name, values],
    )
    return await found.json_value()


def samples(file):
    """Return the samples of a recording, 16 kHz mono."""
    with wave.open(str(file)) as recording:
        return numpy.frombuffer(recording.readframes(recording.getnframes()), "<i2")


def resampled(data, rate, to):
    """Return 16-bit samples at another rate."""
    convert = converter(AudioFormat("pcm_s16le", rate, 1), AudioFormat("pcm_s16le", to, 1))
    return numpy.frombuffer(b"".join(each.data for each in [*convert.feed(data), *convert.flush()]), "<i2")


def likeness(one, other):
    """Return the correlation of the shorter with the other where it fits best."""
    short, long = sorted((numpy.asarray(one, float), numpy.asarray(other, float)), key=len)
    size = 1 << (len(long) + len(short)).bit_length()
    product = numpy.fft.irfft(numpy.fft.rfft(long, size) * numpy.conj(numpy.fft.rfft(short, size)), size)
    at = int(numpy.argmax(product[: len(long)]))
    there = long[at : at + len(short)]
    return float(numpy.corrcoef(short[: len(there)], there)[0, 1])


class Voices:
    """Says each phrase by the next of some voices."""

    def __init__(self, voices):
        self._voices = iter(voices)

    def synthesize(self, text, *, voice, language) -> AsyncIterator[AudioChunk]:
        return next(self._voices).synthesize(text, voice=voice, language=language)


class SpokenWav:
    """Says whatever is asked as the next `seconds` of a recording, at `rate`, in pieces of 100 ms."""

    def __init__(self, rate, seconds=0.5, recording=GO):
        self._data = resampled(samples(recording).tobytes(), 16_000, rate).tobytes()
        self._each = int(seconds * rate) * 2
        self.format = AudioFormat("pcm_s16le", rate, 1)
        self._said = 0

    async def synthesize(self, text, *, voice, language) -> AsyncIterator[AudioChunk]:
        begin = self._said * self._each
        self._said += 1
        data = self._data[begin : begin + self._each]
        piece = self.format.pcm_bytes(100)
        for at in range(0, len(data), piece):
            yield AudioChunk(data[at : at + piece], self.format, self.format.pcm_ms(len(data[at : at + piece])))


class Mp3Voice:
    """Another voice's samples as MP3."""

    def __init__(self, voice):
        self._voice = voice

    async def synthesize(self, text, *, voice, language) -> AsyncIterator[AudioChunk]:
        rate = self._voice.format.rate
        convert = converter(self._voice.format, AudioFormat("mp3", rate, 1))
        async with aclosing(self._voice.synthesize(text, voice=voice, language=language)) as chunks:
            async for chunk in chunks:
                for each in convert.feed(chunk.data):
                    yield each
        for each in convert.flush():
            yield each
