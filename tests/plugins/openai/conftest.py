"""Engines on a loopback server, by the real client library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import mynah_openai
from counterparts.openai_server import OpenAIServer
from mynah import EngineSpec, Grounding, Message
from mynah.testing.contract_run import checked_options

SPECS: dict[str, EngineSpec] = {spec.kind: spec for spec in mynah_openai.mynah_engines()}

Open = Callable[..., AbstractAsyncContextManager[Any]]
Reply = Callable[..., Any]


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as server:
        yield server


@pytest.fixture
def specs() -> dict[str, EngineSpec]:
    return SPECS


@pytest.fixture
def opened(server: OpenAIServer, tmp_path: Path) -> Open:
    """Open the engine of a kind on the server, configured as in YAML."""

    @asynccontextmanager
    async def open_it(kind: str, **config: Any) -> AsyncIterator[Any]:
        options = checked_options(SPECS[kind], {"base_url": server.base_url, "model": "tiny", **config})
        async with SPECS[kind].open(options, tmp_path) as engine:
            yield engine

    return open_it


@pytest.fixture
def reply() -> Reply:
    """Collect a reply to a question, or to messages."""

    async def collect(
        engine: Any, question: str | Sequence[Message] = "Hello?", *, grounding: Grounding | None = None, **more: Any
    ) -> list[Any]:
        messages = [Message("user", question)] if isinstance(question, str) else question
        async with aclosing(engine.reply(messages, grounding=grounding or Grounding(), **more)) as stream:
            return [item async for item in stream]

    return collect
