"""Ten thousand frames of nonsense on one connection: each is refused or taken, and none ends it."""

from __future__ import annotations

import asyncio
import json
import random
import string
from typing import Any

import aiohttp

from mynah_websocket.client_messages import CLIENT_MESSAGES
from mynah_websocket.schema import fields_of, name_of

FRAMES = 10_000
NAMES = [name_of(cls) for cls in CLIENT_MESSAGES]
FIELDS = sorted({field for cls in CLIENT_MESSAGES for field in fields_of(cls)})
FORMAT = {"codec": "pcm_s16le", "rate": 16_000, "channels": 1}
LIKELY = ["push_to_talk", "open", "t1", "en", "Hello?", 1, 20.5, FORMAT, {**FORMAT, "codec": "mp4"}, {"a": "b"}]


def any_text(random: random.Random) -> str:
    alphabet = string.printable + "äß漢😀\x00\u2028\ud800\udfff"
    return "".join(random.choices(alphabet, k=random.choice((0, 1, 5, 40, 300))))


def any_value(random: random.Random, depth: int = 0) -> Any:
    kind = random.randrange(9 if depth < 3 else 7)
    if kind < 2 or (depth == 0 and random.random() < 0.5):
        return random.choice(LIKELY)
    if kind == 2:
        return random.choice((None, True, False, 0, -1, 10**30, float("nan"), float("inf"), 1e308))
    if kind == 3:
        return random.randint(-(10**6), 10**6)
    if kind < 7:
        return any_text(random)
    if kind == 7:
        return [any_value(random, depth + 1) for _ in range(random.randrange(5))]
    return {any_text(random): any_value(random, depth + 1) for _ in range(random.randrange(5))}


def half_valid(random: random.Random) -> str:
    """A message of a known type with some of its own fields, some of others', and any values."""
    name = random.choice(NAMES)
    own = fields_of(CLIENT_MESSAGES[NAMES.index(name)])
    needed = [field for field in own if own[field].required and random.random() < 0.8]
    fields = (
        needed + random.sample(list(own), random.randint(0, len(own))) + random.sample(FIELDS, random.choice((0, 0, 1)))
    )
    message = {"type": name, **{field: any_value(random) for field in fields}}
    if name == "bye":
        message["really"] = False  # a right one would end the session, as it should
    return json.dumps(message)


def any_frame(random: random.Random) -> str | bytes:
    kind = random.randrange(10)
    if kind < 5:
        return half_valid(random)
    if kind == 5:
        text = half_valid(random)
        return text[: random.randrange(len(text))]
    if kind == 6:
        return json.dumps(any_value(random))
    if kind == 7:
        return any_text(random).encode("utf-8", "replace").decode()
    return random.randbytes(random.choice((0, 1, 2, 3, 320, 4_096)))


async def answered(speaker, word: str) -> None:
    await speaker.send("ping", id=word)
    await speaker.until(lambda: any(m.name == "pong" and m.data.get("id") == word for m in speaker.messages[-50:]))


async def test_the_connection_stays_usable_through_ten_thousand_random_frames(scripted_hub, speaker):
    random_ = random.Random(20)
    async with speaker() as one:
        for index in range(FRAMES):
            await one.send_frame(any_frame(random_))
            if index % 100 == 0:
                await answered(one, f"after {index}")
        await answered(one, "still there")
        errors = [message.data for message in one.messages if message.name == "error"]
        assert 100 <= len(errors) <= 400, "a flood is counted, not answered one by one"
        assert not any(error["closes"] for error in errors)
        assert {"listen", "submit", "feed", "end_listening", "played"} <= {call[0] for call in scripted_hub.only.calls}
        assert len(scripted_hub.opened) == 1


async def test_nothing_before_hello_ends_the_connection_either(scripted_hub, url):
    random_ = random.Random(21)
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/ws/v1") as ws:
        for _ in range(1_000):
            frame = any_frame(random_)
            if isinstance(frame, bytes):
                await ws.send_bytes(frame)
            elif '"hello"' not in frame:
                await ws.send_str(frame)
        await ws.send_json({"type": "hello", "version": 1})
        async with asyncio.timeout(10):
            while (await ws.receive_json())["type"] != "welcome":
                pass
        assert len(scripted_hub.opened) == 1
