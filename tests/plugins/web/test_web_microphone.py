"""The client's microphone: what is said arrives at the hub."""

from __future__ import annotations

import numpy
import pytest

from counterparts.browser import AS_IT_IS, GO, likeness, samples, talk, until
from mynah.testing import ScriptedSpeechToText

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("mode", "codec", "least"), [("push_to_talk", "pcm_s16le", 0.99), ("open", "opus", 0.9)])
async def test_microphone_reaches_the_recogniser(house, pages, mode, codec, least):
    hears = ScriptedSpeechToText()
    async with house(stt=hears) as hub, pages(hub.addresses["http"], microphone=GO) as page:
        await talk(page, ear=False, codec=codec, microphone=AS_IT_IS)
        await page.evaluate("mode => client.listen(mode)", mode)
        await page.evaluate("new Promise((resolve) => setTimeout(resolve, 1500))")
        await page.evaluate("client.endListening()")
        await until(page, "transcript", text="what do lions eat")
        said = samples(GO)
        got = numpy.frombuffer(bytes(hears.heard), "<i2")
        assert next(each for each in page.said if each["type"] == "listen")["format"]["codec"] == codec
        assert likeness(said[4_000:20_000], got) > least


async def test_level_tells_how_loud_the_microphone_is(house, pages):
    async with house() as hub, pages(hub.addresses["http"], microphone=GO) as page:
        await talk(page, ear=False)
        await page.evaluate("client.listen('open')")
        await page.wait_for_function(
            "() => told.filter((each) => each.name === 'level' && each.level > 0.3).length > 3"
        )
        await page.evaluate("client.endListening()")
        assert await page.evaluate("client.listening") is None
