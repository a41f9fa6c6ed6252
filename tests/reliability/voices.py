"""The voices that break: Edge's service, an OpenAI-compatible one, and one in a worker process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from counterparts import edge, openai_server
from mynah import EngineSpec, Voice
from mynah.testing import FakeSpeaker, ReceivedTurn
from reliability.cells import DRIP_S, UNNOTICED, Cell
from reliability.hearing import EDGE_HZ, OPENAI_HZ, PLAYS, WORKER_HZ, spoken, tone_ms
from reliability.rig import SECRET, WAIT_S, Rig
from reliability.seen import Seen

WORD_MS: Final = 150
REPLY: Final = "Old grey elephants live by the wide river and never forget friends."
PAUSE_MS: Final = 150
AMID: Final = 8
"""Words after which it breaks in the middle: what was not sent by then is more than it takes to notice."""


class VoiceRig(Rig):
    """A voice; the reply is one phrase of twelve words, of 150 ms each in the counterpart's voice."""

    hertz: float
    paced = True
    lead_ms = 0.0

    async def ask(self, speaker: FakeSpeaker) -> ReceivedTurn:
        self.llm.tokens = [REPLY]
        return await speaker.ask_text("What about elephants?", timeout_s=WAIT_S)

    async def ask_again(self, speaker: FakeSpeaker) -> ReceivedTurn:
        self.llm.tokens = ["All is well."]
        return await speaker.ask_text("And now?", timeout_s=WAIT_S)

    def judge(self, seen: Seen, turn: ReceivedTurn) -> None:
        audio, words = spoken(turn), REPLY.split()
        first_ms, all_ms = tone_ms(audio, self.hertz), PLAYS.pcm_ms(len(audio))
        begun = min(len(words), int((first_ms - self.lead_ms + 0.35 * WORD_MS) / WORD_MS)) if first_ms else 0
        rest = " ".join(self.heard.texts).split()
        pauses = " with pauses" if seen.gap_ms > PAUSE_MS and seen.cell.fault == "drip" else ""
        if rest:
            who = f"begun by {self.engine}, the rest by espeak" if begun else "by espeak"
            seen.heard = f"all of it{pauses}, {who}"
            seen.expect(words[:begun] + rest == words, f"{begun} words by {self.engine}, then {' '.join(rest)!r}")
            seen.expect(abs(all_ms - first_ms - self.heard.ms) < 100, f"{all_ms - first_ms:.0f} ms of espeak's speech")
        elif seen.end == "turn_finished":
            seen.heard = f"all of it, by {self.engine}" if begun == len(words) else UNNOTICED
        else:
            seen.heard = f"its beginning{pauses}, then the chime" if begun else "the chime"
            seen.expect(abs(all_ms - first_ms) < 60, f"{all_ms - first_ms:.0f} ms of something else")

    def recovered_at(self, turn: ReceivedTurn) -> float:
        return turn.first_audio_at or float("inf")


class EdgeRig(VoiceRig):
    stage = "edge_tts tts"
    plugins = ("edge_tts",)
    hertz = EDGE_HZ
    lead_ms = edge.LEAD_MS

    def __init__(self, *, standby: bool) -> None:
        super().__init__(standby=standby)
        self.server: Any = None

    @property
    def entry(self) -> Mapping[str, Any]:
        return {"engine": "edge_tts"}

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        async with edge.edge_server() as self.server:
            yield

    def mend(self) -> None:
        self.server.script = edge.Script(word_ms=WORD_MS)

    def spoil(self, cell: Cell) -> None:
        frames = int((edge.LEAD_MS + AMID * WORD_MS) / edge.FRAME_MS)
        after = frames * edge.FRAME_BYTES if cell.when == "amid" else 0
        chunks = len(self.server.audio(REPLY, WORD_MS)) / (5 * edge.FRAME_BYTES)
        noise: edge.Fault = "malformed" if after else "noise"
        self.server.script = {
            "refuse": edge.Script(word_ms=WORD_MS, status=403),
            "kill": edge.Script(word_ms=WORD_MS, fault="drop", after=after),
            "hang": edge.Script(word_ms=WORD_MS, fault="hang", after=after),
            "garbage": edge.Script(word_ms=WORD_MS, fault=noise, after=after),
            "drip": edge.Script(word_ms=WORD_MS, total_s=DRIP_S * chunks) if after else edge.Script(first_s=3.0),
        }[cell.fault]


def openai_entry(server: openai_server.OpenAIServer) -> Mapping[str, Any]:
    return {"engine": "openai", "base_url": server.base_url, "model": "tiny", "api_key": SECRET}


def openai_script(cell: Cell, after: int, **more: Any) -> openai_server.Script:
    """Return how the server breaks after so many outputs, or before the first."""
    amid = cell.when == "amid"
    echo = {"error": {"message": f"no luck today with {SECRET}"}}
    return openai_server.Script(
        **more,
        **{
            "refuse": {"status": 500, "body": echo},
            "kill": {"fault": "cut", "after": after} if amid else {"fault": "drop"},
            "hang": {"fault": "drip", "after": after} if amid else {"fault": "hang"},
            "garbage": {"fault": "garbage", "after": after} if amid else {"fault": "html"},
            "drip": {"each_s": DRIP_S} if amid else {"first_s": 3.0},
        }[cell.fault],
    )


class OpenAIVoiceRig(VoiceRig):
    stage = "openai tts"
    plugins = ("openai",)
    hertz = OPENAI_HZ

    def __init__(self, *, standby: bool) -> None:
        super().__init__(standby=standby)
        self.server = openai_server.OpenAIServer(SECRET)
        self.audio = [openai_server.tone(WORD_MS / 3 * 2)] * 18

    @property
    def entry(self) -> Mapping[str, Any]:
        return openai_entry(self.server)

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        async with self.server:
            yield

    def mend(self) -> None:
        self.server.speech = openai_server.Script(audio=self.audio)

    def spoil(self, cell: Cell) -> None:
        self.server.speech = openai_script(cell, 12, audio=self.audio)


class WorkerVoiceRig(VoiceRig):
    """A voice that holds Python's lock in its worker process: it can be killed, not stopped."""

    stage = "worker tts"
    hertz = WORKER_HZ

    def __init__(self, *, standby: bool) -> None:
        super().__init__(standby=standby)
        self.fault, self.after = "", 0
        self.pool: Any = None

    @property
    def entry(self) -> Mapping[str, Any]:
        return {"engine": "worker"}

    def specs(self) -> Sequence[Any]:
        return (EngineSpec(name="worker", kind="tts", open=self._open, cached=False),)

    def mend(self) -> None:
        self.fault = ""

    def spoil(self, cell: Cell) -> None:
        self.fault, self.after = cell.fault, AMID if cell.when == "amid" else 0

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[Any]:
        """Yield what a worker makes of it."""
        async with aclosing(self.pool.stream("say", None, text, self.fault, self.after)) as items:
            async for item in items:
                yield item

    @asynccontextmanager
    async def _open(self, config: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
        from mynah import WorkerPool

        async with WorkerPool("reliability.worker_voice:WorkerVoice", (WORD_MS, DRIP_S), size=2) as self.pool:
            yield self
