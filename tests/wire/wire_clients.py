"""Clients of five older systems. They use what the description of those wires says, and nothing of the hub's code."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from mynah import AudioFormat
from mynah.audio import converter

WITHIN_S = 10.0


def tone(ms, rate=16_000, channels=1):
    """Return samples of 16 bits that are no silence."""
    frames = rate * ms // 1000
    return b"".join(struct.pack("<h", (n * 97) % 8000 - 4000) * channels for n in range(frames))


def wav_file(pcm, rate=16_000, channels=1, bits=16):
    """Return a whole WAV file."""
    frame = channels * bits // 8
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * frame, frame, bits)  # fmt: skip
    return head + struct.pack("<4sI", b"data", len(pcm)) + pcm


def read_wav(data):
    """Return the rate, the channels and the samples of a WAV file that claims to be whole."""
    assert (data[:4], data[8:16]) == (b"RIFF", b"WAVEfmt ")
    channels, rate = struct.unpack_from("<HI", data, 22)
    riff, size = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 40)[0]
    assert (riff, size) == (len(data) - 8, len(data) - 44)
    return rate, channels, data[44:]


def b64(data):
    return base64.b64encode(data).decode()


def decoded(data, codec, rate=24_000):
    """Return what can be heard of compressed audio; it fails where there is nothing."""
    convert = converter(AudioFormat(codec, rate, 1), AudioFormat("pcm_s16le", 16_000, 1))
    return b"".join(chunk.data for chunk in [*convert.feed(data), *convert.flush()])


class Client:
    """A client on a WebSocket: frames as they come, each with the time at which it came."""

    def __init__(self, ws):
        self.ws = ws
        self.frames = []
        self.times = []

    async def send(self, **message):
        await self.ws.send_str(json.dumps(message))

    async def event(self, name, **data):
        await self.send(event=name, data=data)

    async def next(self, within=WITHIN_S):
        """Return the next frame: an object, or bytes."""
        message = await self.ws.receive(timeout=within)
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        frame = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else message.data
        self.frames.append(frame)
        self.times.append(time.monotonic())
        return frame

    async def until(self, kind, within=WITHIN_S):
        """Return what comes up to the first frame of that kind, which is the last."""
        found = []
        async with asyncio.timeout(within):
            while not found or name_of(found[-1]) != kind:
                found.append(await self.next(within))
        return found

    async def silence(self, seconds=0.15):
        """Check that nothing comes for a while."""
        with pytest.raises(TimeoutError):
            await self.ws.receive(timeout=seconds)


def name_of(frame):
    return "bytes" if isinstance(frame, bytes) else frame.get("type") or frame.get("event")


def names(frames, *, once=False):
    found = [name_of(frame) for frame in frames]
    return list(dict.fromkeys(found)) if once else found


def of(frames, kind):
    return [frame for frame in frames if name_of(frame) == kind]


class House:
    """A hub that listens, and clients that connect to it."""

    def __init__(self, hub, http):
        self.hub = hub
        self.http = http
        self.url = hub.addresses["http"]

    @asynccontextmanager
    async def connect(self, path, **options):
        async with self.http.ws_connect(self.url + path, max_msg_size=0, **options) as ws:
            yield Client(ws)
