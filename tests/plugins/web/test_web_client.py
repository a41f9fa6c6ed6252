"""The client's connection: what it says of itself, how it comes back, and what it tells of what went wrong."""

from __future__ import annotations

import base64
import json
import socket

import numpy
import pytest

from counterparts.browser import JFK, SpokenWav, ask, likeness, resampled, samples, sent, talk, told, until
from counterparts.network import StallingProxy
from mynah.audio import AudioFormat, converter
from mynah.testing import FakeSpeaker
from mynah_web.ear import heard
from mynah_web.files import FOLDER

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTEN = "client.listen('push_to_talk').then(() => null, ({ name, code, hint }) => ({ name, code, hint }))"
CONNECT = "client.connect().then(() => null, ({ name, code, hint }) => ({ name, code, hint }))"
TRY = """async (options) => {
  const { MynahClient } = await import("/web/client/mynah-client.js");
  return new MynahClient(options).connect().then(() => null, ({ code, hint }) => ({ code, hint }));
}"""
LATE = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wishes) => {
    await new Promise((resolve) => { window.allow = resolve; });
    return ask(wishes);
  };
}"""
"""The person is asked for the microphone, and answers with `allow()`."""
NO_DEVICE = """() => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("none", "NotFoundError"); };
}"""


async def test_statistics_have_the_older_names(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        welcome = await talk(page, ear=False)
        await ask(page)
        statistics = await page.evaluate("client.statistics()")
        assert welcome == {
            "session": statistics["sessionId"], "persona": "sparrow", "language": "en", "resumed": False,
        }  # fmt: skip
        assert statistics["isActive"]
        assert statistics["conversationEntries"] == 2
        assert statistics["pendingTranscriptions"] == statistics["pendingResponses"] == 0
        assert await page.evaluate("client.turns") == 1


async def test_closing_ends_the_session_and_lets_go(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate("client.listen('open').then(() => client.close())")
        assert await page.evaluate("client.state") == "closed"
        assert await page.evaluate("client.listening") is None
        assert page.said[-1] == {"type": "bye"}
        await page.evaluate(CONNECT)
        assert await page.evaluate("client.state") == "connected"
        await ask(page)


async def test_lost_server_comes_back_and_the_sound_goes_on_where_it_was(house, bare):
    await lose_the_server(house, bare, away_s=0.8)


async def test_closing_while_it_connects_is_told(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate("client.close()")
        told = await page.evaluate(f"(async () => {{ const told = {CONNECT}; await client.close(); return told; }})()")
        assert told["code"] == "not_connected"
        assert await page.evaluate("client.state") == "closed"


@pytest.mark.long
async def test_server_may_be_lost_for_five_seconds(house, bare):
    await lose_the_server(house, bare, away_s=5.0)


async def lose_the_server(house, bare, away_s):
    """Cut the connection in mid-sentence: in the same session every sample is heard once."""
    seconds = 0.5 + away_s / 2
    async with house(tts=SpokenWav(44_100, seconds, JFK)) as hub:
        proxy = StallingProxy(int(hub.addresses["http"].rsplit(":", 1)[1]), every_s=3600)
        async with proxy.running() as port, bare(f"http://127.0.0.1:{port}") as page:
            before = await talk(page)
            await page.evaluate("client.ask('what do lions eat')")
            await until(page, "sound")
            proxy.there = False
            proxy.cut()
            await until(page, "state", state="reconnecting", reason="lost")
            await page.evaluate("s => new Promise((resolve) => setTimeout(resolve, s * 1000))", away_s)
            proxy.there = True
            await until(page, "welcome", resumed=True)
            await until(page, "playing", turn=None)
            assert await page.evaluate("client.session") == before["session"]
            hello = next(each for each in page.said if each["type"] == "hello" and "resume" in each)
            assert hello["resume"]["played_ms"] > away_s * 900
            sound = await heard(page)
            said = resampled(samples(JFK).tobytes(), 16_000, 44_100)[: 3 * int(seconds * 44_100)]
            assert sound.rate == 44_100
            assert numpy.array_equal(without_zeros(sound.samples * 32_768), without_zeros(said))
            page.troubles.clear()  # the browser logs each connection that fails


def without_zeros(sound):
    """Return what is no silence, to compare what was heard with pauses in between."""
    return sound[numpy.flatnonzero(sound)]


async def test_refused_token_says_how_to_get_one(house, pages):
    async with house(config={"http": {"host": "0.0.0.0"}}) as hub, pages(local(hub)) as page:
        assert (await page.evaluate(TRY, {"token": "wrong"}))["code"] == "unauthorized"
        refused = await page.evaluate(TRY, {})
        assert refused["code"] == "unauthorized"
        assert "mynah token" in refused["hint"]
        page.troubles.clear()  # the page was refused, too


def local(hub):
    """Return the address at which this machine reaches a hub that is open to the network."""
    return "http://127.0.0.1:" + hub.addresses["http"].rsplit(":", 1)[1].split("/")[0]


async def test_dead_hub_is_told(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        error = await page.evaluate(TRY, {"hub": "http://127.0.0.1:9"})
        assert error["code"] == "unreachable"
        assert "running" in error["hint"]
        page.troubles.clear()


async def test_session_that_is_taken_over_is_not_taken_back(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        welcome = await talk(page, ear=False)
        async with FakeSpeaker(hub.addresses["http"], resume={"session": welcome["session"]}):
            assert (await until(page, "problem"))["code"] == "taken_over"
            assert await page.evaluate("client.state") == "closed"


async def test_denied_microphone_is_told(house, bare):
    async with house() as hub, bare(hub.addresses["http"], permissions=()) as page:
        await talk(page, ear=False)
        error = await page.evaluate(LISTEN)
        assert error["code"] == "microphone_denied"
        assert "Allow it" in error["hint"]
        assert await page.evaluate("client.listening") is None


@pytest.mark.parametrize("mode", ["push_to_talk", "open"])
async def test_microphone_that_was_called_off_records_nothing(house, bare, mode):
    """A person who is asked may take their time: what was to be said is over by then."""
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate(LATE)
        told = await page.evaluate(
            """async (mode) => {
              const sent = client.statistics().bufferChunks;
              const begun = client.listen(mode).then(() => null, ({ code }) => code);
              while (!window.allow) await new Promise((resolve) => setTimeout(resolve, 5));
              await client.endListening();
              window.allow();
              const told = await begun;
              await new Promise((resolve) => setTimeout(resolve, 300));  // several frames
              return [told, client.listening, client.statistics().bufferChunks - sent];
            }""",
            mode,
        )
        assert told == [None, None, 0]


async def test_microphone_that_is_wanted_again_while_asked_for_begins_once(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate(LATE)
        await page.evaluate(
            """async () => {
              const first = client.listen("push_to_talk");
              while (!window.allow) await new Promise((resolve) => setTimeout(resolve, 5));
              await client.endListening();
              const second = client.listen("push_to_talk");
              window.allow();
              await Promise.all([first, second]);
            }"""
        )
        assert await page.evaluate("client.listening") == "push_to_talk"
        assert [message["type"] for message in page.said].count("listen") == 1


async def test_missing_microphone_is_told(house, bare):
    async with house() as hub, bare(hub.addresses["http"]) as page:
        await talk(page, ear=False)
        await page.evaluate(NO_DEVICE)
        assert (await page.evaluate(LISTEN))["code"] == "microphone_missing"


async def test_english_texts_are_those_of_the_client(house, bare):
    texts = json.loads((FOLDER / "texts" / "en.json").read_text(encoding="utf-8"))
    async with house() as hub, bare(hub.addresses["http"]) as page:
        problems = await page.evaluate("import('/web/client/problems.js').then(({ PROBLEMS }) => PROBLEMS)")
    for code, (message, hint) in problems.items():
        assert texts[f"client.{code}"] == message
        assert texts[f"client.{code}.hint"] == hint


EAR = """() => {
  const { connect } = AudioNode.prototype;
  globalThis.blocks = [];
  AudioNode.prototype.connect = function heard(target, ...rest) {
    if (target instanceof AudioDestinationNode && !(this instanceof ScriptProcessorNode)) {
      const tap = this.context.createScriptProcessor(2048, 1, 1);
      tap.onaudioprocess = ({ inputBuffer }) => blocks.push(inputBuffer.getChannelData(0).slice());
      connect.call(this, tap);
      connect.call(tap, this.context.destination);
    }
    return connect.call(this, target, ...rest);
  };
}"""
"""An ear for pages that have no worklets."""


def own_address():
    """Return an address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("203.0.113.1", 9))
        return probe.getsockname()[0]


async def test_page_over_plain_http_has_no_microphone_and_speaks_all_the_same(house, pages):
    async with house(tts=SpokenWav(24_000, 0.3), config={"http": {"host": "0.0.0.0"}}) as hub:
        token = hub.storage.issue_token("page", "admin")
        async with pages(local(hub).replace("127.0.0.1", own_address())) as page:
            await page.evaluate(EAR)
            await talk(page, ear=False, token=token)
            assert await page.evaluate("isSecureContext") is False
            error = await page.evaluate(LISTEN)
            assert error["code"] == "insecure_origin"
            assert "https" in error["hint"]
            await ask(page)
            await page.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")
            # What hears it here is the page's own thread, which may miss some on a busy machine: the rest is likened.
            assert {each["format"]["codec"] for each in await told(page, "speech_started")} == {"mp3"}
            texts = await page.evaluate(
                "blocks.map((block) => btoa(String.fromCharCode(...new Uint8Array(block.buffer))))"
            )
            mp3 = converter(AudioFormat("mp3", 24_000, 1), AudioFormat("pcm_s16le", 44_100, 1))
            expected = numpy.frombuffer(b"".join(each.data for each in [*mp3.feed(sent(page)), *mp3.flush()]), "<i2")
            assert page.said[-1] == {"type": "played", "turn": "t1", "ms": pytest.approx(len(expected) / 44.1, abs=2)}
            blocks = [numpy.frombuffer(base64.b64decode(text), "<f4") for text in texts]
            whole = [block for block in blocks if (block != 0).mean() > 0.9 and numpy.abs(block).max() > 0.02]
            assert max(likeness(block, expected) for block in whole) > 0.99
            page.troubles.clear()
