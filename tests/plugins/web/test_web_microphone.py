"""The client's microphone: what is said arrives at the hub."""

from __future__ import annotations

import asyncio

import numpy
import pytest

from counterparts.browser import AS_IT_IS, GO, likeness, samples, talk, until
from mynah.testing import ScriptedSpeechToText

pytestmark = pytest.mark.asyncio(loop_scope="session")
KEEP_STREAM = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wishes) => (globalThis.stream = await ask(wishes));
}"""


@pytest.mark.parametrize(("mode", "codec", "least"), [("push_to_talk", "pcm_s16le", 0.99), ("open", "opus", 0.9)])
async def test_microphone_reaches_the_recogniser(house, bare, mode, codec, least):
    hears = ScriptedSpeechToText()
    async with house(stt=hears) as hub, bare(hub.addresses["http"], microphone=GO) as page:
        await talk(page, ear=False, codec=codec, microphone=AS_IT_IS)
        await page.evaluate("mode => client.listen(mode)", mode)
        await until_heard(hears, 1.5)
        await page.evaluate("client.endListening()")
        await until(page, "transcript", text="what do lions eat")
        said = samples(GO)
        got = numpy.frombuffer(bytes(hears.heard), "<i2")
        assert next(each for each in page.said if each["type"] == "listen")["format"]["codec"] == codec
        assert likeness(said[4_000:20_000], got) > least


async def until_heard(hears, seconds):
    """Wait until so much has come to the recogniser."""
    async with asyncio.timeout(20):
        while len(hears.heard) < seconds * 32_000:  # noqa: ASYNC110  # it does not tell
            await asyncio.sleep(0.02)


async def test_echo_is_taken_out_of_what_the_microphone_hears(house, bare):
    """It is asked of the browser, and given: what the loudspeaker says is not to interrupt itself."""
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate(KEEP_STREAM)
        await page.evaluate("client.listen('open')")
        track = await page.evaluate(
            "(([track]) => ({ wishes: track.getConstraints(), given: track.getSettings() }))(stream.getAudioTracks())"
        )
        for name in ("echoCancellation", "noiseSuppression", "autoGainControl"):
            assert track["wishes"][name] is True
            assert track["given"][name] is True


async def test_level_tells_how_loud_the_microphone_is(house, bare):
    async with house() as hub, bare(hub.addresses["http"], microphone=GO) as page:
        await talk(page, ear=False)
        await page.evaluate("client.listen('open')")
        await page.wait_for_function(
            "() => told.filter((each) => each.name === 'level' && each.level > 0.3).length > 3"
        )
        await page.evaluate("client.endListening()")
        assert await page.evaluate("client.listening") is None
