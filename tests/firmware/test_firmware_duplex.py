"""Half-duplex: what the microphone hears while the loudspeaker plays, and what of it reaches the hub."""

from __future__ import annotations

import asyncio
import json
import wave
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from mynah.testing.simulated import SimulatedSpeaker

WELCOME = {"type": "welcome", "version": 1, "session": "s1", "resumed": False}


class Listener:
    """A hub that writes down what a speaker sends."""

    def __init__(self):
        self.messages = []
        self.heard = bytearray()
        self.socket = None
        self._came = asyncio.Event()

    async def answer(self, request):
        self.socket = web.WebSocketResponse()
        await self.socket.prepare(request)
        async for message in self.socket:
            if message.type is WSMsgType.BINARY:
                self.heard += message.data
            elif message.type is WSMsgType.TEXT:
                found = json.loads(message.data)
                self.messages.append(found)
                if found["type"] == "hello":
                    await self.socket.send_json(WELCOME)
            self._came.set()
        return self.socket

    async def until(self, right):
        async with asyncio.timeout(30):
            while not right():
                self._came.clear()
                await self._came.wait()

    async def speak(self, pcm):
        """Send a reply at once."""
        format = {"codec": "pcm_s16le", "rate": 16000, "channels": 1}
        await self.socket.send_json({"type": "speech_started", "turn": "t1", "stream": 1, "format": format, "at_ms": 0})
        for start in range(0, len(pcm), 3200):
            await self.socket.send_bytes(b"\1" + pcm[start : start + 3200])
        await self.socket.send_json({"type": "speech_ended", "turn": "t1", "stream": 1})


@asynccontextmanager
async def listening(folder, build, **settings):
    """A speaker, connected to a listener."""
    listener = Listener()
    app = web.Application()
    app.router.add_get("/ws/v1", listener.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    try:
        async with SimulatedSpeaker(folder, build, hub=f"ws://127.0.0.1:{port}/ws/v1", **settings) as speaker:
            await listener.until(lambda: listener.messages)
            await speaker.connected()
            yield speaker, listener
    finally:
        await runner.cleanup()


def sound(path, ms):
    """Write a loud file for the microphone; return its samples."""
    pcm = b"".join((9000 + n % 9000).to_bytes(2, "little") for n in range(16 * ms))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(pcm)
    return pcm


async def test_an_open_microphone_sends_speech_with_what_came_before_and_nothing_of_a_quiet_room(tmp_path, build):
    pcm = sound(tmp_path / "question.wav", 500)
    async with listening(tmp_path, build, microphone="open") as (speaker, listener):
        await asyncio.sleep(0.6)
        assert not listener.heard
        await speaker.tell(f"speak {tmp_path / 'question.wav'}")
        await listener.until(lambda: pcm in listener.heard)
        assert listener.heard[: 200 * 32].count(0) > 100 * 32  # the room, before the gate opened
        assert {"type": "listen", "mode": "open"} in listener.messages


async def test_while_it_speaks_it_does_not_listen_and_then_it_does(tmp_path, build):
    pcm = sound(tmp_path / "question.wav", 500)
    async with listening(tmp_path, build, microphone="open") as (speaker, listener):
        await listener.speak(b"\x10\x20" * 48_000)
        await speaker.plays()
        await speaker.tell(f"speak {tmp_path / 'question.wav'}")
        async with asyncio.timeout(30):
            while (await speaker.heap())["playing"]:  # noqa: ASYNC110  # over a pipe
                await asyncio.sleep(0.02)
        assert not listener.heard
        await asyncio.sleep(0.4)
        await speaker.tell(f"speak {tmp_path / 'question.wav'}")
        await listener.until(lambda: pcm in listener.heard)


async def test_the_button_ends_what_is_said_and_is_heard_at_once(tmp_path, build):
    async with listening(tmp_path, build) as (speaker, listener):
        await listener.speak(b"\x10\x20" * 64_000)
        await speaker.plays()
        await speaker.tell("press")
        await listener.until(lambda: {"type": "listen", "mode": "push_to_talk"} in listener.messages)
        assert {"type": "interrupt", "reason": "button"} in listener.messages
        await listener.until(lambda: listener.heard)
        await speaker.tell("release")
        await listener.until(lambda: {"type": "end_listening"} in listener.messages)
        await speaker.quit()
        assert len(speaker.sound()) < 3.5 * 32000
