"""What is to be measured, how often, and on which engines."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from mynah.audio import LISTENING, AudioFormat, read_audio
from mynah.testing.calls import Calls, scripts_folder
from mynah.testing.processes import HubProcess, hub_process

PLAYS: Final = AudioFormat("pcm_s16le", 16_000, 1)
"""What the scripted voice makes, so that its bytes pass through untouched."""

TOKENS: Final = ("Lions", " eat", " {}", ",", " zebras", " and", " more", ".")
"""The scripted reply: its first phrase is complete with the fourth token."""

REAL_QUESTION: Final = "What do red pandas eat?"
RECORDED_QUESTION: Final = Path(__file__).parents[1] / "cli" / "question.wav"
FRAME_MS: Final = 20.0

Kind = Literal["stt", "llm", "tts"]
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Times:
    """What the scripted engines take, in milliseconds: the figures of a good recogniser, model and voice.

    The first token comes after `llm_first`, each further one `llm_each` later; the first piece of a phrase's audio
    after `tts_first`, the last after `tts_total`; the transcript `stt_final` after the end of speech.
    """

    stt_final: float = 0.0
    llm_first: float = 95.0
    llm_each: float = 40.0
    tts_first: float = 50.0
    tts_total: float = 100.0

    def script(self, kind: Kind) -> dict[str, Any]:
        """Return the options of a scripted engine."""
        if kind == "stt":
            return {"final_s": self.stt_final / 1000}
        if kind == "llm":
            return {"first_s": self.llm_first / 1000, "each_s": self.llm_each / 1000, "tokens": list(TOKENS)}
        return {"first_s": self.tts_first / 1000, "total_s": max(self.tts_first, self.tts_total) / 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a scenario is given; `mynah.Bench` is what plugins see of it.

    `real` means the engines of the configuration `file`, or the embedded ones where that is None. `tell` takes a few
    words on what is being done.
    """

    runs: int
    sessions: Sequence[int]
    folder: Path
    times: Times = field(default_factory=Times)
    real: bool = False
    file: Path | None = None
    tell: Callable[[str], None] = lambda text: None

    @property
    def question(self) -> str:
        """What is asked, before the word that tells one question from the other."""
        return REAL_QUESTION if self.real else "what do lions eat"

    def rounds(self, sessions: int) -> int:
        """Return how often each of so many sessions is to do a thing: `runs` in all, but each three times at least."""
        return max(3, -(-self.runs // sessions)) if sessions > 1 else self.runs

    def script(self, **engines: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration on scripted engines; `llm={...}` and so on replace single options of theirs."""
        kinds: tuple[Kind, ...] = ("stt", "llm", "tts")
        entries = {
            kind: [{"engine": f"script_{kind}", **self.times.script(kind), **engines.get(kind, {})}] for kind in kinds
        }
        return {
            "plugins": {"folder": str(scripts_folder())},
            "persona": "sparrow",
            "engines": entries,
            "sessions": {"max": 1000},
        }

    @asynccontextmanager
    async def hub(self, config: Mapping[str, Any] | None = None) -> AsyncIterator[tuple[HubProcess, Calls]]:
        """Run a hub on `config`, else on the real engines or the script; give it and what its engines wrote down."""
        chosen: Mapping[str, Any] | Path = config if config is not None else self.script()
        if config is None and self.real:
            chosen = self.file.resolve() if self.file else {}
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        async with hub_process(folder, chosen) as hub:
            yield hub, Calls(hub.data / "engines")


Measure = Callable[[Plan], Awaitable[Rows]]
"""What a scenario does."""


def spoken_question() -> list[bytes]:
    """Return the recorded question, in frames of `LISTENING` audio."""
    pcm = b"".join(chunk.data for chunk in read_audio(RECORDED_QUESTION, LISTENING))
    step = LISTENING.pcm_bytes(FRAME_MS)
    return [pcm[start : start + step] for start in range(0, len(pcm), step)]
