import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import aiohttp
import edge_tts
import pytest

from counterparts.edge import Script
from mynah import AudioChunk, EngineError, EngineUnavailable, Voice
from mynah_edge_tts.config import Options
from mynah_edge_tts.engine import open_edge_tts
from mynah_edge_tts.network import Addresses, NotFound
from mynah_edge_tts.troubles import explained

TEXT = "The lions are awake today."
LONG = " ".join(f"Sentence number {number} is about lions & owls." for number in range(120))
LIMIT_S = 1.0


@pytest.fixture
async def engine():
    async with open_edge_tts({"connect_timeout": LIMIT_S, "receive_timeout": LIMIT_S}, Path()) as opened:
        yield opened


async def failing(engine, text=TEXT):
    """Return what came before the failure, the failure, and how long it took."""
    came, began = [], time.monotonic()

    async def consume():
        async with aclosing(engine.synthesize(text, voice=Voice(), language="en")) as parts:
            async for part in parts:
                came.append(part)

    with pytest.raises(EngineError) as caught:
        await consume()
    audio = b"".join(part.data for part in came if isinstance(part, AudioChunk))
    return audio, str(caught.value), time.monotonic() - began


async def works(engine):
    async with aclosing(engine.synthesize("one", voice=Voice(), language="en")) as parts:
        return [part async for part in parts]


@pytest.mark.parametrize(
    ("status", "says", "connects"),
    [
        (403, "refused the request (HTTP 403): check this machine's clock", 2),  # the client corrects the clock once
        (429, "refused the request (HTTP 429): it had too many requests", 1),
        (503, "refused the request (HTTP 503): it has trouble of its own", 1),
        (404, "refused the request (HTTP 404): it may have changed; update", 1),
    ],
)
async def test_a_refusal_is_told_at_once_by_its_reason_and_not_tried_again(edge, engine, status, says, connects):
    edge.script = Script(status=status)
    audio, message, took = await failing(engine)

    assert audio == b""
    assert says in message
    assert took < 2
    assert edge.connects == connects


async def test_an_answer_without_speech_is_told_and_not_tried_again(edge, engine):
    edge.script = Script(fault="silent")
    _, message, took = await failing(engine)

    assert "gave no speech for 'The lions are awake today.': en-US-EmmaMultilingualNeural may not" in message
    assert took < 2
    assert edge.connects == 1


async def test_a_connection_lost_before_any_speech_is_tried_once_more(edge, engine):
    edge.next = [Script(fault="drop")]
    assert await works(engine)
    assert edge.connects == 2

    edge.script = Script(fault="drop")
    _, message, took = await failing(engine)
    assert "lost before any speech came" in message
    assert took < 2
    assert edge.connects == 4


async def test_a_connection_lost_in_mid_phrase_is_told_and_not_tried_again(edge, engine):
    edge.script = Script(fault="drop", after=3600)
    audio, message, _ = await failing(engine)

    assert audio == edge.audio(TEXT)[: len(audio)]
    assert len(audio) == 3600
    assert "lost after 0.6 s of speech" in message
    assert edge.connects == 1


async def test_a_connection_that_breaks_in_mid_phrase_is_told_by_how_much_was_said(edge, engine, monkeypatch):
    stream = edge_tts.Communicate.stream

    async def breaking(self):
        async for item in stream(self):
            yield item
            if item["type"] == "audio":
                raise edge_tts.exceptions.WebSocketError("reset")

    monkeypatch.setattr(edge_tts.Communicate, "stream", breaking)
    audio, message, _ = await failing(engine)

    assert len(audio) == 720
    assert "lost after 0.1 s of speech" in message
    assert edge.connects == 1


async def test_a_part_of_a_long_text_that_was_cut_is_not_passed_over(edge, engine):
    edge.script, edge.next = Script(word_ms=10), [Script(fault="drop", after=3600, word_ms=10)]
    audio, message, _ = await failing(engine, LONG)

    assert len(audio) == 3600
    assert "lost after 0.6 s" in message


@pytest.mark.parametrize("after", [0, 3600])
async def test_a_service_that_falls_silent_is_given_up_after_the_limit(edge, engine, after):
    edge.script = Script(fault="hang", after=after)
    audio, message, took = await failing(engine)

    assert len(audio) == after
    assert "gave nothing for 1 s" in message
    assert "receive_timeout" in message
    assert LIMIT_S <= took < LIMIT_S + 2
    async with asyncio.timeout(2):
        await edge.all_closed()


async def test_a_service_that_does_not_even_answer_the_handshake_is_given_up(edge, engine):
    edge.script = Script(fault="deaf")
    _, message, took = await failing(engine)

    assert "gave nothing for 1 s" in message
    assert took < 2 * LIMIT_S + 2


async def test_a_slow_drip_within_the_limit_is_waited_for(edge, engine):
    edge.script = Script(chunk=720, first_s=0.2, total_s=0.8)
    assert await works(engine)


@pytest.mark.parametrize("after", [0, 3600])
async def test_a_message_that_is_none_is_told(edge, engine, after):
    edge.script = Script(fault="malformed", after=after)
    audio, message, _ = await failing(engine)

    assert len(audio) == after
    assert "answered something that is not understood; update: pip install" in message


async def test_noise_instead_of_mp3_is_never_given_out(edge, engine):
    edge.script = Script(fault="noise")
    audio, message, _ = await failing(engine)

    assert audio == b""
    assert "not understood" in message


async def test_a_goodbye_that_does_not_come_costs_no_speech(edge, engine):
    edge.script = Script(fault="no_goodbye")
    parts = await works(engine)

    assert b"".join(part.data for part in parts if isinstance(part, AudioChunk)) == edge.audio("one")


async def test_a_connection_that_is_not_made_in_time_is_told(edge, engine, monkeypatch):
    async def accept(reader, writer):
        await reader.read()  # and never shakes hands
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(edge_tts.communicate, "WSS_URL", f"wss://127.0.0.1:{port}/x?")
    async with server:
        _, message, took = await failing(engine)

    assert "no connection to Edge's voices within 1 s" in message
    assert "connect_timeout" in message
    assert took < LIMIT_S + 2


async def test_a_proxy_that_is_not_there_is_told(edge):
    async with open_edge_tts({"proxy": "http://user:secret@127.0.0.1:9"}, Path()) as engine:
        _, message, _ = await failing(engine)

    assert "the proxy cannot be reached" in message
    assert "secret" not in message


async def test_a_name_that_is_not_found_is_told(edge, engine, monkeypatch):
    async def nothing(self, host, port=0, family=0):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", nothing)
    monkeypatch.setattr(edge_tts.communicate, "WSS_URL", "ws://speech.example:80/x?")
    _, message, _ = await failing(engine)

    assert "the address of Edge's voices (speech.example) is not found; is there a network?" in message


def test_every_kind_of_trouble_has_words_of_its_own():
    options, request = Options(), aiohttp.RequestInfo(None, "GET", None, None)
    errors = [
        aiohttp.ClientHttpProxyError(request, (), status=407),
        aiohttp.WSServerHandshakeError(request, (), status=403),
        aiohttp.WSServerHandshakeError(request, (), status=429),
        aiohttp.SocketTimeoutError(),
        aiohttp.ConnectionTimeoutError(),
        aiohttp.InvalidURL("http://user:secret@x"),
        aiohttp.ServerDisconnectedError(),
        edge_tts.exceptions.WebSocketError("x"),
        edge_tts.exceptions.UnknownResponse("x"),
    ]
    said = [str(explained(error, options)) for error in errors]

    assert len(set(said)) == len(errors)
    assert not any("secret" in message for message in said)


async def test_addresses_are_looked_up_once_and_kept_where_they_cannot_be_had_again(monkeypatch):
    addresses = Addresses(0.05)
    first = await addresses.resolve("localhost", 80)
    assert first
    assert await addresses.resolve("localhost", 80) is first

    async def never(self, host, port=0, family=0):
        await asyncio.Event().wait()

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", never)
    addresses.doubt()
    assert await addresses.resolve("localhost", 80) is first
    with pytest.raises(NotFound):
        await addresses.resolve("elsewhere.example", 80)


# ------------------------------------------------------------ stopping


@pytest.mark.parametrize("script", [Script(first_s=0.0, total_s=5.0), Script(fault="hang", after=720)])
async def test_closing_in_mid_phrase_cuts_the_connection_at_once(edge, engine, script):
    edge.script = script
    parts = engine.synthesize(TEXT, voice=Voice(), language="en")
    while not isinstance(await anext(parts), AudioChunk):
        pass
    began = time.monotonic()
    await parts.aclose()
    await edge.all_closed()

    assert time.monotonic() - began < 2  # and not the five seconds of the phrase


@pytest.mark.parametrize("script", [Script(first_s=5.0), Script(fault="deaf"), Script(first_s=0.0, total_s=5.0)])
async def test_cancelling_whoever_waits_cuts_the_connection_at_once(edge, engine, script):
    edge.script = script
    tasks = set(asyncio.all_tasks())
    task = asyncio.create_task(failing(engine))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await edge.all_closed()

    assert time.monotonic() - began < 2  # and not the five seconds of the phrase
    await asyncio.sleep(0)
    assert {one for one in asyncio.all_tasks() - tasks if "edge" in repr(one.get_coro())} == set()


async def test_a_consumer_that_is_slow_is_waited_for(edge, engine):
    async with aclosing(engine.synthesize(TEXT, voice=Voice(), language="en")) as parts:
        async for _ in parts:
            await asyncio.sleep(0.05)


async def test_closing_the_engine_ends_what_is_being_said(edge):
    edge.script = Script(first_s=0.0, total_s=5.0)
    async with open_edge_tts({}, Path()) as engine:
        parts = engine.synthesize(TEXT, voice=Voice(), language="en")
        await anext(parts)

    with pytest.raises(EngineUnavailable, match="closed"):
        async for _ in parts:
            pass
    with pytest.raises(EngineUnavailable, match="closed"):
        await works(engine)
    assert edge.connects == 1
