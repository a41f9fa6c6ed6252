"""A hub with one engine that breaks on demand, and everything else in order."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
from reliability.cells import FIRST_S, NEXT_S, STANDBY, TOTAL_S, Cell, expected, is_logged
from reliability.hearing import PLAYS, Heard, chimed, recorded
from reliability.seen import Lines, Seen, not_listening

SECRET: Final = "sk-nobody-must-ever-see-this"
WAIT_S: Final = 30.0
BASE: Final = ("http", "websocket")


class Rig(ABC):
    """One engine in one hub. `standby`: the embedded engine of its kind is configured behind it.

    `plugins` and `entry` are the engine's, `persona` who speaks; `paced` makes the loudspeaker take its time.
    """

    stage: str
    plugins: tuple[str, ...] = ()
    persona: str = "sparrow"
    paced: bool = False

    def __init__(self, *, standby: bool) -> None:
        self.standby = standby
        self.heard = Heard()
        self.llm = ScriptedLanguageModel()
        self.url = ""
        self.hub: Any = None

    @property
    def kind(self) -> str:
        return self.stage.split()[1]

    @property
    def engine(self) -> str:
        return self.stage.split()[0]

    # ---------------------------------------------------------------- what each is

    @property
    @abstractmethod
    def entry(self) -> Mapping[str, Any]:
        """The engine's entry in the configuration."""

    @abstractmethod
    def spoil(self, cell: Cell) -> None:
        """Put the fault in."""

    @abstractmethod
    def mend(self) -> None:
        """Take the fault out."""

    @abstractmethod
    async def ask(self, speaker: FakeSpeaker) -> ReceivedTurn:
        """Have a turn."""

    async def ask_again(self, speaker: FakeSpeaker) -> ReceivedTurn:
        """Have the turn after it."""
        return await self.ask(speaker)

    @abstractmethod
    def judge(self, seen: Seen, turn: ReceivedTurn) -> None:
        """Say what the listener got."""

    @abstractmethod
    def recovered_at(self, turn: ReceivedTurn) -> float:
        """Return when the next engine's first output came."""

    def specs(self) -> Sequence[Any]:
        """Return the specs of what is not installed as a plugin."""
        return ()

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        """Run what the engine talks to."""
        yield

    # ---------------------------------------------------------------- the same for all

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[None]:
        """Run the hub, ready and warm."""
        async with AsyncExitStack() as stack:
            with not_listening():  # what the counterpart says of its own faults is none of the hub's
                await stack.enter_async_context(self.counterpart())
            self.mend()
            config, specs = self.config(), self._all_specs()
            async with run_hub(folder, specs=specs, config=config, installed=(*BASE, *self.plugins)) as hub:
                await hub.warm(WAIT_S)
                self.hub, self.url = hub, hub.addresses["http"]
                yield

    def config(self) -> Mapping[str, Any]:
        """Return what the hub's configuration file holds."""
        own = {"first_timeout": FIRST_S, "next_timeout": NEXT_S, "failures": 1000, **self.entry}
        engines: dict[str, list[Any]] = {kind: [f"scripted_{kind}"] for kind in ("stt", "llm", "tts")}
        engines[self.kind] = [own, STANDBY[self.kind]] if self.standby else [own]
        if self.kind == "llm":
            engines["tts"] = ["espeak"]
        return {
            "persona": self.persona,
            "engines": engines,
            "limits": {"transcribe": TOTAL_S["stt"], "reply": TOTAL_S["llm"], "speak": TOTAL_S["tts"]},
            "latency": {"early_phrase": self.kind == "llm", "acknowledge_after": None},
            "speech_cache": {"memory_mb": 0, "disk_mb": 0},
        }

    def _all_specs(self) -> Sequence[Any]:
        others = [
            scripted("stt", ScriptedSpeechToText()),
            scripted("llm", self.llm),
            scripted("tts", ScriptedTextToSpeech()),
            scripted("vad", ScriptedVoiceActivity()),
        ]
        (espeak,) = mynah_espeak.mynah_engines()
        return (*others, recorded(espeak, self.heard), SPARROW, *self.specs())

    def speaker(self) -> FakeSpeaker:
        """Return a speaker that is not connected yet."""
        if self.paced:
            return FakeSpeaker(self.url, plays=[PLAYS], buffer_ms=200, playback="real_time")
        return FakeSpeaker(self.url, plays=[PLAYS])

    async def see(self, cell: Cell, lines: Lines) -> Seen:
        """Have a turn with the fault, and one without it in the same session."""
        self.spoil(cell)
        self.heard.forget()
        lines.clear()
        seen = Seen(cell)
        async with self.speaker() as speaker:
            began = time.monotonic()
            turn = await self.ask(speaker)
            limit = FIRST_S if cell.fault in ("hang", "drip") and cell.when == "before" else 0.0
            seen.silent_s = turn.audio[0].at - began - limit if turn.audio else 0.0
            seen.gap_ms = speaker.loudspeaker.gap_ms
            self._look(seen, turn, lines)
            self.judge(seen, turn)
            self._compare_history(seen, speaker, turn)
            seen.expect(seen.heard == expected(cell), f"heard {seen.heard!r}, not {expected(cell)!r}")
            self.mend()
            after = await self.ask_again(speaker)
            answered = after.last("turn_finished").get("engines", {}).get(self.kind)
            seen.expect(answered == self.engine, f"the next turn: {answered}, {after.last('turn_failed')}")
        return seen

    def _look(self, seen: Seen, turn: ReceivedTurn, lines: Lines) -> None:
        seen.end = next(m.name for m in turn.messages if m.name in ("turn_finished", "turn_failed"))
        ended = seen.end == "turn_finished"
        seen.expect(chimed(turn) is not ended, f"chime: {chimed(turn)} at {seen.end}")
        failed = f"{self.kind} engine {self.engine} failed: "
        told = [(at, r) for at, r in lines if r.getMessage().startswith(failed)]
        seen.log = told[0][1].getMessage().removeprefix(failed) if told else ""
        others = [r.getMessage() for _, r in lines if r not in [record for _, record in told]]
        others = [line for line in others if not (line.startswith("session ") and " failed: " in line and not ended)]
        seen.expect(not others, f"more in the log: {others}")
        seen.expect(
            len(told) == is_logged(seen.cell), f"{len(told)} lines in the log: {[r.getMessage() for _, r in told]}"
        )
        seen.expect(not any(r.exc_info for _, r in lines), "a traceback in the log")
        seen.expect("\n" not in seen.log and len(seen.log) < 300, "more than a line in the log")
        public = repr([m.data for m in turn.messages]) + repr([r.getMessage() for _, r in lines])
        seen.expect(SECRET not in public, "a secret was told")
        if told:
            self._time(seen, turn, told[0][0])

    def _time(self, seen: Seen, turn: ReceivedTurn, noticed_at: float) -> None:
        if seen.end == "turn_finished":
            # Nobody can go on with what has not been said yet.
            asked_at = next((m.at for m in turn.all("stage") if m.data["stage"] == "transcribing"), 0.0)
            seen.within_s = max(0.0, self.recovered_at(turn) - max(noticed_at, asked_at))
            return
        words = {int(message.data["phrase"]) for message in turn.all("phrase")}
        sounded = [piece.at for piece in turn.audio if piece.phrase in words]
        chime_at = next(piece.at for piece in turn.audio if piece.phrase not in words)
        seen.within_s = chime_at - max([noticed_at, *sounded])

    def _compare_history(self, seen: Seen, speaker: FakeSpeaker, turn: ReceivedTurn) -> None:
        if self.kind == "stt" and not turn.transcript:
            return  # nothing was said, as far as is known
        history = self.hub.session(speaker.session_id).describe()["history"]
        reply = history[-1]["reply"] if history else ""
        whole = str(turn.last("turn_finished").get("reply", ""))
        if seen.end == "turn_finished":
            seen.expect(reply == whole, f"history has {reply!r}")
        else:
            seen.expect(turn.reply.startswith(reply), f"history has {reply!r} of {turn.reply!r}")
