from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

import mynah
from mynah import sockets
from mynah.testing.speaker import HubRefused
from mynah_websocket import connection

RESUMABLE = {"session": "s1"}


@asynccontextmanager
async def raw(url, **hello):
    """A bare WebSocket, for what no decent speaker does."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/ws/v1", max_msg_size=0) as ws:
        if hello:
            await ws.send_json({"type": "hello", **hello})
            assert (await ws.receive_json())["type"] == "welcome"
        yield ws


async def said(speaker, **answer) -> None:
    """Send a ping and wait for the pong, so that all that was sent before has been read."""
    await speaker.send("ping", **answer)
    await speaker.expect("pong")


# ---------------------------------------------------------------- the beginning


async def test_hello_opens_a_session_with_what_it_asks_for(scripted_hub, speaker):
    wishes = {"persona": "zoo_guide", "language": "de", "context": {"exhibit": "lion"}, "policy": "queue"}
    async with speaker(**wishes) as one:
        assert scripted_hub.only.options == mynah.SessionOptions(**wishes, origin="websocket")
        welcome = dict(one.welcome)
        assert welcome.pop("hub_time") > 0
        assert welcome == {
            "version": 1,
            "session": "s1",
            "resumed": False,
            "persona": "zoo_guide",
            "language": "en",
            "plays": {"codec": "pcm_s16le", "rate": 24_000, "channels": 1},
        }


async def test_the_outlet_is_told_what_the_speaker_plays_and_holds(scripted_hub, speaker):
    formats = (mynah.AudioFormat("ima_adpcm"), mynah.AudioFormat())
    async with speaker(plays=formats, buffer_ms=500):
        (outlet,) = scripted_hub.only.outlets
        assert outlet.options == mynah.OutletOptions(formats=formats, buffer_ms=500)


async def test_anything_before_hello_is_an_error_and_hello_may_still_follow(scripted_hub, url):
    async with raw(url) as ws:
        for frame in ('{"type":"text","text":"hi"}', "nonsense", '{"type":"hello","version":9}'):
            await ws.send_str(frame)
            error = await ws.receive_json()
            assert (error["type"], error["code"], error["closes"]) == ("error", "invalid", False)
        await ws.send_bytes(b"\0\0")
        assert (await ws.receive_json())["message"] == "the first message must be hello"
        assert not scripted_hub.opened
        await ws.send_json({"type": "hello", "version": 1})
        assert (await ws.receive_json())["type"] == "welcome"


async def test_a_missing_hello_closes_the_connection(url, monkeypatch):
    monkeypatch.setattr(connection, "HELLO_LIMIT_S", 0.05)
    async with raw(url) as ws:
        error = await ws.receive_json()
        assert (error["code"], error["closes"]) == ("no_hello", True)
        closing = await ws.receive()
        assert (closing.data, closing.extra) == (4408, "no valid hello came within 0.05 seconds")


async def test_a_hub_that_is_full_says_so_and_lets_the_client_try_again(scripted_hub, url):
    scripted_hub.refuses = mynah.LimitError("100 sessions are open already")
    async with raw(url) as ws:
        await ws.send_json({"type": "hello", "version": 1})
        error = await ws.receive_json()
        assert (error["code"], error["re"], error["closes"]) == ("limit", "hello", False)
        scripted_hub.refuses = None
        await ws.send_json({"type": "hello", "version": 1})
        assert (await ws.receive_json())["type"] == "welcome"


async def test_a_second_hello_is_an_error(speaker):
    async with speaker() as one:
        await one.send("hello", version=1)
        assert (await one.expect("error")).data["re"] == "hello"
        await said(one)


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(("token", "code"), [(None, "unauthorized"), ("wrong", "unauthorized"), ("eyes", "forbidden")])
async def test_without_a_token_that_allows_it_there_is_no_session(scripted_hub, speaker, token, code):
    scripted_hub.access_as = None
    with pytest.raises(HubRefused) as refused:
        async with speaker(token=token):
            pass
    assert refused.value.code == code
    assert not scripted_hub.opened


@pytest.mark.parametrize(("token", "status"), [("wrong", 4401), ("eyes", 4403)])
async def test_a_refusal_closes_the_connection_with_its_reason(scripted_hub, url, token, status):
    scripted_hub.access_as = None
    async with raw(url) as ws:
        await ws.send_json({"type": "hello", "version": 1, "token": token})
        error = await ws.receive_json()
        closing = await ws.receive()
        assert (closing.data, closing.extra) == (status, error["message"])


async def test_who_showed_a_token_in_the_header_needs_none_in_the_hello(scripted_hub, speaker):
    scripted_hub.access_as = ("speaker", "lion_house")
    async with speaker():
        assert scripted_hub.only.options.speaker == "lion_house"


async def test_a_viewer_in_the_header_may_not_talk(scripted_hub, speaker):
    scripted_hub.access_as = ("viewer", "")
    with pytest.raises(HubRefused, match="viewer"):
        async with speaker():
            pass


async def test_a_speakers_token_opens_only_its_own_sessions(scripted_hub, speaker):
    scripted_hub.access_as = None
    with pytest.raises(HubRefused) as refused:
        async with speaker(token="lion", speaker="giraffe_deck"):
            pass
    assert refused.value.code == "forbidden"
    async with speaker(token="lion", speaker="lion_house"), speaker(token="boss", speaker="giraffe_deck"):
        assert [session.options.speaker for session in scripted_hub.opened] == ["lion_house", "giraffe_deck"]


async def test_a_speakers_token_resumes_only_its_own_sessions(scripted_hub, speaker):
    scripted_hub.access_as = None
    async with speaker(token="boss", speaker="giraffe_deck") as other:
        with pytest.raises(HubRefused) as refused:
            async with speaker(token="lion", resume=RESUMABLE):
                pass
        assert refused.value.code == "forbidden"
        await said(other)
        assert len(scripted_hub.opened) == 1


# ---------------------------------------------------------------- to the session


async def test_every_message_reaches_the_session(scripted_hub, speaker):
    async with speaker() as one:
        await one.listen("open")
        await one.feed(b"\1\0\2\0")
        await one.end_listening()
        await one.send("text", text="Hello?", language="en-GB")
        await one.send("say", text="Closing.", start_at=12.5)
        await one.interrupt("button")
        await one.played("t1", 40)
        await one.send("volume", percent=40)
        await one.send("update", persona="pirate", context={"exhibit": ""})
        await said(one)
        assert scripted_hub.only.calls == [
            ("listen", mynah.LISTENING, "open"),
            ("feed", b"\1\0\2\0"),
            ("end_listening",),
            ("submit", "Hello?", "en-GB"),
            ("say", "Closing.", None, 12.5),
            ("interrupt", "button"),
            ("played", "t1", 40),
            ("note_volume", 40),
            ("update", "pirate", None, {"exhibit": ""}),
        ]


async def test_a_microphone_may_send_another_format_than_it_said(scripted_hub, speaker):
    async with speaker(records=mynah.AudioFormat("pcm_s16le", 44_100, 2)) as one:
        await one.listen()
        await one.send("listen", mode="open", format={"codec": "opus", "rate": 48_000})
        await said(one)
        stereo, opus = mynah.AudioFormat("pcm_s16le", 44_100, 2), mynah.AudioFormat("opus", 48_000, 1)
        assert scripted_hub.only.of("listen") == [(stereo, "push_to_talk"), (opus, "open")]


@pytest.mark.parametrize("ended", [False, True])
async def test_audio_that_nobody_listens_to_is_an_error(scripted_hub, speaker, ended):
    async with speaker() as one:
        if ended:
            await one.listen()
            await one.end_listening()
        await one.feed(b"\0\0")
        error = (await one.expect("error")).data
        assert (error["code"], error["re"], error["closes"]) == ("not_listening", "audio", False)
        assert not scripted_hub.only.of("feed")


async def test_half_a_sample_is_an_error(scripted_hub, speaker):
    async with speaker() as one:
        await one.listen()
        await one.feed(b"\0\0\0")
        error = (await one.expect("error")).data
        assert error["code"] == "audio"
        assert error["message"].startswith("3 bytes are no whole number of samples of pcm_s16le/16000/1")
        assert not scripted_hub.only.of("feed")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (mynah.InputError("no persona named 'x'"), "invalid"),
        (mynah.LimitError("8 turns are under way"), "limit"),
        (mynah.AudioError("this is no Opus"), "audio"),
        (mynah.EngineError("no engine"), "failed"),
    ],
)
async def test_what_the_session_refuses_the_client_is_told(scripted_hub, speaker, error, code):
    async with speaker() as one:
        scripted_hub.only.refuses = error
        await one.send("text", text="Hello?")
        told = (await one.expect("error")).data
        assert told == {"message": str(error), "code": code, "closes": False, "re": "text"}
        scripted_hub.only.refuses = None
        await said(one)


async def test_ping_and_clock_are_answered(speaker):
    async with speaker() as one:
        await one.send("ping", id="abc")
        assert (await one.expect("pong")).data == {"id": "abc"}
        await one.send("clock", client_ms=17)
        clock = (await one.expect("clock")).data
        assert clock["client_ms"] == 17
        assert one.welcome["hub_time"] <= clock["received_ms"] <= clock["sent_ms"]
        assert abs(await one.sync_clock()) < 50, "on one machine both clocks are the same"


# ---------------------------------------------------------------- to the client


async def test_a_turn_arrives_in_order_and_its_audio_untouched(scripted_hub, speaker, outputs):
    async with speaker() as one:
        scripted_hub.only.on_text = lambda text: scripted_hub.only.give(*outputs.reply())
        turn = await one.ask_text("Count.")
        assert [message.name for message in turn.messages] == [
            *("stage", "token", "phrase", "speech_started", "speech_ended"),
            *("token", "phrase", "speech_started", "speech_ended", "turn_finished"),
        ]
        assert [(piece.phrase, piece.stream, piece.data) for piece in turn.audio] == [
            (1, 0, b"\1\2" * 480),
            (1, 0, b"\1\2" * 480),
            (2, 1, b"\3\4" * 480),
        ]
        finished = turn.last("turn_finished")
        assert finished["timeline"] == {"speech_end": 0, "first_token": 100, "first_audio": 250, "finished": 500}
        assert (finished["engine_ms"], finished["own_ms"]) == ({"thinking": 100, "speaking": 140}, 10)


async def test_no_audio_of_a_turn_follows_its_interruption(scripted_hub, speaker, outputs):
    """The session's promise, kept on the wire: what waits behind a slow start is never sent."""
    async with speaker() as one:
        session = scripted_hub.only
        endless = list(outputs.speech(1, "One.", *[bytes(960)] * 5_000))
        session.give(*endless)
        await one.until(lambda: "t1" in one.turns and len(one.turns["t1"].audio) > 3)
        await one.interrupt("button")
        await one.expect("interrupted")
        turn = one.turns["t1"]
        count = len(turn.audio)
        assert count < 5_000
        await said(one)
        assert len(turn.audio) == count
        assert turn.last("interrupted") == {"turn": "t1", "heard_ms": 20.0, "heard": "One", "reason": "button"}


async def test_an_interruption_may_follow_the_end_of_the_turn(scripted_hub, speaker, outputs):
    async with speaker() as one:
        scripted_hub.only.give(*outputs.reply())
        await one.expect("turn_finished")
        await one.interrupt()
        assert (await one.expect("interrupted")).data["turn"] == "t1"


# ---------------------------------------------------------------- errors that do not end it, and the few that do


async def test_a_malformed_frame_leaves_the_connection_usable(speaker):
    async with speaker() as one:
        for frame in ("{", "[]", '{"type":"nonsense"}', '{"type":"text"}', '{"type":"text","text":7}'):
            await one.send_frame(frame)
            error = (await one.expect("error")).data
            assert (error["code"], error["closes"]) == ("invalid", False)
        await said(one)


async def test_the_error_of_an_unknown_type_names_it_cut_short(speaker):
    async with speaker() as one:
        await one.send("x" * 10_000)
        error = (await one.expect("error")).data
        assert error["re"] == "x" * 64
        assert len(error["message"]) < 100


async def test_a_flood_of_errors_is_counted_not_answered(speaker, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(connection, "hub_ms", lambda: now * 1000)
    async with speaker() as one:
        for _ in range(500):
            await one.send_frame("nonsense")
        await said(one)
        assert len([m for m in one.messages if m.name == "error"]) == 100
        now += 10
        await one.send_frame("nonsense")
        await said(one)
        summary, last = [m.data for m in one.messages if m.name == "error"][100:]
        assert (summary["code"], last["code"]) == ("too_many_errors", "invalid")
        assert summary["message"] == "400 more errors in 10 seconds; only the first 100 were answered"


async def test_a_frame_of_16_mib_is_taken_and_a_larger_one_closes_with_its_reason(scripted_hub, url, monkeypatch):
    monkeypatch.setattr(sockets, "LINGER_S", 0.3)
    async with raw(url, version=1) as ws:
        await ws.send_json({"type": "listen", "mode": "push_to_talk"})
        await ws.send_bytes(bytes(sockets.LARGEST_FRAME))
        await ws.send_json({"type": "ping"})
        assert (await ws.receive_json()) == {"type": "pong"}
        assert [len(data) for (data,) in scripted_hub.only.of("feed")] == [16 * 1024 * 1024]
        await ws.send_bytes(bytes(sockets.LARGEST_FRAME + 1))
        error = await ws.receive_json()
        assert (error["code"], error["closes"]) == ("too_big", True)
        closing = await ws.receive()
        assert (closing.data, closing.extra) == (1009, "a frame may have 16 MiB")
        assert not scripted_hub.only.closed


# ---------------------------------------------------------------- going and coming back


async def test_a_lost_connection_leaves_the_session_open(scripted_hub, speaker):
    async with speaker() as one:
        await one.drop()
        await left(scripted_hub.only)
        assert not scripted_hub.only.closed


async def test_bye_ends_the_session_and_the_connection(scripted_hub, url):
    async with raw(url, version=1) as ws:
        await ws.send_json({"type": "bye"})
        closing = await ws.receive()
        assert (closing.data, closing.extra) == (1000, "bye")
        assert scripted_hub.gone == [("s1", "bye")]
        await left(scripted_hub.only)


async def test_a_client_that_leaves_in_mid_send_raises_nothing(scripted_hub, speaker, outputs, caplog):
    async with speaker() as one:
        session = scripted_hub.only
        session.give(*outputs.speech(1, "One.", *[bytes(96_000)] * 300))
        await one.until(lambda: "t1" in one.turns and one.turns["t1"].audio)
        await one.drop()
        await left(session)
        assert not session.closed
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_a_client_that_takes_nothing_is_dropped(scripted_hub, url, outputs, monkeypatch, caplog):
    monkeypatch.setattr(sockets, "SEND_LIMIT_S", 0.2)
    async with raw(url, version=1):
        session = scripted_hub.only
        session.give(*outputs.speech(1, "One.", *[bytes(1_000_000)] * 60))
        await left(session)  # nobody receives: the buffers of both ends fill up
        assert not session.closed
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told == ["127.0.0.1 took nothing for 0.2 s and was dropped"]


async def test_resuming_goes_on_with_the_same_session(scripted_hub, speaker, outputs):
    async with speaker(playback="silent") as one:
        session = scripted_hub.only
        session.give(*list(outputs.speech(1, "One.", bytes(960), bytes(960)))[:-1])
        await one.until(lambda: "t1" in one.turns and len(one.turns["t1"].audio) == 2)
        await one.drop()
        assert (await one.resume())["resumed"] is True
        assert len(scripted_hub.opened) == 1
        assert session.of("played") == [("t1", 40.0)]
        assert [outlet.resume for outlet in session.outlets] == [False, True]


async def test_resumed_audio_is_announced_where_it_goes_on(scripted_hub, speaker, outputs):
    async with speaker() as one:
        await one.drop()
        await one.resume()
        started, _, second, ended = outputs.speech(1, "One.", bytes(960), bytes(960))
        scripted_hub.only.give(started, second, ended)
        assert (await one.expect("speech_started")).data["at_ms"] == 20.0
        assert (await one.expect("speech_ended")).data["stream"] == 0
        assert one.turns["t1"].audio_bytes() == bytes(960)


async def test_a_session_that_is_over_is_replaced_by_a_new_one(scripted_hub, speaker):
    async with speaker(resume=RESUMABLE) as one:
        assert one.welcome["resumed"] is False
        assert one.session_id == "s1"
        assert scripted_hub.only.outlets[0].resume is False


async def test_who_resumes_takes_over_and_the_first_is_told(scripted_hub, speaker):
    async with speaker() as first, speaker(resume=RESUMABLE) as second:
        assert second.welcome["resumed"] is True
        error = (await first.expect("error")).data
        assert (error["code"], error["closes"]) == ("taken_over", True)
        await first.until(lambda: first.close_code)
        assert (first.close_code, first.close_reason) == (4409, "another connection resumed this session")
        assert not scripted_hub.only.closed
        await said(second)


async def test_a_session_that_the_hub_ends_closes_the_connection(scripted_hub, speaker):
    async with speaker() as one:
        scripted_hub.close_session("s1", "idle")
        assert (await one.expect("error")).data["code"] == "session_ended"
        await one.until(lambda: one.close_code)
        assert one.close_code == 1001


async def test_bye_after_the_session_has_ended_is_no_failure(scripted_hub, url):
    async with raw(url, version=1) as ws:
        session = scripted_hub.only
        session.closed = True  # ended in this very moment: the outlet has not noticed yet
        await ws.send_json({"type": "bye"})
        closing = await ws.receive()
        assert closing.data == 1000


async def left(session) -> None:
    """Wait until no outlet is attached to the session."""
    async with asyncio.timeout(5):
        await session.nobody.wait()


def test_every_code_of_an_error_is_declared():
    from mynah_websocket.hub_messages import CODES

    assert {code for _, code in connection.CODES} <= set(CODES)
    assert json.dumps(CODES)
