"""The client's loudspeaker: what sounds in the browser is what the hub sent."""

from __future__ import annotations

from contextlib import asynccontextmanager

import numpy
import pytest

from counterparts.browser import JFK, Mp3Voice, SpokenWav, Voices, ask, likeness, resampled, sent, talk, told, until
from mynah.audio import AudioFormat, converter
from mynah.testing import ScriptedTextToSpeech
from mynah_web.ear import heard

pytestmark = pytest.mark.asyncio(loop_scope="session")


PIECE = 2_304
"""Samples that are looked for at a time."""


def voice(rate, **options):
    return ScriptedTextToSpeech(format=AudioFormat("pcm_s16le", rate, 1), **options)


@asynccontextmanager
async def talking(bare, hub):
    """Open a page with an ear and a client that is connected."""
    async with bare(hub.addresses["http"]) as page:
        await talk(page)
        yield page


async def test_asks_and_plays_every_sample_once(house, bare):
    async with house(tts=voice(44_100)) as hub, talking(bare, hub) as page:
        await ask(page)
        assert (await until(page, "turn_finished"))["reply"] == "Yes. Lions eat meat. They sleep a lot."
        sound = await heard(page)
        hub_sent = numpy.frombuffer(sent(page), "<i2")
        assert sound.rate == 44_100
        # A browser that has no time makes pauses.
        assert numpy.array_equal(sound.sound[sound.sound != 0] * 32_768, hub_sent[hub_sent != 0])


async def test_samples_of_other_rates_sound_as_they_are(house, bare):
    rates = (48_000, 22_050, 16_000)
    async with house(tts=Voices([SpokenWav(rate) for rate in rates])) as hub, talking(bare, hub) as page:
        await ask(page)
        started = await told(page, "speech_started")
        assert [each["format"]["rate"] for each in started] == list(rates)
        sound = await heard(page)
        parts = [resampled(b"".join(page.sent[each["stream"]]), each["format"]["rate"], sound.rate) for each in started]
        assert likeness(sound.sound, numpy.concatenate(parts)) > 0.999


async def test_mp3_sounds_as_it_is(house, bare):
    async with house(tts=Mp3Voice(SpokenWav(44_100))) as hub, talking(bare, hub) as page:
        await ask(page)
        started = await told(page, "speech_started")
        assert [each["format"]["codec"] for each in started] == ["mp3"] * 3
        parts = [decoded(b"".join(page.sent[each["stream"]]), 44_100) for each in started]
        assert_places(parts, (await heard(page)).sound * 32_768)


def decoded(mp3, rate):
    """Return the samples of MP3."""
    whole = converter(AudioFormat("mp3", rate, 1), AudioFormat("pcm_s16le", rate, 1))
    return numpy.frombuffer(b"".join(each.data for each in [*whole.feed(mp3), *whole.flush()]), "<i2")


async def test_mp3_sounds_where_the_browser_has_no_decoder(house, bare):
    """Then it is a media source that plays it, in its turn with samples."""
    speech = SpokenWav(44_100, 0.8, JFK)
    async with (
        house(tts=Voices([Mp3Voice(speech), speech, Mp3Voice(speech)])) as hub,
        bare(hub.addresses["http"]) as page,
    ):
        await page.evaluate("delete globalThis.AudioDecoder")
        await talk(page)
        await ask(page)
        hello = next(each for each in page.said if each["type"] == "hello")
        assert {each["codec"] for each in hello["plays"]} == {"pcm_s16le", "mp3"}
        started = await told(page, "speech_started")
        assert [each["format"]["codec"] for each in started] == ["mp3", "pcm_s16le", "mp3"]
        first, samples, last = (b"".join(page.sent[each["stream"]]) for each in started)
        parts = (decoded(first, 44_100), numpy.frombuffer(samples, "<i2"), decoded(last, 44_100))
        assert_places(parts, (await heard(page)).sound * 32_768)
        assert page.said[-1] == {"type": "played", "turn": "t1", "ms": pytest.approx(2_400, abs=120)}


def assert_places(parts, sound):
    """Assert that a sound is made of parts in their order; a browser that has no time may make pauses in them."""
    pieces = [part[at : at + PIECE] for part in parts for at in range(PIECE, len(part) - PIECE, PIECE)]
    found = [place(piece, sound) for piece in pieces if numpy.abs(piece).max() > 1_000]
    places = [at for at, like in found if like > 0.999]
    assert len(places) > 0.85 * len(found) > 5
    assert places == sorted(places)


def place(one, sound):
    """Return where in a sound another one is, and the likeness there."""
    one, size = one.astype(float), 1 << (len(sound) + len(one)).bit_length()
    product = numpy.fft.irfft(numpy.fft.rfft(sound, size) * numpy.conj(numpy.fft.rfft(one, size)), size)
    energy = numpy.cumsum(numpy.concatenate(([0.0], sound**2)))
    alike = product[: len(sound) - len(one)] / numpy.sqrt(energy[len(one) : -1] - energy[: -len(one) - 1] + 1)
    at = int(numpy.argmax(alike))
    return at, likeness(one, sound[at : at + len(one)])


async def test_turn_sounds_from_its_first_chunk(house, bare):
    slow = ScriptedTextToSpeech(total_s=600, pieces=2)
    async with house(tts=slow) as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate("client.ask('what do lions eat')")
        assert (await until(page, "sound"))["latencyMs"] >= 0  # how soon is what the bench measures
        assert await told(page, "speech_ended") == []


async def test_interruption_is_silence_within_a_block(house, bare):
    async with house(tts=voice(44_100, ms_per_word=4_000)) as hub, talking(bare, hub) as page:
        await page.evaluate("client.ask('what do lions eat')")
        await until(page, "sound")
        await page.wait_for_function("told.filter((each) => each.name === 'playing').length === 1")
        await page.evaluate("""async () => {
          await new Promise((resolve) => setTimeout(resolve, 400));
          globalThis.stoppedAt = ear.context.currentTime;
          client.interrupt("enough");
        }""")
        interrupted = await until(page, "interrupted")
        stopped_at = await page.evaluate("stoppedAt")
        await page.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")
        sound = await heard(page)
        end = (sound.first + numpy.flatnonzero(sound.samples)[-1]) / sound.rate
        played_ms = len(sound.sound) / sound.rate * 1000
        assert end - stopped_at < 0.05  # the way of the message to the audio thread, and a block
        assert interrupted["reason"] == "enough"
        assert abs(interrupted["heard_ms"] - played_ms) < 100
        assert hub.session(await page.evaluate("client.session")).history[-1].reply == interrupted["heard"]


async def test_muted_page_is_silent_and_goes_on(house, bare):
    async with house(tts=voice(44_100)) as hub, talking(bare, hub) as page:
        await page.evaluate("client.muted = true")
        await ask(page)
        assert len((await heard(page)).sound) == 0
        await page.evaluate("client.muted = false")
        await ask(page)
        assert len((await heard(page)).sound) > 0


async def test_what_has_sounded_is_reported(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await ask(page)
        reports = [message for message in page.said if message["type"] == "played"]
        assert reports[-1] == {"type": "played", "turn": "t1", "ms": 800}
        assert len(reports) > 2


async def test_recording_of_a_turn_is_a_file(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await ask(page)
        data = await page.evaluate("""async () => {
          const blob = client.recording("t1");
          return [blob.type, Array.from(new Uint8Array(await blob.arrayBuffer())), client.recording("t7")];
        }""")
        assert data[0] == "audio/wav"
        assert bytes(data[1])[44:] == sent(page)
        assert data[2] is None


async def test_hub_sets_the_volume(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        hub.session(await page.evaluate("client.session")).set_volume(30)
        await until(page, "volume", percent=30)
        assert await page.evaluate("client.volume") == pytest.approx(0.3)


async def test_two_tracks_sound_in_the_order_in_which_they_come(house, bare):
    async with house(tts=voice(44_100)) as hub, bare(hub.addresses["http"]) as page:
        await talk(page, tracks="all", interpret={"source": "en", "target": "es", "original": True})
        await ask(page)
        started = await told(page, "speech_started")
        assert {each["track"] for each in started} == {0, 1}
        expected = numpy.frombuffer(b"".join(b"".join(page.sent[each["stream"]]) for each in started), "<i2")
        sound = (await heard(page)).samples * 32_768
        assert numpy.array_equal(sound[sound != 0], expected[expected != 0])
        translated = sum(each["ms"] for each in await told(page, "speech_ended") if each["track"] == 1)
        reports = [each["ms"] for each in page.said if each["type"] == "played"]
        assert reports[-1] == pytest.approx(translated, abs=1)
        assert max(reports) == reports[-1]
