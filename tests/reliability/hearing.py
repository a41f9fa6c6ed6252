"""What came out of the loudspeaker: each counterpart's voice is a tone of its own, by which it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from mynah import AudioFormat, EngineSpec, WordMark
from mynah.testing import ReceivedTurn

PLAYS: Final = AudioFormat("pcm_s16le", 24_000, 1)
WINDOW_MS: Final = 20
PURE: Final = 0.1
"""The part of a tone's energy that may be something else."""

EDGE_HZ: Final = 220.0
OPENAI_HZ: Final = 24_000 / (20 * np.pi)
WORKER_HZ: Final = 300.0


def tone_ms(pcm: bytes, hertz: float) -> float:
    """Return where in `PLAYS` audio the tone ends; 0 where there is none. It may be heard only once."""
    size = PLAYS.pcm_bytes(WINDOW_MS) // 2
    samples = np.frombuffer(pcm, "<i2").astype(float)
    places = [at for at in range(0, len(samples) - size + 1, size) if _is_tone(samples[at : at + size], hertz)]
    if not places:
        return 0.0
    holes = [b - a for a, b in pairwise(places) if b - a > 4 * size]
    assert not holes, f"the tone of {hertz:.0f} Hz was heard in several places: {places}"
    return PLAYS.pcm_ms(2 * (places[-1] + size))


def _is_tone(window: Any, hertz: float) -> bool:
    energy = float(window @ window)
    if energy < 1e6 * len(window):  # silence
        return False
    angle = np.arange(len(window)) * 2 * np.pi * hertz / PLAYS.rate
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    rest = window - waves @ np.linalg.lstsq(waves, window, rcond=None)[0]
    return float(rest @ rest) < PURE * energy


def spoken(turn: ReceivedTurn) -> bytes:
    """Return the audio of the turn's phrases."""
    words = {int(message.data["phrase"]) for message in turn.all("phrase")}
    return b"".join(piece.data for piece in turn.audio if piece.phrase in words)


def chimed(turn: ReceivedTurn) -> bool:
    """Whether a chime was heard: speech that belongs to no phrase."""
    words = {int(message.data["phrase"]) for message in turn.all("phrase")}
    return any(piece.phrase not in words for piece in turn.audio)


@dataclass(slots=True)
class Heard:
    """What a voice was asked to say, how long the audio of all of that is, and the marks in each text."""

    texts: list[str] = field(default_factory=list)
    ms: float = 0.0
    marks: dict[str, dict[int, float]] = field(default_factory=dict)

    def forget(self) -> None:
        self.texts.clear()
        self.ms = 0.0


def recorded(spec: EngineSpec, heard: Heard) -> EngineSpec:
    """Return the voice of `spec`, the real one, with everything that it says noted in `heard`."""

    @asynccontextmanager
    async def open_it(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
        async with spec.open(config, folder) as engine:
            yield _Recorded(engine, heard)

    return replace(spec, open=open_it, cached=False)


@dataclass(slots=True)
class _Recorded:
    engine: Any
    heard: Heard

    async def synthesize(self, text: str, **how: Any) -> AsyncIterator[Any]:
        self.heard.texts.append(text)
        async with aclosing(self.engine.synthesize(text, **how)) as items:
            async for item in items:
                if isinstance(item, WordMark):
                    self.heard.marks.setdefault(text, {})[item.char_end] = item.end_ms
                else:
                    self.heard.ms += item.ms
                yield item
