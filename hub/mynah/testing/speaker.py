"""A fake speaker: a client of the native protocol (docs/protocol.md), for tests of plugins and for `mynah demo`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, TypeVar

from mynah.audio.formats import LISTENING, AudioFormat
from mynah.errors import MynahError
from mynah.testing.loudspeaker import Loudspeaker, Playback, Player
from mynah.testing.received import Inbox, Received, ReceivedTurn
from mynah.testing.wire import Wire

T = TypeVar("T")
PLAYS: Final = (AudioFormat("pcm_s16le", 24_000, 1),)
WAIT_S: Final = 10.0
GOODBYE_S: Final = 2.0


class HubRefused(MynahError):
    """The hub closed the connection, or would not open a session; `code` is its error's code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class FakeSpeaker:
    """Talks to a hub as a device would, and keeps all that comes back, with the time at which it came.

        async with FakeSpeaker("http://localhost:8000", persona="zoo_guide") as speaker:
            turn = await speaker.ask_text("What do red pandas eat?")
            print(turn.reply)
            speaker.reply_wav(Path("reply.wav"))

    `playback` is "virtual" (audio has sounded when it arrives), "real_time" (it takes as long as it lasts) or "silent"
    (nothing is reported; call `played` yourself). One that plays in real time keeps to a `start_at` once
    `sync_clock` was called; `clock` is its own clock, in seconds. What else a `hello` may hold goes in as keyword
    arguments: speaker, persona, language, context, policy. Connecting raises `HubRefused` where the hub says no.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        plays: Iterable[AudioFormat] = PLAYS,
        records: AudioFormat = LISTENING,
        buffer_ms: float | None = None,
        playback: Playback = "virtual",
        clock: Callable[[], float] = time.monotonic,
        **hello: Any,
    ) -> None:
        self.url = url
        self.records = records
        self.welcome: Mapping[str, Any] = {}
        self.close_code: int | None = None
        self.close_reason = ""
        self._clock = clock
        self._hub_ahead_ms: float | None = None
        self._player = Player(playback, self.played, clock, lambda: self._hub_ahead_ms)
        self._hello = {
            "version": 1,
            "token": token,
            "plays": [_format_json(format) for format in plays],
            "records": _format_json(records),
            "buffer_ms": buffer_ms,
            **hello,
        }
        self._wire: Wire | None = None
        self._inbox = Inbox()
        self._expected: dict[str, int] = {}
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def loudspeaker(self) -> Loudspeaker:
        """What plays the replies."""
        return self._player.loudspeaker

    @property
    def messages(self) -> list[Received]:
        """Every message that came, in order."""
        return self._inbox.messages

    @property
    def turns(self) -> dict[str, ReceivedTurn]:
        """What came of each turn, by its id, in order."""
        return self._inbox.turns

    # ------------------------------------------------------------ coming and going

    async def __aenter__(self) -> FakeSpeaker:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ConnectionError):
            if self.connected:
                await self.send("bye")
                await asyncio.wait(self._tasks[:1], timeout=GOODBYE_S)
        await self.drop()

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        return self._wire is not None and self.close_code is None

    @property
    def session_id(self) -> str:
        """The session's id."""
        return str(self.welcome.get("session", ""))

    async def connect(self, **hello: Any) -> Mapping[str, Any]:
        """Connect, say hello and return the hub's `welcome`; `hello` adds to what the speaker was made with."""
        self.close_code, self.close_reason = None, ""
        self._wire = await Wire.open(self.url)
        self._tasks = [asyncio.create_task(self._read(self._wire), name="fake speaker: reading")]
        if self._player.mode == "real_time":
            self._tasks.append(asyncio.create_task(self._player.report(), name="fake speaker: reporting"))
        already = len(self.messages)
        await self.send("hello", **{**self._hello, **hello})
        try:
            answer = await self.until(lambda: _first(self.messages[already:], ("welcome", "error")), "the welcome")
        except HubRefused:
            await self.drop()
            raise
        if answer.name == "error":
            await self.drop()
            raise HubRefused(str(answer.data["message"]), str(answer.data["code"]))
        self.welcome = answer.data
        return self.welcome

    async def drop(self) -> None:
        """Lose the connection as in a power cut: without a word, and with what the loudspeaker held."""
        self.loudspeaker.stop()
        if self._wire is not None:
            await self._wire.cut()
            self._wire = None
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def resume(self) -> Mapping[str, Any]:
        """Connect again and go on with the session where the loudspeaker was; return the hub's `welcome`."""
        resume: dict[str, Any] = {"session": self.session_id}
        sounding = [turn for turn in self.turns.values() if turn.audio]
        if sounding:
            turn = sounding[-1].id
            resume |= {"turn": turn, "played_ms": round(self.loudspeaker.played_ms(turn), 1)}
        return await self.connect(resume=resume)

    # ------------------------------------------------------------ speaking to the hub

    async def send(self, name: str, **fields: Any) -> None:
        """Send a message; fields that are None are left out."""
        await self.send_frame(json.dumps({"type": name, **{k: v for k, v in fields.items() if v is not None}}))

    async def send_frame(self, frame: str | bytes) -> None:
        """Send a frame as it is, valid or not. Raises `ConnectionError` where there is no connection."""
        if self._wire is None:
            raise ConnectionError("the fake speaker is not connected")
        await self._wire.send(frame)

    async def listen(self, mode: Literal["push_to_talk", "open"] = "push_to_talk") -> None:
        """Start the microphone."""
        await self.send("listen", mode=mode)

    async def feed(self, data: bytes) -> None:
        """Send audio of the microphone, in the format `records`."""
        await self.send_frame(data)

    async def end_listening(self) -> None:
        """End the utterance."""
        await self.send("end_listening")

    async def greet(self, *, timeout_s: float = WAIT_S) -> ReceivedTurn:
        """Have the persona greet, wait for the end of the turn and return it."""
        known = set(self.turns)
        await self.send("greet")
        return await self._new_turn(known, timeout_s)

    async def interrupt(self, reason: str | None = None) -> None:
        """Stop every reply."""
        await self.send("interrupt", reason=reason)

    async def played(self, turn: str, ms: float) -> None:
        """Report how much of a turn's audio has sounded."""
        await self.send("played", turn=turn, ms=round(ms, 1))

    async def ask_text(self, text: str, *, timeout_s: float = WAIT_S, **fields: Any) -> ReceivedTurn:
        """Ask in writing, wait for the end of the turn and return it."""
        known = set(self.turns)
        await self.send("text", text=text, **fields)
        return await self._new_turn(known, timeout_s)

    async def say(self, text: str, *, timeout_s: float = WAIT_S, **fields: Any) -> ReceivedTurn:
        """Have a text spoken, wait for the end of the turn and return it."""
        known = set(self.turns)
        await self.send("say", text=text, **fields)
        return await self._new_turn(known, timeout_s)

    async def ask_audio(
        self,
        chunks: Iterable[bytes],
        *,
        real_time: bool = False,
        mode: Literal["push_to_talk", "open"] = "push_to_talk",
        timeout_s: float = WAIT_S,
    ) -> ReceivedTurn:
        """Speak into the microphone, wait for the end of the turn and return it.

        In real time PCM is sent at the speed at which it is spoken. An open microphone stays open; let the audio end
        in silence there.
        """
        known = set(self.turns)
        await self.listen(mode)
        began, sent_ms = time.monotonic(), 0.0
        for chunk in chunks:
            await self.feed(chunk)
            sent_ms += self.records.pcm_ms(len(chunk))
            if real_time:
                await asyncio.sleep(max(0.0, began + sent_ms / 1000 - time.monotonic()))
        if mode == "push_to_talk":
            await self.end_listening()
        return await self._new_turn(known, timeout_s)

    async def sync_clock(self, rounds: int = 5) -> float:
        """Return what the hub's clock is ahead of the speaker's, in milliseconds, from the quickest of `rounds`."""
        best = (float("inf"), 0.0)
        for _ in range(rounds):
            await self.send("clock", client_ms=self._clock() * 1000)
            answer = await self.expect("clock")
            late_s = time.monotonic() - answer.at
            t0, t3 = float(answer.data["client_ms"]), (self._clock() - late_s) * 1000
            t1, t2 = float(answer.data["received_ms"]), float(answer.data["sent_ms"])
            best = min(best, ((t3 - t0) - (t2 - t1), ((t1 - t0) + (t2 - t3)) / 2))
        self._hub_ahead_ms = best[1]
        return best[1]

    # ------------------------------------------------------------ waiting for the hub

    async def until(self, found: Callable[[], T | None], what: str = "it", *, timeout_s: float = WAIT_S) -> T:
        """Wait until `found` returns something true, and return that; it is asked again whenever something arrives.

        Raises `TimeoutError`, or `HubRefused` where the connection ends before.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (result := found()):
                    if not self.connected:
                        raise self._ended(what)
                    self._arrived.clear()
                    await self._arrived.wait()
                return result
        except TimeoutError:
            raise TimeoutError(f"waited {timeout_s:g} s for {what} in vain") from None

    async def expect(self, name: str, *, timeout_s: float = WAIT_S) -> Received:
        """Return the next message of a type: the first that `expect` has not returned yet."""
        index = self._expected.get(name, 0)

        def find() -> Received | None:
            found = [message for message in self.messages if message.name == name]
            return found[index] if len(found) > index else None

        message = await self.until(find, f"the message {name!r}", timeout_s=timeout_s)
        self._expected[name] = index + 1
        return message

    async def finished(self, turn: ReceivedTurn, *, timeout_s: float = WAIT_S) -> ReceivedTurn:
        """Wait until a turn is over."""
        return await self.until(lambda: turn if turn.over else None, f"the end of {turn.id}", timeout_s=timeout_s)

    def reply_wav(self, path: Path, turn: ReceivedTurn | None = None) -> Path:
        """Write the audio of a turn, or of the last that brought any, to a WAV file.

        Raises `AudioError` where there is none.
        """
        spoken = [entry for entry in self.turns.values() if entry.audio]
        turn = turn or (spoken[-1] if spoken else ReceivedTurn("none"))
        path.write_bytes(turn.wav())
        return path

    async def _new_turn(self, known: set[str], timeout_s: float) -> ReceivedTurn:
        def find() -> ReceivedTurn | None:
            return next((turn for id, turn in self.turns.items() if id not in known), None)

        turn = await self.until(find, "a new turn", timeout_s=timeout_s)
        return await self.finished(turn, timeout_s=timeout_s)

    def _ended(self, what: str) -> HubRefused:
        error = _first(self.messages[::-1], ("error",))
        told = error.data if error is not None and error.data.get("closes") else {}
        message = str(told.get("message") or self.close_reason or "the connection was lost")
        return HubRefused(f"{message} (while waiting for {what})", str(told.get("code", "lost")))

    # ------------------------------------------------------------ hearing the hub

    async def _read(self, wire: Wire) -> None:
        try:
            async with aclosing(wire.frames()) as frames:
                async for frame in frames:
                    if isinstance(frame, bytes):
                        await self._player.play(self._inbox.take_audio(frame, time.monotonic()))
                    else:
                        await self._player.follow(self._inbox.take_message(frame, time.monotonic()))
                    self._arrived.set()
        finally:
            self.close_code, self.close_reason = wire.close_code, wire.close_reason
            self._arrived.set()


def _format_json(format: AudioFormat) -> dict[str, Any]:
    return {"codec": format.codec, "rate": format.rate, "channels": format.channels}


def _first(messages: Iterable[Received], names: tuple[str, ...]) -> Received | None:
    return next((message for message in messages if message.name in names), None)
