"""A speaker in Python, for where MicroPython has no build: it does over its session what the firmware does."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from mynah.audio.files import read_audio
from mynah.audio.formats import LISTENING
from mynah.audio.wav import wav_header
from mynah.errors import MynahError
from mynah.testing.file_speaker import FileSpeaker, Told
from mynah.testing.speaker import FakeSpeaker

LOOK_S: Final = 0.05
FRAME_MS: Final = 40.0
BUFFER_MS: Final = 520.0
AGAIN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
FOR_EVER_S: Final = 1e9
WITHOUT_MQTT: Final = "it has a session with the hub, and no MQTT"


class StandInSpeaker(FileSpeaker):
    """Talks to the hub whose WebSocket is `hub`, as the speaker `id`, with its `token`.

    What else the firmware's settings may hold is passed over: it has no MQTT, no update and no setting that lasts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hub: str,
        id: str | None = None,
        token: str | None = None,
        told: Told | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(folder, told)
        self._fake = FakeSpeaker(
            hub, token=token, plays=[LISTENING], buffer_ms=BUFFER_MS, playback="real_time", speaker=id
        )
        self._watched: dict[str, Any] | None = None
        self._stage = "idle"
        self._held = False
        self._spoken = b""
        self._size = 0
        self._written: dict[str, int] = {}
        self._gap_ms = 0.0
        self._underruns = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    async def __aenter__(self) -> StandInSpeaker:
        self.wav.write_bytes(wav_header(LISTENING, 0))
        for work in (self._stay_connected(), self._look(), self._hear()):
            self._tasks.add(asyncio.create_task(work, name="stand-in speaker"))
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.quit()

    # ------------------------------------------------------------ its buttons

    async def tell(self, line: str) -> None:
        """Have it do what a line says."""
        word, _, rest = line.strip().partition(" ")
        if word == "press":
            await self._press()
        elif word == "release":
            await self._release()
        elif word == "ask":
            task = asyncio.create_task(self._ask(Path(rest)), name="stand-in speaker: asking")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif word == "watch":
            self._watched = self._watched or {}
        elif word == "quit":
            await self.quit()

    async def _press(self) -> None:
        with suppress(ConnectionError):
            if self._phase() in ("speaking", "thinking"):
                self._fake.loudspeaker.stop()
                await self._fake.interrupt("button")
            await self._fake.listen()
            self._held = True

    async def _release(self) -> None:
        if self._held:
            self._held = False
            with suppress(ConnectionError):
                await self._fake.end_listening()

    async def _ask(self, file: Path) -> None:
        try:
            spoken = await asyncio.to_thread(lambda: b"".join(chunk.data for chunk in read_audio(file, LISTENING)))
        except MynahError as error:
            self._say(str(error))
            return
        await self._press()
        self._spoken = spoken
        while self._spoken and self._held:  # noqa: ASYNC110  # as long as speaking takes
            await asyncio.sleep(LOOK_S)
        await self._release()

    async def _hear(self) -> None:
        """Send what the microphone hears while the button is down: the file that is spoken, and silence after it."""
        size = LISTENING.pcm_bytes(FRAME_MS)
        due = time.monotonic()
        while True:
            due = max(due + FRAME_MS / 1000, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            if self._held:
                frame, self._spoken = self._spoken[:size].ljust(size, b"\0"), self._spoken[size:]
                with suppress(ConnectionError):
                    await self._fake.feed(frame)

    # ------------------------------------------------------------ the hub

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            try:
                await self._fake.connect()
                failures = 0
                await self._fake.until(self._follow, "the end of the connection", timeout_s=FOR_EVER_S)
            except (MynahError, aiohttp.ClientError, OSError, TimeoutError) as error:
                self._say(f"hub: {error}")
            self._held = False
            await self._fake.drop()
            await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
            failures += 1

    def _follow(self) -> None:
        """Look at the messages that have come; they are not kept, as this may go on for days."""
        for message in self._fake.messages:
            if message.name == "stage":
                self._stage = str(message.data.get("stage"))
            elif message.name.startswith("turn_") or message.name == "interrupted":
                self._stage = "idle"
            elif message.name == "error":
                self._say(f"hub: {message.data.get('message')}")
        if self._fake.welcome:
            self._fake.messages.clear()

    # ------------------------------------------------------------ what it plays and tells

    def _phase(self) -> str:
        if any(self._sounds_until(turn) > time.monotonic() for turn in self._fake.turns):
            return "speaking"
        if self._held:
            return "listening"
        return "thinking" if self._stage in ("transcribing", "thinking") else "idle"

    def _sounds_until(self, turn: str) -> float:
        loudspeaker = self._fake.loudspeaker
        return 0.0 if loudspeaker.began_at(turn) is None else loudspeaker.through_at(turn)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._record()
            if (gap_ms := self._fake.loudspeaker.gap_ms) > self._gap_ms:
                self._gap_ms = gap_ms
                self._underruns += 1
            state = {
                "phase": self._phase(),
                "hub": self._fake.connected and bool(self._fake.welcome),
                "broker": None,
                "underruns": self._underruns,
            }
            if self._watched is not None and state != self._watched:
                self._watched = state
                if self._told is not None:
                    self._told(state)

    def _record(self) -> None:
        """Write what has sounded since the last time; forget turns that are over and have sounded."""
        for turn in tuple(self._fake.turns.values()):
            if turn.audio:
                size = LISTENING.pcm_bytes(self._fake.loudspeaker.played_ms(turn.id))
                done = self._written.get(turn.id, 0)
                self._write(turn.audio_bytes()[done:size])
                self._written[turn.id] = max(done, size)
            if turn.over and self._sounds_until(turn.id) < time.monotonic() - 1:
                del self._fake.turns[turn.id]
                self._written.pop(turn.id, None)

    def _write(self, pcm: bytes) -> None:
        if not pcm:
            return
        self._size += len(pcm)
        with self.wav.open("r+b") as file:
            file.seek(0, 2)
            file.write(pcm)
            file.seek(0)
            file.write(wav_header(LISTENING, self._size))

    def _say(self, line: str) -> None:
        if self._told is not None:
            self._told(line)

    async def heap(self) -> dict[str, Any]:
        """Ask how it is; see `FileSpeaker.heap`."""
        return {
            "playing": self._phase() == "speaking",
            "hub": self._fake.connected and bool(self._fake.welcome),
            "underruns": self._underruns,
            "dry": self._underruns,
        }

    async def ended(self, timeout_s: float = 30) -> int:
        """Wait until it was switched off."""
        async with asyncio.timeout(timeout_s):
            await self._over.wait()
        return 0

    async def quit(self) -> None:
        """Switch it off."""
        self._over.set()
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        self._record()
        await self._fake.drop()
