"""The reply: everything between what a person said and the tokens of the answer, tools and drafts included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mynah.conversation.drafts import Drafts, ReplyItem
from mynah.conversation.hearing import Hearing
from mynah.conversation.scene import Scene
from mynah.engines.chain import Chain, Meter, OpenEngine, close, closing
from mynah.errors import EngineError
from mynah.outputs import ToolUsed
from mynah.timeline import now
from mynah.values import AudioClip, Message, ReplyNote, Token, Tool, ToolCall

if TYPE_CHECKING:
    from mynah.conversation.turn import Turn

TOOL_ROUNDS: Final = 4
"""How often a reply may use tools and think again; after that it must answer without."""

NAME_CHARS: Final = 64
"""Of a name that a language model made up, the beginning is told."""

MOST_CALLS: Final = 16
"""Tool calls of one answer that are run; the language model is told that the others were not."""


@dataclass(slots=True)
class Answer:
    """What a language model gave in one call: words, and the tools that it asked for."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)


class Replying:
    """The reply of one turn. `meter` counts what was waited for in language models, from the answer's beginning on.

    `hearing` turns what was kept as a clip into text after all.
    """

    def __init__(self, turn: Turn, scene: Scene, language: str, drafts: Drafts | None, hearing: Hearing | None) -> None:
        self.meter = Meter()
        self._turn = turn
        self._scene = scene
        self._language = language
        self._drafts = drafts
        self._hearing = hearing
        self._tools_ms = 0.0
        self._used: list[str] = []
        self._failed: set[OpenEngine] = set()
        self._begun = False  # a token was given or a tool was used: neither can be taken back

    async def begin(self) -> AsyncIterator[str | None]:
        """Return the reply as it is written; None where it pauses, as a tool is used."""
        turn = self._turn
        if turn.recipe == "say":
            return _known(turn.text)
        if turn.outcome == "not_understood":
            return _known(self._not_understood)
        if turn.clip is not None:
            return self._from_clip(turn.clip)
        answer = await turn.links.intent(turn.text, self._language)
        if answer is None:
            return self._rounds(turn.text, ())
        turn.silent = not answer.strip()
        return _known(answer)

    async def _from_clip(self, clip: AudioClip) -> AsyncIterator[str | None]:
        """Reply to what the language model hears itself; where it cannot, to the words, by the others."""
        turn, hears = self._turn, self._turn.hears
        others = [engine for engine in turn.links.chains["llm"].engines if engine is not hears]
        if hears is not None and not (hears.unfit and others):
            try:
                async with closing(self._rounds(clip, others)) as pieces:
                    async for piece in pieces:
                        yield piece
            except EngineError:
                if self._begun or not others:
                    raise
            else:
                return
        if self._hearing is not None and await self._hearing.transcribe_after_all():
            turn.links.understood(turn)
            replies = self._rounds(turn.text, [hears] if hears else [])
            async with closing(replies) as pieces:
                async for piece in pieces:
                    yield piece
        else:
            turn.outcome = "not_understood"
            yield self._not_understood

    async def _rounds(self, said: str | AudioClip, without: Sequence[OpenEngine]) -> AsyncIterator[str | None]:
        turn, scene, meter = self._turn, self._scene, self.meter
        messages, offered = scene.messages(said, self._language, turn.prompt), offered_tools(turn, scene)
        for number in range(TOOL_ROUNDS + 1):
            tools = offered if number < TOOL_ROUNDS else ()
            answer, called = Answer(), 0
            items = self._items(messages, tools, without, draft=number == 0 and isinstance(said, str))
            try:
                async for item in items:
                    if called != meter.calls:
                        if called:  # another language model began instead, and what the one before it gave is void
                            answer.calls.clear()
                            self._note(ReplyNote())
                        called = meter.calls
                    if isinstance(item, Token):
                        if item.text:
                            self._begun = True
                            text = _apart(item.text, turn.reply) if number and not answer.text else item.text
                            answer.text += item.text
                            yield text
                    elif isinstance(item, ReplyNote):
                        self._note(item)
                    elif isinstance(item, ToolCall):
                        answer.calls.append(item)
                    else:
                        raise EngineError(f"{meter.engine} gave {type(item).__name__} for a piece of a reply")
            finally:
                await close(items)
            if not answer.calls or not tools:
                return
            self._begun = True
            yield None
            messages += await self._use_tools(answer, tools)

    @property
    def _not_understood(self) -> str:
        persona = self._scene.persona
        return persona.text(persona.spec.not_understood, self._language)

    def _note(self, note: ReplyNote) -> None:
        self._turn.outcome, self._turn.subject = note.outcome, note.subject

    def _items(
        self, messages: Sequence[Message], tools: Sequence[Tool], without: Sequence[OpenEngine], *, draft: bool
    ) -> AsyncIterator[ReplyItem]:
        """Return what the language model gives: of a draft that was right, else of a call made now."""
        ready = self._drafts.take(self._turn.text, self._scene, self._language) if draft and self._drafts else None
        if ready is not None:
            return ready.items(self.meter)
        return llm_items(self._turn, self._scene, self._language, messages, tools, self.meter, without, self._failed)

    # ------------------------------------------------------------ tools

    async def _use_tools(self, answer: Answer, tools: Sequence[Tool]) -> list[Message]:
        """Do all that the answer asks for, side by side; return it and the results as messages."""
        turn, calls = self._turn, answer.calls[:MOST_CALLS]
        began = now()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._use(call, tools)) for call in calls]
        if not turn.phrases:  # later it is not on the way to the first audio
            self._tools_ms += (now() - began) * 1000
            self._used += [call.name[:NAME_CHARS] for call in calls]
            turn.timeline.engines["tools"] = ", ".join(dict.fromkeys(self._used))
            turn.timeline.engine_ms["tools"] = self._tools_ms
        results = [task.result() for task in tasks]
        results += [f"Not done: at most {MOST_CALLS} calls at once."] * (len(answer.calls) - len(calls))
        told = [Message("tool", result, call_id=call.id) for call, result in zip(answer.calls, results, strict=True)]
        return [Message("assistant", answer.text, calls=tuple(answer.calls)), *told]

    async def _use(self, call: ToolCall, tools: Sequence[Tool]) -> str:
        turn = self._turn
        result = await turn.links.toolbox.run(call, tools)
        await turn.links.emit(
            ToolUsed(turn_id=turn.id, name=call.name[:NAME_CHARS], ok=result.ok, ms=round(result.ms, 1))
        )
        return result.text


def offered_tools(turn: Turn, scene: Scene) -> tuple[Tool, ...]:
    """Return the tools that the persona lists, as far as there are any."""
    return turn.links.toolbox.offered(scene.persona.spec.tools)


def llm_items(
    turn: Turn, scene: Scene, language: str, messages: Sequence[Message], tools: Sequence[Tool], meter: Meter,
    without: Sequence[OpenEngine] = (), failed: set[OpenEngine] | None = None,
) -> AsyncIterator[ReplyItem]:  # fmt: skip
    """Return what the language models give, tried in their order but for those in `without`.

    What one gave before another was called, which `meter` counts, is void. Those that `failed` are asked last; it
    grows.
    """
    grounding = scene.grounding(language)
    more = {"tools": tuple(tools)} if tools else {}

    def call(engine: Any) -> AsyncIterator[ReplyItem]:
        given: AsyncIterator[ReplyItem] = engine.reply(list(messages), grounding=grounding, **more)
        return given

    return turn.links.chains["llm"].stream(
        call, total=turn.links.limits.reply, final=_is_token, meter=meter, tried=list(without), avoid=failed
    )


def draft_items(turn: Turn, scene: Scene, text: str, language: str, meter: Meter) -> AsyncIterator[ReplyItem]:
    """Begin a reply to words that are not final."""
    messages = scene.messages(text, language, turn.prompt)
    return llm_items(turn, scene, language, messages, offered_tools(turn, scene), meter)


def first_usable(chain: Chain) -> OpenEngine | None:
    """Return the engine that a call would go to now."""
    return next((engine for engine in chain.engines if not engine.unfit), None)


def _apart(text: str, before: str) -> str:
    """Return `text` so that it does not run into what was said before a tool was used."""
    return f" {text}" if before and not before[-1].isspace() and not text[:1].isspace() else text


def _is_token(item: ReplyItem) -> bool:
    return isinstance(item, Token)


async def _known(text: str) -> AsyncIterator[str | None]:
    yield text
