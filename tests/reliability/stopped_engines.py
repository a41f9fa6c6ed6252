"""The hubs whose turns are interrupted: one for each kind of engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from counterparts import edge, openai_server
from mynah import EngineSpec, Voice, WorkerPool
from mynah.testing import FakeSpeaker
from reliability.hearing import recorded
from reliability.rig import SECRET
from reliability.stopping import PHRASE_MS, REPLY, SHORT, Stage
from reliability.whisper import WhisperRig
from reliability.words import question


async def complete(pool: WorkerPool) -> None:
    """Wait until all of a pool of two stand by, the spare workers too: they start in the background."""
    async with asyncio.timeout(30):
        while pool._ready.qsize() < 4:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


class ScriptedStage(Stage):
    """A voice with word marks."""

    name = "scripted"


class EspeakStage(Stage):
    name = "espeak"
    engines = (("tts", "espeak"),)


class FactsStage(Stage):
    """The embedded answerer; most of its moments are within what it takes to answer."""

    name = "facts"
    installed = ("facts", "zoo_guide")
    persona = "zoo_guide"
    engines = (("llm", "facts"),)
    longest_s = 0.8

    async def ask(self, speaker: FakeSpeaker) -> None:
        await speaker.send("text", text="What do red pandas eat?")


class PocketsphinxStage(FactsStage):
    """The embedded recogniser, interrupted while it finishes, and after."""

    name = "pocketsphinx"
    installed = ("facts", "zoo_guide", "pocketsphinx")
    engines = (("stt", "pocketsphinx"), ("llm", "facts"))
    longest_s = 1.6
    at_once = 1

    async def ready(self) -> None:
        await complete(self.hub._chains["stt"].engines[0].engine._pool)

    def is_free(self) -> bool:
        pool = self.hub._chains["stt"].engines[0].engine._pool
        return pool.free == 2

    async def ask(self, speaker: FakeSpeaker) -> None:
        await speaker.listen()
        for piece in question():
            await speaker.feed(piece)
        await speaker.end_listening()


class EdgeStage(Stage):
    name = "edge_tts"
    installed = ("edge_tts",)
    engines = (("tts", "edge_tts"),)
    at_once = 2  # with more, the next turn would wait for other sessions' phrases

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        async with edge.edge_server(edge.Script(first_s=0.05, total_s=0.8, word_ms=150)) as self.server:
            yield

    def ends(self, text: str) -> Sequence[tuple[int, float]]:
        return list(enumerate(edge.word_ends(text, 150), 1))


class OpenAIStage(Stage):
    """The language model and the voice of one server; no word marks."""

    name = "openai"
    installed = ("openai",)

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        async with openai_server.OpenAIServer(SECRET) as self.server:
            tokens = [f"{word} " for word in REPLY.split()]
            self.server.chat = openai_server.Script(tokens=tokens, first_s=0.1, each_s=0.04)
            self.server.speech = openai_server.Script(
                audio=[openai_server.tone(PHRASE_MS / 15)] * 15, first_s=0.05, each_s=0.05
            )
            entry = {"engine": "openai", "base_url": self.server.base_url, "model": "tiny", "api_key": SECRET}
            self.engines = (("llm", entry), ("tts", entry))
            yield

    def ends(self, text: str) -> None:
        return None

    def is_free(self) -> bool:
        """Every answer is complete, or was hung up on, so that the server may stop."""
        chats = self.server.asked("completions")
        return self.at_once > 1 or all(each.done or each.disconnected.is_set() for each in chats)


class WhisperStage(PocketsphinxStage):
    """Whisper, each of whose decodes takes long, interrupted in the middle of them."""

    name = "whisper"
    installed = ("facts", "zoo_guide", "whisper")
    longest_s = 1.2

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        rig = WhisperRig(standby=False)
        async with rig.counterpart():
            rig.model.fault, rig.model.slow_s = "drip", 0.3
            self.engines = (("stt", rig.entry), ("llm", "facts"))
            yield

    async def ready(self) -> None:
        return

    def is_free(self) -> bool:
        engine = self.hub._chains["stt"].engines[0].engine
        return engine._slots.free == 2


class WorkerStage(Stage):
    """A voice that blocks in C for 5 s, with Python's lock held, in the middle of every phrase."""

    name = "worker"
    engines = (("tts", "worker"),)
    longest_s = 0.6
    at_once = 1

    def __init__(self) -> None:
        super().__init__()
        self.llm.tokens = ["Old grey elephants live."]

    def specs(self) -> Sequence[Any]:
        return (*super().specs(), recorded(EngineSpec(name="worker", kind="tts", open=self._open), self.heard))

    async def ready(self) -> None:
        await complete(self._pool)

    def is_free(self) -> bool:
        return self._pool.free == 2

    @asynccontextmanager
    async def _open(self, config: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
        async with WorkerPool("reliability.worker_voice:WorkerVoice", (150, 0), size=2) as self._pool:
            yield _Blocking(self._pool)


@dataclass(frozen=True, slots=True)
class _Blocking:
    pool: WorkerPool

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[Any]:
        fault = "" if text == SHORT else "hang"
        async with aclosing(self.pool.stream("say", None, text, fault, 2)) as items:
            async for item in items:
                yield item


STAGES: Final[tuple[type[Stage], ...]] = (
    ScriptedStage, EspeakStage, FactsStage, PocketsphinxStage, EdgeStage, OpenAIStage, WhisperStage, WorkerStage,
)  # fmt: skip
