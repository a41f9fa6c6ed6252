"""The language model: streamed chat completions, with tools, and with the person's voice where the model takes it."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mynah import EngineError, Grounding, Hints, Message, Token, Tool, ToolCall
from mynah_openai.choices import pieces
from mynah_openai.messages import api_messages
from mynah_openai.notes import Notes
from mynah_openai.server import Server, connected
from mynah_openai.thoughts import Thoughts
from mynah_openai.tool_calls import CallParts, tool_spec
from mynah_openai.troubles import Refused

if TYPE_CHECKING:
    from openai import AsyncOpenAI

# How Ollama, vLLM, llama.cpp, OpenRouter and others say that a model, or the server as it was started, takes no tools.
# A call that the model has botched, or a message out of its order, is refused in words about tools too: that passes.
_TOOLS: Final = re.compile(r"\btools?\b|\bfunction.calling\b")
_NOT_TAKEN: Final = re.compile(
    r"support|enable|allow|accept|permitted|recogni[sz]ed|unknown (?:field|param|arg)|requires --"
)

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_chat(config: Mapping[str, Any], folder: Path) -> AsyncIterator[ChatModel]:
    """Open the engine; `folder` is not used. Raises `EngineUnavailable` where the server cannot be used."""
    async with connected(config) as server:
        yield ChatModel(server, config)


class ChatModel:
    """A model behind `/chat/completions`. What the server will not take is left out once it has said so."""

    def __init__(self, server: Server, config: Mapping[str, Any]) -> None:
        self._server = server
        self._model: str = config["model"]
        self._audio_input: bool = config["audio_input"]
        self._settings = {key: config[key] for key in ("temperature", "max_tokens") if config[key] is not None}
        self._extra_body = dict(config["extra_body"])
        self._notes = Notes()
        self._unwanted: set[str] = set()

    async def reply(
        self, messages: Sequence[Message], *, grounding: Grounding, tools: Sequence[Tool] = ()
    ) -> AsyncIterator[Token | ToolCall]:
        """Yield the reply as it comes, then its tool calls; thoughts are left out.

        Arguments that are no JSON object come as `{"": TEXT}`. Raises `EngineError` for every fault of the server,
        for an empty reply, and for one that a content filter stopped.
        """
        await self._notes.prepare(grounding.knowledge)
        note = self._notes.note(messages, grounding)
        told = api_messages(messages, note, audio_input=self._audio_input)
        body: dict[str, Any] = {"messages": told, **self._settings}
        if tools:
            body["tools"] = [tool_spec(tool) for tool in tools]
        thoughts, parts, given, finish = Thoughts(), CallParts(), False, ""
        async with self._asked(body) as response, aclosing(pieces(response)) as stream:
            async for piece in stream:
                parts.feed(piece.calls)
                finish = piece.finish or finish
                if text := thoughts.feed(piece.text):
                    given = True
                    yield Token(text)
        if text := thoughts.end():
            given = True
            yield Token(text)
        for call in parts.calls():
            given = True
            yield call
        self._judge(finish, given)

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Learn what the persona knows, and have the model loaded where so configured; a connection is open already."""
        await self._notes.prepare(grounding.knowledge)
        body = {"messages": [{"role": "user", "content": "Hi"}], **self._settings, "max_tokens": 1}
        await self._server.preload(lambda client: self._create(client, body))

    def _judge(self, finish: str, given: bool) -> None:
        """Say honestly how a reply ended that is not simply complete."""
        title = self._server.options.base_url
        if finish == "content_filter":
            raise EngineError(f"{title}: the server's content filter stopped the reply")
        if finish == "length":
            limit = "the reply reached max_tokens or the model's own limit"
            if not given:
                raise EngineError(f"{title}: {limit} before it said anything")
            log.warning("%s: %s and was cut; raise max_tokens, or ask for shorter replies", title, limit)
        if not given:
            raise EngineError(f"{title}: the model {self._model!r} gave an empty reply")

    # ---------------------------------------------------------------- asking

    @asynccontextmanager
    async def _asked(self, body: Mapping[str, Any]) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            yield await self._answered(stack, body)

    async def _answered(self, stack: AsyncExitStack, body: Mapping[str, Any]) -> Any:
        """Ask until the server has no more to object to; it is asked at most once for each thing to leave out."""
        while True:
            try:
                answer = self._server.answer(lambda client: self._create(client, body))
                return await stack.enter_async_context(answer)
            except Refused as refusal:
                if not self._learn(refusal, body):
                    raise

    def _create(self, client: AsyncOpenAI, body: Mapping[str, Any]) -> AbstractAsyncContextManager[Any]:
        fitting = {key: value for key, value in body.items() if key not in self._unwanted}
        if "max_tokens" in body and "max_tokens" in self._unwanted:
            fitting["max_completion_tokens"] = body["max_tokens"]
        create: Any = client.chat.completions.with_streaming_response.create
        begun: AbstractAsyncContextManager[Any] = create(
            model=self._model, stream=True, extra_body=self._extra_body or None, **fitting
        )
        return begun

    def _learn(self, refusal: Refused, body: Mapping[str, Any]) -> bool:
        """Find out what the server will not take; return whether that is something that can be left out."""
        said = refusal.detail.lower()
        if refusal.status not in (400, 404, 422, 500, 501):
            return False
        signs = {
            "tools": bool(_TOOLS.search(said) and _NOT_TAKEN.search(said)),
            # OpenAI's newer models know it by another name.
            "max_tokens": "max_completion_tokens" in said,
            "temperature": "temperature" in said,
        }
        for key, shown in signs.items():
            if shown and key in body and key not in self._unwanted:
                self._unwanted.add(key)
                level = logging.WARNING if key == "tools" else logging.INFO
                log.log(level, "%s: the model %r takes no %s (%s); asking without from now on",
                        self._server.options.base_url, self._model, key, refusal.detail)  # fmt: skip
                return True
        return False
