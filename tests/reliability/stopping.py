"""Turns that are interrupted at random moments, on engines of every kind."""

from __future__ import annotations

import asyncio
import time
from abc import ABC
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mynah_espeak
from mynah.testing import (
    FakeSpeaker,
    ReceivedTurn,
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    run_hub,
    scripted,
)
from mynah.testing.hubs import SPARROW
from reliability.hearing import PLAYS, Heard, recorded
from reliability.quiet import Quiet

REPLY: Final = "Old grey elephants live by the river. They never forget their oldest friends, so they say."
SHORT: Final = "All is well."
TOLERANCE_MS: Final = 40.0
"""What the client's and the hub's idea of a place may differ by: a frame of MP3, and what converting adds."""

PHRASE_MS: Final = 1500.0
"""How long each phrase of the voice without marks is; how much of it was made at a moment only the hub knows."""

CHARACTER_MS: Final = 65.0
"""How long a character takes where a phrase without marks is not complete; as in the hub."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What one interruption did.

    `late_ms` is how long after `interrupt` was sent the last audio came (0: none came after it); `wrong` names what is
    not as it should be; `next_s` is the time until the next turn is heard once it is asked for, `free_s` that until the
    engine was free.
    """

    moment_s: float
    late_ms: float
    next_s: float
    free_s: float
    heard: str
    wrong: tuple[str, ...]


class Stage(ABC):
    """A hub with the engines in question. `longest_s` is when the last interruption may come."""

    name: str
    installed: tuple[str, ...] = ()
    persona = "sparrow"
    engines: Sequence[tuple[str, Any]] = ()
    longest_s = 2.1
    at_once = 4
    slack_ms = 0.0  # what a machine that does much else may be late by

    def __init__(self) -> None:
        self.heard = Heard()
        self.llm = ScriptedLanguageModel((REPLY,))
        self.url = ""
        self.hub: Any = None

    def voice(self) -> Any:
        """Return the scripted voice."""
        return ScriptedTextToSpeech(ms_per_word=150, total_s=0.3, marks=True)

    def specs(self) -> Sequence[Any]:
        (espeak,) = mynah_espeak.mynah_engines()
        return (
            scripted("stt", ScriptedSpeechToText()),
            scripted("llm", self.llm),
            recorded(scripted("tts", self.voice()), self.heard),
            scripted("vad", ScriptedVoiceActivity()),
            recorded(espeak, self.heard),
            SPARROW,
        )

    def config(self) -> Mapping[str, Any]:
        engines: dict[str, list[Any]] = {kind: [f"scripted_{kind}"] for kind in ("stt", "llm", "tts")}
        engines |= {kind: [entry] for kind, entry in self.engines}
        return {
            "persona": self.persona,
            "engines": engines,
            "latency": {"acknowledge_after": None},
            "speech_cache": {"memory_mb": 0, "disk_mb": 0},
        }

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.counterpart())
            installed = ("http", "websocket", *self.installed)
            hub = run_hub(folder, specs=self.specs(), config=self.config(), installed=installed)
            self.hub = await stack.enter_async_context(hub)
            await self.hub.warm(30)
            self.url = self.hub.addresses["http"]
            yield

    async def ask(self, speaker: FakeSpeaker) -> None:
        """Begin a turn."""
        await speaker.send("text", text="What about elephants?")

    def ends(self, text: str) -> Sequence[tuple[int, float]] | None:
        """Return of each word of a phrase how many words end with it and when, in ms; None where nobody knows."""
        marks = self.heard.marks.get(text, {})
        return [(len(text[:end].split()), ms) for end, ms in sorted(marks.items())]

    async def ready(self) -> None:
        """Wait until the engine is as it is where nobody was interrupted for a while."""
        return

    def is_free(self) -> bool:
        """Whether nothing in the engine works on the turn any more."""
        return True

    async def _freed(self, at: float) -> float:
        """Wait until the engine is free; return how long that is after `at`."""
        async with asyncio.timeout(10):
            while not self.is_free():  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.005)
        return time.monotonic() - at

    # ---------------------------------------------------------------- one interruption

    async def stop_at(self, moment_s: float) -> Stop:
        """Interrupt a turn `moment_s` after it was asked for, and have another."""
        await self.ready()
        async with FakeSpeaker(self.url, plays=[PLAYS], buffer_ms=200, playback="real_time") as speaker:
            await self.ask(speaker)
            await asyncio.sleep(moment_s)
            turn = await speaker.until(lambda: next(iter(speaker.turns.values()), None), "the turn")
            played_ms = speaker.loudspeaker.played_ms(turn.id)
            at = time.monotonic()
            await speaker.interrupt()
            await speaker.until(lambda: turn.all("interrupted"), "the end of it", timeout_s=5)
            wrong = self._judge(speaker, turn, played_ms)
            free_s = await self._freed(at)  # before the next turn has its own work for the engine
            next_s = await self._next(speaker, time.monotonic())
            await asyncio.sleep(0.1)
            late_ms = max([0.0, *((piece.at - at) * 1000 for piece in turn.audio if piece.at > at)])
            told_at = turn.all("interrupted")[0].at
            if any(piece.at > told_at for piece in turn.audio):
                wrong.append("audio after it was told that there is no more")
            return Stop(moment_s, late_ms, next_s, free_s, str(turn.last("interrupted")["heard"]), tuple(wrong))

    async def _next(self, speaker: FakeSpeaker, at: float) -> float:
        known = set(speaker.turns)
        await speaker.send("say", text=SHORT)
        new = await speaker.until(
            lambda: next((t for id, t in speaker.turns.items() if id not in known and t.audio), None), "the next turn"
        )
        return float(new.audio[0].at - at)

    def _judge(self, speaker: FakeSpeaker, turn: ReceivedTurn, played_ms: float) -> list[str]:
        wrong: list[str] = []
        told = turn.last("interrupted")
        heard, heard_ms = str(told["heard"]), float(told["heard_ms"])
        if not played_ms - 150 - self.slack_ms <= heard_ms <= played_ms + 60 + self.slack_ms:
            wrong.append(f"{played_ms:.0f} ms were heard, not {heard_ms:.0f}")
        least = self._words(turn, heard_ms - TOLERANCE_MS, PHRASE_MS)
        most = self._words(turn, heard_ms + TOLERANCE_MS, 0.0)
        words = " ".join(turn.phrases).split()
        number = len(heard.split())
        if heard.split() != words[:number] or not least <= number <= most:
            wrong.append(f"after {heard_ms:.0f} ms {heard!r} was heard, not {least} to {most} words of {words}")
        history = self.hub.session(speaker.session_id).describe()["history"]
        if not history:
            wrong += ["no history"] if heard else []
        elif history[-1]["reply"] != heard:
            wrong.append(f"history has {history[-1]['reply']!r} instead of {heard!r}")
        return wrong

    def _words(self, turn: ReceivedTurn, heard_ms: float, made_ms: float) -> int:
        """Return how many words have sounded after `heard_ms`; of a phrase whose end is unknown `made_ms` are made."""
        number = 0
        texts = {int(m.data["phrase"]): str(m.data["text"]) for m in turn.all("phrase")}
        for started in turn.all("speech_started"):
            text, ms = texts[int(started.data["phrase"])], heard_ms - float(started.data["at_ms"])
            if ms <= 0:
                continue
            number += self._words_of(turn, int(started.data["phrase"]), text, ms, made_ms)
        return number

    def _words_of(self, turn: ReceivedTurn, phrase: int, text: str, ms: float, made_ms: float) -> int:
        ended = [float(m.data["ms"]) for m in turn.all("speech_ended") if m.data["phrase"] == phrase]
        if ended and ms >= ended[0]:
            return len(text.split())
        ends = self.ends(text)
        if ends is not None:
            return max((count for count, end in ends if end <= ms), default=0)
        lasts = ended[0] if ended else max(ms, made_ms, len(text) * CHARACTER_MS)
        return text.count(" ", 0, int(len(text) * ms / lasts) + 1)


async def interruptions(stage: Stage, folder: Path, moments: Sequence[float], quiet: Quiet) -> list[Stop]:
    """Interrupt a turn at each of the moments, each in a session of its own."""
    room = asyncio.Semaphore(stage.at_once)

    async def one(moment_s: float) -> Stop:
        async with room, quiet.running():
            return await stage.stop_at(moment_s)

    async with AsyncExitStack() as stack:
        async with quiet.starting():
            await stack.enter_async_context(stage.running(folder))
        return await asyncio.gather(*(one(moment) for moment in moments))
