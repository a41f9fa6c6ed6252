"""The engine: builds what it needs of a knowledge once, off the loop, and streams its answers word by word."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mynah import EngineError, Grounding, Hints, Knowledge, Message, ReplyNote, Token, Tool, ToolCall
from mynah_facts.answer import Answerer, filled
from mynah_facts.index import Index

_KEPT = 32


class FactsEngine:
    """A language model that knows what the persona's knowledge says, and nothing else.

    It calls a tool only where a fact names it, and puts what the tool tells into the slots of that fact.
    """

    def __init__(self, caution: float = 1.0) -> None:
        self._caution = caution
        self._built: OrderedDict[int, tuple[Knowledge, asyncio.Task[Answerer]]] = OrderedDict()

    async def reply(
        self, messages: Sequence[Message], *, grounding: Grounding, tools: Sequence[Tool] = ()
    ) -> AsyncIterator[Token | ToolCall | ReplyNote]:
        """Yield a note on the reply, then the reply word by word. Raises `EngineError` for a question as audio."""
        asked = max((n for n, message in enumerate(messages) if message.role == "user"), default=-1)
        told = [str(message.content) for message in messages[asked + 1 :] if message.role == "tool"]
        messages = messages[: asked + 1]
        if messages and not isinstance(messages[-1].content, str):
            raise EngineError("the facts engine answers text only; put a speech-to-text engine before it")
        answerer = await asyncio.shield(self._answerer(grounding.knowledge))
        answer = answerer.answer(messages, grounding)
        if answer.tool and not told and any(tool.name == answer.tool for tool in tools):
            yield ReplyNote("answered", answer.subject)
            yield ToolCall("fact", answer.tool, {})
            return
        if answer.tool:
            answer = filled(answer, told[-1] if told else "", grounding)
        yield ReplyNote("answered" if answer.known else "unknown", answer.subject)
        for number, word in enumerate(answer.text.split(" ")):
            yield Token(f" {word}" if number else word)

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Build what answers from the persona's knowledge."""
        await asyncio.shield(self._answerer(grounding.knowledge))

    def _answerer(self, knowledge: Knowledge) -> asyncio.Task[Answerer]:
        """Return the task that builds, or has built, what answers from `knowledge`; the latest few are kept."""
        key = id(knowledge)
        if key not in self._built or _failed(self._built[key][1]):
            task = asyncio.create_task(asyncio.to_thread(self._build, knowledge))
            # The knowledge is kept along, so that its id stays its own.
            self._built[key] = (knowledge, task)
        self._built.move_to_end(key)
        while len(self._built) > _KEPT:
            self._built.popitem(last=False)
        return self._built[key][1]

    def _build(self, knowledge: Knowledge) -> Answerer:
        return Answerer(Index(knowledge), self._caution)

    async def close(self) -> None:
        """Wait for what is still being built, and forget everything."""
        tasks = [task for _, task in self._built.values()]
        self._built.clear()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def open_facts(config: Mapping[str, Any], folder: Path) -> AsyncIterator[FactsEngine]:
    """Open the engine. It needs no files and no network; what answers from a persona's knowledge is built once."""
    engine = FactsEngine(caution=float(config.get("caution", 1.0)))
    try:
        yield engine
    finally:
        await engine.close()


def _failed(task: asyncio.Task[Answerer]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
