"""Frames that are none of a dialect's: each is told as that dialect's error, and the next good one works."""

from __future__ import annotations

import asyncio
import json
from typing import ClassVar

import aiohttp
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from mynah.testing import hub_process, scripts_folder
from wire.wire_clients import Client, name_of

GATE, LONG = 300, 20_000
AT_A_TIME = 50
WITHIN_S = 10.0
UNUSED = ["automation", "companion", "mqtt", "news_host", "phrasebook", "study_partner", "vad", "web", "zoo_guide"]
"""Plugins that these frames never reach, and that a hub takes long to begin with."""

scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=20)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
not_text = st.booleans() | st.integers() | st.lists(st.integers(), max_size=3) | st.dictionaries(
    st.text(max_size=5), st.integers(), max_size=2
)  # fmt: skip
blank = st.sampled_from(["", " ", "\n\t "])
no_base64 = st.text(alphabet="!%&$§-_ .\\", min_size=1, max_size=30) | st.just("AAA") | st.just("ÄÄÄÄ")
no_hex = st.text(alphabet="ghxyz !", min_size=1, max_size=30) | st.just("abc") | st.just("٣٣")
half_a_pair = st.just("half \ud83d of a pair")


def broken(*required, optional=(), base, inside=None):
    """Frames like the good one `base`, with one field missing, or of a kind that it must not be.

    `required` and `optional` are pairs of a field's name and what it must not hold; `inside` names the object that
    they are in.
    """

    def put(choice):
        (name, _), value, leave_out = choice
        frame = json.loads(json.dumps(base))
        place = frame[inside] if inside else frame
        if leave_out:
            place.pop(name, None)
        else:
            place[name] = value
        return json.dumps(frame)

    wrong = [
        st.tuples(st.just(pair), pair[1], st.just(False)) for pair in (*required, *optional)
    ] + [st.tuples(st.just(pair), st.none(), st.just(True)) for pair in required]  # fmt: skip
    return st.one_of(wrong).map(put)


def damaged(good):
    """Frames that end in the middle of a good one, or have something behind it."""
    text = json.dumps(good)
    return st.integers(1, len(text) - 1).map(lambda at: text[:at]) | st.just(text + "}")


def no_object():
    return (
        st.text(max_size=60).filter(lambda text: not text.strip().startswith("{"))
        | junk.filter(lambda value: not isinstance(value, dict)).map(json.dumps)
        | st.just("[" * 50_000)
        | st.just('{"a":' + "9" * 6_000 + "}")
        | st.binary(min_size=1, max_size=60)
    )


def unknown(key, known):
    """Objects whose `key` is none that is known."""
    value = junk.filter(lambda value: value not in known) if not known else junk.filter(
        lambda value: not (isinstance(value, str) and value in known)
    )  # fmt: skip
    return st.dictionaries(st.text(max_size=8), scalars, max_size=3).flatmap(
        lambda rest: value.map(lambda kind: json.dumps({**rest, key: kind}))
    )


TEXT = not_text | blank | half_a_pair
BASE64 = not_text | no_base64
HEX = not_text | no_hex
FLAG = st.integers() | st.just("yes") | st.lists(st.integers(), max_size=2)
WHOLE = st.just("1") | st.just(-1) | st.floats(allow_nan=False).filter(lambda n: n != int(n) if abs(n) < 1e300 else 0)


class Zoo:
    path = "/ws/esp32/fuzz"
    greeting = None
    good: ClassVar = {"type": "register"}
    answer = "register_ack"
    types = ("register", "settings", "audio_chunk", "audio_complete", "text_query", "context")
    frames = st.one_of(
        no_object(), unknown("type", types), damaged(good),
        broken(("audio", BASE64), optional=[("sample_rate", WHOLE), ("channels", st.just(9))],
               base={"type": "audio_chunk", "audio": "AAAA"}),
        broken(("text", TEXT), base={"type": "text_query", "text": "what do lions eat"}),
        broken(("animal", not_text), base={"type": "context", "animal": "lion"}),
        broken(optional=[("sample_rate", st.integers(-9, 3_999)), ("bits", st.integers(33, 99))],
               base={"type": "settings", "sample_rate": 16_000, "channels": 1, "bits": 16}),
    )  # fmt: skip

    @staticmethod
    def is_error(frame):
        return set(frame) == {"type", "message"} and frame["type"] == "error" and frame["message"]


class Study:
    path = "/api/v1/audio-streaming/ws/{session}"
    greeting = "connection_established"
    good: ClassVar = {"type": "control", "data": {"command": "ping"}}
    answer = "pong"
    frames = st.one_of(
        no_object(), unknown("type", ("audio_chunk", "text_request", "control")), damaged(good),
        broken(("data", scalars | st.just({})), base=good),
        broken(("audio_data", HEX), optional=[("is_final", FLAG), ("chunk_index", WHOLE)], inside="data",
               base={"type": "audio_chunk", "data": {"audio_data": "0000", "is_final": False, "chunk_index": 0}}),
        broken(("text", TEXT), optional=[("language", not_text), ("voice_settings", st.just([]))], inside="data",
               base={"type": "text_request", "data": {"text": "Hello", "language": "en"}}),
        broken(("command", junk.filter(lambda word: word not in ("ping", "stats", "reset"))), base=good, inside="data"),
    )  # fmt: skip

    @staticmethod
    def is_error(frame):
        return frame["type"] == "error" and frame["message"] == frame["data"]["message"] and frame["timestamp"]


class Clinic:
    path = "/ws/parallel"
    greeting = None
    good: ClassVar = {"source_lang": "en", "target_lang": "es", "sender_id": "u1", "text": "Hello", "stream": False}
    answer = "translation"
    frames = st.one_of(
        no_object(), unknown("type", ()), damaged(good),
        broken(("source_lang", TEXT | st.just("??")), ("target_lang", TEXT | st.just("x")), ("text", TEXT),
               optional=[("sender_id", not_text), ("stream", FLAG), ("audio_data", BASE64 | st.just("AAAA"))],
               base=good),
    )  # fmt: skip

    @staticmethod
    def is_error(frame):
        return set(frame) == {"type", "message", "message_id"} and frame["type"] == "error" and frame["message"]


class Shared(Clinic):
    """The same, on the path that the console shares: what is neither's gets the clinic's error."""

    path = "/ws"


class News:
    path = "/ws/voice?user_id=fuzz"
    greeting = "connected"
    good: ClassVar = {"event": "start_listening", "data": {"session_id": "s"}}
    answer = "listening_started"
    frames = st.one_of(
        no_object(), damaged(good), broken(("data", scalars), base=good),
        unknown("event", ("voice_command", "voice_data", "audio_chunk", "interrupt", "start_listening",
                          "stop_listening")),
        broken(("command", TEXT), optional=[("confidence", st.just("high")), ("session_id", not_text)], inside="data",
               base={"event": "voice_command", "data": {"session_id": "s", "command": "Hello"}}),
        broken(("audio_chunk", BASE64), optional=[("is_final", FLAG), ("sample_rate", WHOLE), ("format", not_text)],
               inside="data", base={"event": "voice_data", "data": {"session_id": "s", "audio_chunk": "AAAA"}}),
        broken(optional=[("reason", not_text)], inside="data",
               base={"event": "interrupt", "data": {"session_id": "s", "reason": "stop"}}),
    )  # fmt: skip

    @staticmethod
    def is_error(frame):
        return frame["event"] == "error" and frame["data"]["error_type"] and frame["data"]["message"]


class Console:
    path = "/ws/speech"
    greeting = "connection"
    good: ClassVar = {"type": "ping"}
    answer = "pong"
    types = ("speech_to_speech", "speech_to_speech_chunked_streaming", "audio_chunk", "audio", "ping", "status",
             "interrupt")  # fmt: skip
    frames = st.one_of(
        no_object(), unknown("type", types), damaged(good),
        broken(("audio_data", BASE64 | blank),
               optional=[("conversation_id", not_text), ("streaming", FLAG), ("mode", st.just("loud")),
                         ("speed", st.just("fast")), ("voice", not_text), ("prompt", not_text)],
               base={"type": "audio", "audio_data": "AAAAAA==", "conversation_id": "c"}),
        broken(optional=[("conversation_id", not_text)], base={"type": "interrupt", "conversation_id": "c"}),
    )  # fmt: skip

    @staticmethod
    def is_error(frame):
        return frame["type"] == "error" and frame["message"] and "conversation_id" in frame and frame["stage"]


DIALECTS = (Zoo, Study, Clinic, Shared, News, Console)


def run(folder, dialect, count, limit_mb):
    """Send so many malformed frames to a hub in a process of its own; return by how much it has grown, in MB."""
    with asyncio.Runner() as runner:
        grown = runner.run(_attack(runner, folder, dialect, count))
    assert grown < limit_mb


async def _attack(runner, folder, dialect, count):
    loop = asyncio.get_running_loop()
    names = {name: {"persona": "sparrow"} for name in ("zoo_speaker", "study_partner", "clinic_interpreter",
                                                      "news_agent", "speech_console")}  # fmt: skip
    config = {
        "plugins": {"folder": str(scripts_folder()), "disabled": UNUSED},
        "engines": {kind: [{"engine": f"script_{kind}"}] for kind in ("stt", "llm", "tts", "translator")},
        "persona": "sparrow",
        "dialects": names,
    }
    async with hub_process(folder, config) as hub, aiohttp.ClientSession() as http:
        path = dialect.path
        if "{session}" in path:
            async with http.post(hub.url + "/api/v1/audio-streaming/sessions?language=en") as answer:
                path = (await answer.json())["websocket_url"]
        async with http.ws_connect(hub.url + path, max_msg_size=0) as ws:
            client = Client(ws)
            if dialect.greeting:
                assert name_of(await client.next()) == dialect.greeting
            await exchange(client, dialect, [b"\x00"])
            size = hub.resident_mb()

            def attack():
                @seed(20261128)
                @settings(max_examples=count // AT_A_TIME, deadline=None, database=None, derandomize=False,
                          suppress_health_check=list(HealthCheck))  # fmt: skip
                @given(st.lists(dialect.frames, min_size=AT_A_TIME, max_size=AT_A_TIME))
                def malformed(frames):
                    asyncio.run_coroutine_threadsafe(exchange(client, dialect, frames), loop).result(60)

                malformed()

            await asyncio.to_thread(attack)
            return hub.resident_mb() - size


async def exchange(client, dialect, frames):
    """Send malformed frames, each of which is told, and a good one after them, which works."""
    client.frames.clear()
    client.times.clear()
    for frame in frames:
        if isinstance(frame, bytes):
            await client.ws.send_bytes(frame)
        else:
            await client.ws.send_str(frame.encode("utf-8", "replace").decode())
        answer = await client.next(WITHIN_S)
        assert dialect.is_error(answer), (frame, answer)
    await client.send(**dialect.good)
    answer = await client.next(WITHIN_S)
    assert name_of(answer) == dialect.answer, answer


@pytest.mark.parametrize("dialect", DIALECTS)
def test_some_malformed_frames(tmp_path, dialect):
    run(tmp_path, dialect, GATE, limit_mb=40)


@pytest.mark.long
@pytest.mark.parametrize("dialect", DIALECTS)
def test_very_many_malformed_frames(tmp_path, dialect):
    run(tmp_path, dialect, LONG, limit_mb=40)
