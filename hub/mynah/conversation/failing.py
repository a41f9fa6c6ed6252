"""How a turn that failed is told: by a chime to a person who waits, and in words to the client."""

from __future__ import annotations

from collections.abc import Iterator

from mynah.audio.chime import chime as made
from mynah.outputs import Output, SpeechChunk, SpeechEnded, SpeechStarted, Stage, TurnFailed


def failure(
    turn_id: str, message: str, stage: Stage, *, chime: bool, phrase: int, at_ms: float, track: int
) -> Iterator[Output]:
    """Return the last outputs of a turn that failed; the chime is speech without words, as number `phrase`."""
    if chime:
        audio = made("failure")
        yield SpeechStarted(turn_id=turn_id, phrase=phrase, track=track, format=audio.format, at_ms=at_ms)
        yield SpeechChunk(turn_id=turn_id, phrase=phrase, track=track, audio=audio, at_ms=at_ms)
        yield SpeechEnded(turn_id=turn_id, phrase=phrase, track=track, ms=audio.ms)
    yield TurnFailed(turn_id=turn_id, message=message, stage=stage)
