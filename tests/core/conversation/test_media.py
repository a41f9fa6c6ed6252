"""Sound from files and addresses: what is played, and what is refused."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mynah.audio import AudioFormat, wav_header
from mynah.conversation.media import PLAYED, Media, repeated
from mynah.conversation.turns import MAX_TURNS
from mynah.errors import EngineError, InputError, LimitError, MynahError
from mynah.outputs import LAST, Interrupted, PhraseReady, SpeechChunk, TurnFailed, TurnFinished
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing.hubs import run_hub, scripted_engines

HALF_SECOND = AudioFormat("pcm_s16le", 16_000, 1)
PCM = bytes(range(1, 251)) * 64
WAV = wav_header(HALF_SECOND, len(PCM)) + PCM
SPEAKERS = {"speakers": {"kitchen": {}, "hall": {}}}


@pytest.fixture
async def site():
    """A server of sounds, and of much else."""

    async def wav(request):
        return web.Response(body=WAV, content_type="audio/wav")

    async def away(request):
        raise web.HTTPFound(request.query["to"])

    async def page(request):
        return web.Response(text="<html>no sound</html>" * 500)

    async def circle(request):
        raise web.HTTPFound("/circle")

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(wav_header(HALF_SECOND, None))
        while True:
            await response.write(bytes(64_000))
            await asyncio.sleep(0)

    app = web.Application()
    app.add_routes(
        [
            web.get("/bell.wav", wav),
            web.get("/away", away),
            web.get("/page", page),
            web.get("/endless", endless),
            web.get("/circle", circle),
        ]
    )
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "bell.wav").write_bytes(WAV)
    (tmp_path / "secret.wav").write_bytes(WAV)
    (folder / "way_out.wav").symlink_to(tmp_path / "secret.wav")
    return Media(folder, max_bytes=1 << 20, seconds=5)


async def sound_of(media, source):
    async with aclosing(media.open(source)()) as chunks:
        return [chunk async for chunk in chunks]


async def heard(session, turn_id, buffer_ms=None):
    """All outputs of a turn."""
    outputs = []
    async with asyncio.timeout(20), aclosing(session.outputs(OutletOptions(buffer_ms=buffer_ms))) as source:
        async for output in source:
            outputs.append(output)
            if isinstance(output, LAST) and output.turn_id == turn_id:
                return outputs
    raise AssertionError


async def test_a_file_of_the_media_folder_is_decoded(media):
    chunks = await sound_of(media, "bell.wav")
    assert {chunk.format for chunk in chunks} == {PLAYED}
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(500, abs=1)


async def test_an_address_is_fetched_and_decoded_alike(media, site):
    fetched = await sound_of(media, f"{site}bell.wav")
    assert b"".join(c.data for c in fetched) == b"".join(c.data for c in await sound_of(media, "bell.wav"))


async def test_a_redirect_is_followed(media, site):
    assert await sound_of(media, f"{site}away?to=/bell.wav")


@pytest.mark.parametrize(
    "source",
    ["none.wav", "../secret.wav", "/etc/passwd", "way_out.wav", "", ".", "bell\0.wav", "x" * 5000,
     "file:///etc/passwd", "ftp://example.org/a.mp3", "http://", "https://[", "http://a:99999/",
     "http://a/" + "b" * 3000],
)  # fmt: skip
def test_nothing_else_may_be_played(media, source):
    with pytest.raises(InputError, match="media folder"):
        media.open(source)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("page", "not audio that can be read"),
        ("none", "the server answers 404"),
        ("away?to=file:///etc/passwd", "leads elsewhere"),
        ("away?to=/away%3Fto%3D/bell.wav", None),
    ],
)
async def test_what_is_no_sound_is_told_with_the_host(media, site, path, message):
    speech = media.speech(site + path)
    await speech.ready()
    speech.begin(None)
    if message is None:
        assert [item async for item in speech.read(1)]
        return
    with pytest.raises(MynahError, match=f"127.0.0.1: .*{message}"):
        assert [item async for item in speech.read(1)]


async def test_a_circle_of_redirects_ends(media, site):
    speech = media.speech(f"{site}circle")
    speech.begin(None)
    with pytest.raises(EngineError, match="the server leads on and on"):
        assert [item async for item in speech.read(1)]


async def test_a_server_that_nobody_is_at_is_told(media):
    speech = media.speech("http://127.0.0.1:9/a.mp3")
    speech.begin(None)
    with pytest.raises(MynahError, match="cannot be fetched"):
        assert [item async for item in speech.read(1)]


@pytest.mark.parametrize(("limits", "message"), [((1 << 30, 5), "more than 5 s"), ((1 << 20, 500), "more than 1 MiB")])
async def test_a_sound_that_does_not_end_is_cut(media, site, limits, message):
    endless = Media(media.folder, max_bytes=limits[0], seconds=limits[1])
    with pytest.raises(MynahError, match=message):
        await sound_of(endless, f"{site}endless")


# ---------------------------------------------------------------- in a session


@pytest.fixture
async def hub(tmp_path):
    (tmp_path / "data" / "media").mkdir(parents=True)
    (tmp_path / "data" / "media" / "bell.wav").write_bytes(WAV)
    async with run_hub(tmp_path, specs=scripted_engines(), config=SPEAKERS) as running:
        yield running


async def test_a_session_plays_a_file_as_a_turn_without_words(hub):
    session = hub.open_session(SessionOptions())
    outputs = await heard(session, session.play("bell.wav"))
    assert sum(o.audio.ms for o in outputs if isinstance(o, SpeechChunk)) == pytest.approx(500, abs=1)
    assert not [o for o in outputs if isinstance(o, PhraseReady)]
    assert isinstance(outputs[-1], TurnFinished)


async def test_what_cannot_be_played_ends_as_a_failed_turn(hub, site):
    session = hub.open_session(SessionOptions())
    outputs = await heard(session, session.play(f"{site}none"))
    assert isinstance(outputs[-1], TurnFailed)
    assert outputs[-1].message == "127.0.0.1: the server answers 404"


async def test_an_interruption_ends_what_is_played_and_its_transfer(hub, site):
    session = hub.open_session(SessionOptions())
    turn = session.play(f"{site}endless")
    asyncio.get_running_loop().call_later(0.2, session.interrupt)
    outputs = await heard(session, turn, buffer_ms=100)
    assert isinstance(outputs[-1], Interrupted)
    async with asyncio.timeout(5):
        while [task for task in asyncio.all_tasks() if task.get_name().startswith("recording")]:  # noqa: ASYNC110  # tasks of others, which nobody signals
            await asyncio.sleep(0.01)


async def test_a_sound_is_announced_in_place_of_words(hub):
    sessions = [hub.open_session(SessionOptions(speaker=name)) for name in ("kitchen", "hall")]
    announcement = hub.announce("", "all", play="bell.wav", chime=False)
    outputs = await asyncio.gather(*(heard(session, "t1") for session in sessions))
    assert all(
        sum(o.audio.ms for o in each if isinstance(o, SpeechChunk)) == pytest.approx(500, abs=1) for each in outputs
    )
    assert set(announcement.taken) == {"kitchen", "hall"}
    with pytest.raises(InputError, match="media folder"):
        hub.announce("", "all", play="none.wav")
    with pytest.raises(InputError, match="not both"):
        hub.announce("Hello", "all", play="bell.wav")


async def test_a_hub_that_is_too_busy_says_so(hub):
    session = hub.open_session(SessionOptions(policy="concurrent"))
    for _ in range(MAX_TURNS):
        session.play("bell.wav")
    with pytest.raises(LimitError):
        session.play("bell.wav")


async def test_a_chime_is_played_and_repeated_for_as_long_as_is_asked(tmp_path):
    media = Media(tmp_path, 1 << 20, 60)
    once = [chunk async for chunk in repeated(media.open("chime:attention"), 0)]
    often = [chunk async for chunk in repeated(media.open("chime:alarm"), 3)]

    assert 500 < sum(chunk.ms for chunk in once) < 1_000
    assert 3_000 <= sum(chunk.ms for chunk in often) < 4_000
    assert {chunk.format for chunk in (*once, *often)} == {PLAYED}


async def test_what_has_no_sound_is_not_repeated_for_ever():
    async def nothing():
        for chunk in ():
            yield chunk

    assert [chunk async for chunk in repeated(nothing, 60)] == []
