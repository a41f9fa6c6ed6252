"""What a decode gave, and whether to believe it: Whisper makes up text where nobody speaks, and repeats itself."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from mynah_whisper.settling import Word

UNSURE: Final = -1.0
"""The mean log probability of a token below which a text is doubtful, as in OpenAI's own decoder."""
SHORT: Final = 24
"""Characters; a shorter text is not looked at for repetitions, which "no, no, no, no" may hold."""

TICK_S: Final = 0.02
"""How finely Whisper measures time."""

Doubt = Literal["", "no speech", "repetition", "no opinion"]
"""Why not to believe a decode: nobody spoke; it is a loop; it has no words although somebody spoke."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of one decode: its words at seconds of the window, and how sure the model was of it.

    `log_probability` is the mean of its tokens, `no_speech` the probability that nobody spoke.
    """

    words: tuple[Word, ...]
    log_probability: float
    no_speech: float

    @property
    def text(self) -> str:
        """All words as one."""
        return "".join(word.text for word in self.words).strip()

    def moved(self, by_s: float) -> tuple[Word, ...]:
        """Return the words at seconds of the utterance, where the window begins at `by_s`."""
        return tuple(replace(word, start=word.start + by_s, end=word.end + by_s) for word in self.words)


def probability(log_probability: float) -> float:
    """Return a logarithm's probability, 0 to 1."""
    return math.exp(min(0.0, log_probability))


def doubt(decoded: Decoded, *, no_speech: float, repetition: float) -> Doubt:
    """Return why not to believe a decode, or "" where nothing speaks against it."""
    silent = decoded.no_speech > no_speech
    if silent and decoded.log_probability < UNSURE:
        return "no speech"
    if compression(decoded.text) > repetition:
        return "repetition"
    return "no opinion" if not decoded.text and not silent else ""


def compression(text: str) -> float:
    """Return by which factor a text can be compressed; 1 for a short one.

    Each character counts as one byte. In UTF-8 ordinary Hindi, Tamil or Georgian would pass for a loop, as those bytes
    repeat themselves in every character.
    """
    if len(text) < SHORT:
        return 1.0
    codes: dict[str, int] = {}
    data = bytes(codes.setdefault(character, len(codes)) % 256 for character in text)
    return len(data) / len(zlib.compress(data))


def timed(words: Sequence[Word], segments: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words, or the segments that they make where the times of the words are none.

    A model without alignment heads gives all words the same time.
    """
    if not words or words[-1].end - words[0].start < TICK_S * len(words):
        return tuple(segments)
    return tuple(words)
