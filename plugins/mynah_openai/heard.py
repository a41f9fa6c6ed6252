"""The answers of `/audio/transcriptions` in all the forms in use, as transcripts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from mynah import Transcript
from mynah_openai.languages import tag_of

NOTHING_SAID: Final = 0.6
UNSURE: Final = -1.0
"""Whisper's own limits: a segment that is likelier than the first to hold no speech, and whose words are less sure than
the second, is noise put into words."""


def whole(body: bytes) -> Transcript:
    """Return the final transcript that a plain answer holds: JSON of either kind, or text."""
    text = body.decode("utf-8-sig").strip()
    try:
        answer = json.loads(text)
    except ValueError:
        return Transcript(text, final=True)
    if isinstance(answer, str):
        return Transcript(answer.strip(), final=True)
    if not isinstance(answer, Mapping):  # someone said a number, in plain text
        return Transcript(text, final=True)
    return _final(answer)


class Listening:
    """Puts a streamed transcript together, whichever events tell it."""

    def __init__(self) -> None:
        self._text = ""
        self._done: Transcript | None = None

    def feed(self, event: Any) -> Transcript | None:
        """Take one event; return a partial transcript if there is something new."""
        if not isinstance(event, Mapping):
            return None
        kind = event.get("type")
        if kind == "transcript.text.done":
            self._done = _final(event)
        elif kind == "transcript.text.delta":
            return self._more(_text(event.get("delta")))
        elif isinstance(choices := event.get("choices"), list):  # vLLM's chunks are those of its chat
            delta = choices[0].get("delta") if choices and isinstance(choices[0], Mapping) else None
            return self._more(_text(delta.get("content")) if isinstance(delta, Mapping) else "")
        elif kind is None and "text" in event:  # a segment
            text = _text(event["text"])
            gap = " " if self._text and text and not (self._text[-1].isspace() or text[0].isspace()) else ""
            return self._more(gap + text)
        return None

    def final(self) -> Transcript:
        """Return the final transcript, once the stream has ended."""
        return self._done or Transcript(self._text.strip(), final=True)

    def _more(self, text: str) -> Transcript | None:
        self._text += text
        return Transcript(self._text.strip()) if text.strip() else None


def _final(answer: Mapping[str, Any]) -> Transcript:
    segments = answer.get("segments")
    segments = [each for each in segments if isinstance(each, Mapping)] if isinstance(segments, list) else []
    text = _text(answer.get("text")).strip()
    if segments and all(map(_is_noise, segments)):
        text = ""
    return Transcript(
        text, final=True, confidence=_confidence(segments), language=tag_of(_text(answer.get("language")))
    )


def _is_noise(segment: Mapping[str, Any]) -> bool:
    return _number(segment, "no_speech_prob", 0.0) > NOTHING_SAID and _number(segment, "avg_logprob", 0.0) < UNSURE


def _confidence(segments: list[Mapping[str, Any]]) -> float | None:
    """Return the mean probability of a token, each segment by its length."""
    told = [each for each in segments if isinstance(each.get("avg_logprob"), int | float)]
    lengths = [max(_number(each, "end", 0.0) - _number(each, "start", 0.0), 0.01) for each in told]
    if not told:
        return None
    sure = sum(length * float(each["avg_logprob"]) for length, each in zip(lengths, told, strict=True)) / sum(lengths)
    return min(max(math.exp(min(sure, 0.0)), 0.0), 1.0)


def _number(segment: Mapping[str, Any], key: str, default: float) -> float:
    value = segment.get(key)
    return float(value) if isinstance(value, int | float) else default


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
