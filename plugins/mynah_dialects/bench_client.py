"""A client of the bench: it sends, and notes when what comes back was there."""

from __future__ import annotations

import itertools
import json
import string
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from mynah import Bench, MynahError
from mynah.testing import Calls, HubProcess, hub_process, scripts_folder

WITHIN_S: Final = 60.0

Frame = Mapping[str, Any] | bytes


@dataclass(slots=True)
class Client:
    """One client on a WebSocket; `times` has when each of `frames` was there, in seconds of `time.monotonic`."""

    ws: aiohttp.ClientWebSocketResponse
    frames: list[Frame] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def send(self, **message: Any) -> float:
        """Send a message; return when that began."""
        text = json.dumps(message)
        began = time.monotonic()
        await self.ws.send_str(text)
        return began

    def forget(self) -> None:
        """Forget what has come."""
        self.frames.clear()
        self.times.clear()

    async def until(self, kind: str) -> float:
        """Wait for a frame of that kind; return when it was there. Raises `MynahError` where an error comes instead."""
        while True:
            message = await self.ws.receive(timeout=WITHIN_S)
            at = time.monotonic()
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                raise MynahError(f"the connection ended before {kind} came")
            frame: Frame = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else message.data
            self.frames.append(frame)
            self.times.append(at)
            if kind_of(frame) == kind:
                return at
            if kind_of(frame) == "error":
                raise MynahError(f"the hub answered: {frame!r:.200}")

    def at(self, kind: str, *, last: bool = False) -> float:
        """Return when the first frame of that kind, or the last, was there."""
        found = [at for frame, at in zip(self.frames, self.times, strict=True) if kind_of(frame) == kind]
        if not found:
            raise MynahError(f"no {kind} came")
        return found[-1 if last else 0]

    def of(self, kind: str) -> list[Any]:
        """Return the frames of that kind."""
        return [frame for frame in self.frames if kind_of(frame) == kind]


def kind_of(frame: Frame) -> str:
    """Return what a frame calls itself."""
    return "bytes" if isinstance(frame, bytes) else str(frame.get("type") or frame.get("event"))


@asynccontextmanager
async def running(bench: Bench, **engines: Mapping[str, Any]) -> AsyncIterator[tuple[HubProcess, Calls]]:
    """Run a hub on scripted engines, `stt={...}` and so on being their options; give it and their calls."""
    usual: Mapping[str, Mapping[str, Any]] = {"stt": {}, "llm": {}, "tts": {}, "translator": {}}
    entries = {kind: [{"engine": f"script_{kind}", **engines.get(kind, {})}] for kind in usual}
    config = {
        "plugins": {"folder": str(scripts_folder())},
        "persona": "sparrow",
        "engines": entries,
        "sessions": {"max": 1000},
        "dialects": {
            **{name: {"persona": "sparrow"} for name in ("clinic_interpreter", "news_agent", "speech_console")},
            "zoo_speaker": {"persona": "sparrow", "modes": {"bench-wav": "wav"}},
            "study_partner": {"persona": "sparrow", "max_sessions": engines.get("study", {}).get("max_sessions", 10)},
        },
    }
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    async with hub_process(folder, config) as hub:
        yield hub, Calls(hub.data / "engines")


@asynccontextmanager
async def connected(hub: HubProcess, path: str) -> AsyncIterator[Client]:
    """Connect a client."""
    async with aiohttp.ClientSession() as http, http.ws_connect(hub.url + path, max_msg_size=0) as ws:
        yield Client(ws)


def words() -> Iterator[str]:
    """Yield words that nobody has said before, to tell one question from the other."""
    for letters in itertools.product(string.ascii_lowercase, repeat=4):
        yield "q" + "".join(letters)


def tone(ms: int, rate: int = 16_000) -> bytes:
    """Return samples that are no silence."""
    return bytes(byte for n in range(rate * ms // 1000) for byte in ((n * 97) % 256, (n * 13) % 16))
