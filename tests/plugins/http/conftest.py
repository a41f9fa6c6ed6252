"""A hub that knows just enough for the web server, and servers on free loopback ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import voluptuous as vol

from mynah import (
    Access,
    InputError,
    LimitError,
    OutletOptions,
    PersonaSpec,
    RouteSpec,
    SessionOptions,
)
from mynah.bus import EventBus
from mynah_http.component import COMPONENT
from mynah_http.config import SCHEMA
from mynah_http.routes import ROUTES

TOKENS: Mapping[str, tuple[Access, str]] = {
    "a-token": ("admin", ""),
    "v-token": ("viewer", ""),
    "s-token": ("speaker", "lion_house"),
}


@dataclass
class FakeSession:
    id: str
    context: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    said: list[tuple[str, str, str | None]] = field(default_factory=list)
    interrupts: int = 0

    def update(self, **changes: Any) -> None: ...

    def describe(self) -> Mapping[str, Any]:
        return {"id": self.id, "context": self.context}

    def listen(self, format: Any, mode: Any = "push_to_talk") -> None: ...

    def feed(self, data: bytes) -> None: ...

    def end_listening(self) -> None: ...

    def submit(self, text: str, *, language: str | None = None) -> str:
        if text == "unsayable":
            raise InputError("this text cannot be taken")
        self.said.append(("submit", text, language))
        return f"turn-{len(self.said)}"

    def say(self, text: str, *, language: str | None = None, start_at: float | None = None) -> str:
        self.said.append(("say", text, language))
        return f"turn-{len(self.said)}"

    def interrupt(self, reason: str = "interrupt") -> bool:
        self.interrupts += 1
        return bool(self.said)

    def played(self, turn_id: str, ms: float) -> None: ...

    def outputs(self, options: OutletOptions, *, resume: bool = False) -> AsyncGenerator[Any, None]:
        raise NotImplementedError


class FakeHub:
    def __init__(self, folder: Path, routes: Sequence[RouteSpec] = ()) -> None:
        self.bus = EventBus()
        self.parts: dict[str, Any] = {}
        self.config: Mapping[str, Any] = {}
        self.folder = folder
        self.routes = (*ROUTES, *routes)
        self.addresses: dict[str, str] = {}
        self.status = "healthy"
        self.max_sessions = 3
        self.open: dict[str, FakeSession] = {}
        self.tried: list[str] = []

    def health(self) -> Mapping[str, Any]:
        return {"status": self.status, "ready": True, "components": {}, "engines": {}}

    def engines(self) -> Sequence[Mapping[str, Any]]:
        return [{"kind": "tts", "name": "espeak", "state": "ready"}]

    def personas(self) -> Sequence[PersonaSpec]:
        return [PersonaSpec(name="zoo_guide", title="Zoo guide", prompt="secret", knowledge=(Path("animals.yaml"),))]

    def speakers(self) -> Sequence[Mapping[str, Any]]:
        return [{"id": "lion_house", "name": "Lion house", "area": "savanna"}]

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        return [{"id": session.id, "context": session.context} for session in self.open.values()]

    def open_session(self, options: SessionOptions) -> FakeSession:
        if len(self.open) >= self.max_sessions:
            raise LimitError("all 3 sessions are taken; try again later")
        if options.persona == "nobody":
            raise InputError("there is no persona 'nobody'")
        session = FakeSession(f"session-{len(self.open) + 1}", options.context)
        self.open[session.id] = session
        return session

    def session(self, session_id: str) -> FakeSession:
        try:
            return self.open[session_id]
        except KeyError:
            raise InputError(f"there is no session '{session_id}'") from None

    def close_session(self, session_id: str, reason: str = "closed") -> None:
        self.session(session_id).closed = True
        del self.open[session_id]

    def access(self, token: str) -> tuple[Access, str] | None:
        self.tried.append(token)
        return TOKENS.get(token)


@dataclass
class Server:
    hub: FakeHub
    client: aiohttp.ClientSession
    port: int
    task: asyncio.Task[None]

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        async with self.client.request(method, path, **options) as response:
            return response.status, await response.json() if response.content_length else None

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


Start = Callable[..., Awaitable[Server]]


@pytest.fixture
def make_hub(tmp_path: Path) -> Callable[..., FakeHub]:
    return lambda *routes: FakeHub(tmp_path, routes)


@pytest.fixture
async def start(make_hub: Callable[..., FakeHub]) -> AsyncIterator[Start]:
    servers: list[Server] = []

    async def start(*routes: RouteSpec, scheme: str = "http", **config: Any) -> Server:
        hub, ready = make_hub(*routes), asyncio.Event()
        checked = vol.Schema(SCHEMA)({"port": 0, "mdns": False, **config})
        task = asyncio.ensure_future(COMPONENT.run(hub, checked, ready.set))
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait([task, waiting], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            await task
        port = int(hub.addresses["http"].rpartition(":")[2])
        server = Server(hub, aiohttp.ClientSession(f"{scheme}://127.0.0.1:{port}"), port, task)
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.client.close()
        await server.stop()


@pytest.fixture
async def server(start: Start) -> Server:
    """A server on loopback with the plugin's own routes."""
    return await start()
