"""A room: a hub on scripted engines, one session in it, and everything that comes out, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest

from mynah.audio import LISTENING
from mynah.conversation.session import Conversation
from mynah.hub import MynahHub
from mynah.outputs import LAST, Output, SpeechChunk
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing.hubs import run_hub, scripted_engines
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now

LOUD = b"\x01\x10" * 320  # 20 ms that a scripted detector takes for speech
QUIET = bytes(640)


@dataclass
class Room:
    hub: MynahHub
    session: Conversation
    options: OutletOptions = field(default_factory=OutletOptions)
    outputs: list[Output] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    began: float = field(default_factory=now)
    reader: asyncio.Task[None] | None = None

    def attach(self, *, resume: bool = False) -> None:
        self.reader = asyncio.get_running_loop().create_task(self._read(resume))

    async def detach(self) -> None:
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.wait({self.reader})

    async def _read(self, resume: bool) -> None:
        async with aclosing(self.session.outputs(self.options, resume=resume)) as outputs:
            async for output in outputs:
                self.outputs.append(output)
                self.times.append(now() - self.began)

    async def until(self, happened: Callable[[list[Output]], bool], within: float = 300.0) -> None:
        began = now()
        async with asyncio.timeout(within):
            while not happened(self.outputs):  # noqa: ASYNC110  # free, but for minutes of virtual time
                await asyncio.sleep(0.001 if now() < began + 10 else 0.05)

    async def turn_over(self, turn_id: str = "t1") -> Output:
        def over(outputs: list[Output]) -> bool:
            return any(isinstance(output, LAST) and output.turn_id == turn_id for output in outputs)

        await self.until(over)
        return next(output for output in self.outputs if isinstance(output, LAST) and output.turn_id == turn_id)

    async def speak(self, ms: int = 200, data: bytes = LOUD) -> None:
        for _ in range(ms // 20):
            self.session.feed(data)
            await asyncio.sleep(0.02)

    async def ask_aloud(self, ms: int = 200) -> None:
        self.session.listen(LISTENING)
        await self.speak(ms)
        self.session.end_listening()

    def of(self, kind: type, turn_id: str | None = None) -> list[Any]:
        return [o for o in self.outputs if isinstance(o, kind) and turn_id in (None, o.turn_id)]

    def at(self, kind: type, turn_id: str | None = None) -> float:
        """Seconds from the beginning to the first output of that kind."""
        return next(
            t for t, o in zip(self.times, self.outputs, strict=True)
            if isinstance(o, kind) and turn_id in (None, o.turn_id)
        )  # fmt: skip

    def audio(self, turn_id: str | None = None) -> bytes:
        return b"".join(chunk.audio.data for chunk in self.of(SpeechChunk, turn_id))

    def names(self, turn_id: str | None = None) -> list[str]:
        return [type(output).__name__ for output in self.of(Output, turn_id)]


@pytest.fixture
def in_room(tmp_path: Any) -> Callable[..., None]:
    """Run `scenario(room)` in virtual time on the engines given as stt=, llm=, tts= (or whole specs=)."""

    def run(
        scenario: Callable[[Room], Awaitable[None]],
        *,
        specs: Any = None,
        config: dict[str, Any] | None = None,
        policy: Any = "interrupt",
        buffer_ms: float | None = None,
        formats: Any = (),
        **engines: Any,
    ) -> None:
        async def main() -> None:
            async with run_hub(tmp_path, specs=specs or scripted_engines(**engines), config=config) as hub:
                session = hub.open_session(SessionOptions(policy=policy))
                room = Room(hub, session, OutletOptions(formats=tuple(formats), buffer_ms=buffer_ms))
                room.attach()
                await asyncio.sleep(0)
                room.began = now()
                try:
                    await scenario(room)
                finally:
                    await room.detach()

        run_in_virtual_time(main())

    return run
