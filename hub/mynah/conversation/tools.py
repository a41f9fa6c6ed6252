"""Tools: what a language model may do while it answers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mynah.config.json_schema import object_schema
from mynah.config.messages import validate
from mynah.engines.chain import being_cancelled
from mynah.errors import MynahError, cause
from mynah.hub_protocol import Hub
from mynah.session_protocol import Session
from mynah.specs import ToolSpec
from mynah.timeline import now
from mynah.values import Tool, ToolCall

log = logging.getLogger(__name__)

RESULT_CHARS: Final = 4_000
"""Of a longer result the language model is told the beginning."""

UNREADABLE: Final = ""
"""The key under which an engine gives arguments that it could not read."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call: what the model is told, whether it worked, and how long it took."""

    text: str
    ok: bool
    ms: float


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of every plugin: what each does, and what a language model is told of it."""

    specs: Mapping[str, ToolSpec]
    told: Mapping[str, Tool]

    @classmethod
    def of(cls, specs: Sequence[ToolSpec]) -> Tools:
        """Return the tools that `specs` declare; their schemas are converted once."""
        told = {spec.name: Tool(spec.name, spec.description, object_schema(spec.schema)) for spec in specs}
        return cls({spec.name: spec for spec in specs}, told)


class Toolbox:
    """The tools as one session uses them."""

    def __init__(self, tools: Tools, hub: Hub, session: Session) -> None:
        self._tools = tools
        self._hub = hub
        self._session = session

    def offered(self, names: Sequence[str]) -> tuple[Tool, ...]:
        """Return those of `names` that there are, as a language model is told of them."""
        told = self._tools.told
        return tuple([told[name] for name in dict.fromkeys(names) if name in told]) if names else ()

    async def run(self, call: ToolCall, offered: Sequence[Tool]) -> ToolResult:
        """Do what `call` asks for if its tool is among those `offered`; never raises but for cancellation."""
        began = now()
        try:
            text, ok = await self._told(call, offered)
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            text, ok = _defect(call), False  # something that the tool waited for was cancelled
        return ToolResult(text, ok, (now() - began) * 1000)

    async def _told(self, call: ToolCall, offered: Sequence[Tool]) -> tuple[str, bool]:
        told = {tool.name: tool for tool in offered}
        if call.name not in told:
            return f"There is no tool {call.name[:64]!r}. There are: {', '.join(told)}.", False
        spec = self._tools.specs[call.name]
        form = json.dumps(told[call.name].parameters, ensure_ascii=False)
        if UNREADABLE in call.arguments:
            return f"The arguments could not be read: they must be a JSON object that fits {form}", False
        arguments, mistakes = validate(spec.schema, dict(call.arguments))
        if mistakes:
            wrong = "; ".join(f"{': '.join([*map(str, mistake.path), mistake.message])}" for mistake in mistakes)
            return f"The arguments are wrong: {wrong}. They must fit {form}", False
        try:
            async with asyncio.timeout(spec.timeout_s) as limit:
                result = await spec.run(self._hub, self._session, arguments)
            return as_text(result), True
        except Exception as failure:
            if isinstance(failure, TimeoutError) and limit.expired():
                return f"The tool took more than {spec.timeout_s:g} s and was stopped.", False
            # A tool's failure is told to the model, which can say so; a defect of it must not end the turn.
            error = cause(failure)
            if isinstance(error, MynahError):
                return bounded(str(error)), False
            log.exception("tool %s failed", call.name)
            return _defect(call), False


def as_text(result: Any) -> str:
    """Return a tool's result as the language model is told of it. Raises what `json.dumps` does."""
    if result is None:
        return "Done."
    return bounded(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str))


def bounded(text: str) -> str:
    """Return `text`, or its beginning and a word that there was more."""
    if len(text) <= RESULT_CHARS:
        return text
    return f"{text[:RESULT_CHARS]} … (cut; there were {len(text):,} characters)"


def _defect(call: ToolCall) -> str:
    return f"The tool {call.name} failed. It cannot be used now."
