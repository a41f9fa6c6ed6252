"""The page's client: connection, microphone, loudspeaker, in a real browser against a real hub."""

from __future__ import annotations

import numpy
import pytest

from mynah.audio import AudioFormat
from mynah.testing import ScriptedSpeechToText, ScriptedTextToSpeech
from mynah_web.ear import give_ear, heard

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENT = """async (options) => {
  const { MynahClient } = await import("/web/client/mynah-client.js");
  const client = new MynahClient(options);
  const told = [];
  const names = ["state", "welcome", "transcript", "speech_started", "speech_ended", "sound", "playing", "listening",
    "problem", "interrupted", "turn_finished", "turn_failed", "volume", "error"];
  for (const name of names) client.addEventListener(name, (event) => told.push({ name, ...event.detail }));
  Object.assign(globalThis, { client, told });
  return client.connect();
}"""
"""Make a client on the page, `client`, that notes its events in `told`."""


async def talk(page, **options):
    """Give the page an ear, and a client that is connected; `page.sent` is the sound that the hub sends."""
    page.sent = []

    def take(frame):
        if isinstance(frame, bytes):
            page.sent.append(frame[1:])

    page.on("websocket", lambda socket: socket.on("framereceived", take))
    await give_ear(page)
    return await page.evaluate(CLIENT, options)


async def until(page, name, **values):
    """Wait for an event of that name with those values; returns the first."""
    found = await page.wait_for_function(
        "([name, values]) => told.find((each) => each.name === name"
        " && Object.entries(values).every(([key, value]) => each[key] === value))",
        arg=[name, values],
    )
    return await found.json_value()


async def test_asks_and_plays_every_sample_once(house, pages):
    voice = ScriptedTextToSpeech(format=AudioFormat("pcm_s16le", 44_100, 1))
    async with house(tts=voice) as hub, pages(hub.addresses["http"], bypass_csp=True) as page:
        welcome = await talk(page)
        await page.evaluate("client.ask('what do lions eat')")
        await until(page, "playing", turn=None)
        assert welcome["persona"] == "sparrow"
        assert (await until(page, "turn_finished"))["reply"] == "Yes. Lions eat meat. They sleep a lot."
        sound = await heard(page)
        sent = numpy.frombuffer(b"".join(page.sent), "<i2")
        assert sound.rate == 44_100
        assert numpy.array_equal(sound.sound * 32_768, sent[1:])  # the first one is a zero


async def test_microphone_reaches_the_recogniser(house, pages):
    hears = ScriptedSpeechToText()
    async with house(stt=hears) as hub, pages(hub.addresses["http"], bypass_csp=True) as page:
        await talk(page)
        await page.evaluate("client.listen('push_to_talk')")
        await until(page, "listening", mode="push_to_talk")
        await page.evaluate("client.endListening()")
        assert (await until(page, "transcript"))["text"] == "what do lions eat"
        assert hears.heard
