"""How far the loudspeaker is: what it still holds, and what the person has heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mynah.timeline import now
from mynah.values import WordMark

SLACK_MS: Final = 1.0
"""Room that is as good as there: no timer is worth setting for less."""


class Pacer:
    """Estimates the milliseconds of audio that a loudspeaker holds, and when there is room for more.

    Without acknowledgements the clock tells: audio plays from its arrival on. `buffer_ms` None means that the client
    takes everything at once.
    """

    def __init__(self, buffer_ms: float | None) -> None:
        self._buffer_ms = buffer_ms
        self._level = 0.0
        self._at = now()

    @property
    def level(self) -> float:
        """Milliseconds of audio that have not sounded yet."""
        return max(0.0, self._level - (now() - self._at) * 1000)

    def sent(self, ms: float) -> None:
        """Note that `ms` more were sent."""
        self.correct(self.level + ms)

    def correct(self, level: float) -> None:
        """Set what the loudspeaker holds, as it reported."""
        self._level, self._at = max(0.0, level), now()

    def wait_s(self, ms: float) -> float:
        """Return the seconds until `ms` more fit; 0 where they fit now, or where the buffer is empty."""
        level = self.level
        if self._buffer_ms is None or level == 0:
            return 0.0
        missing = min(level, level + ms - self._buffer_ms)
        return missing / 1000 if missing > SLACK_MS else 0.0


REPORT_LATE_S: Final = 1.0
"""A loudspeaker that should have finished this long ago has, though its last report is missing."""


CLOCK_MARGIN_MS: Final = 10_000.0
"""How far behind the clock a client may turn out to be when it comes back."""


@dataclass(slots=True)
class Playback:
    """How much of one turn's audio was sent and heard, in milliseconds."""

    sent_ms: float = 0.0
    _base_ms: float = 0.0
    _starts_at: float | None = None
    _acknowledged_ms: float | None = None
    _acknowledged_at: float = 0.0

    def sent(self, ms: float, held_ms: float) -> None:
        """Note that `ms` were sent while the loudspeaker held `held_ms` of earlier audio."""
        if self._starts_at is None:
            self._starts_at = now() + held_ms / 1000
        self.sent_ms += ms

    def acknowledge(self, ms: float) -> None:
        """Note that the loudspeaker has played `ms`."""
        self._acknowledged_ms = max(ms, self._acknowledged_ms or 0.0)
        self._acknowledged_at = now()

    def resume(self, ms: float) -> None:
        """Begin again after `ms`, which were heard: a client came back."""
        self._base_ms = self.sent_ms = min(ms, self.sent_ms)
        self._starts_at = self._acknowledged_ms = None

    @property
    def surely_heard_ms(self) -> float:
        """What no client will ask for again: acknowledged, or by the clock well past."""
        if self._acknowledged_ms is not None:
            return min(self._acknowledged_ms, self.sent_ms)
        return max(self._base_ms, self.heard_ms - CLOCK_MARGIN_MS)

    @property
    def heard_ms(self) -> float:
        """What was heard: as acknowledged, else min(sent, elapsed since the first byte)."""
        if self._acknowledged_ms is not None:
            return min(self._acknowledged_ms, self.sent_ms)
        if self._starts_at is None:
            return self._base_ms
        return min(self.sent_ms, self._base_ms + max(0.0, (now() - self._starts_at) * 1000))

    def ended(self, total_ms: float) -> bool:
        """Whether all of a turn's `total_ms` has sounded."""
        left_ms = total_ms - self.heard_ms
        if left_ms <= SLACK_MS:
            return True
        late_s = now() - self._acknowledged_at - left_ms / 1000
        return self._acknowledged_ms is not None and self.sent_ms >= total_ms - SLACK_MS and late_s > REPORT_LATE_S


@dataclass(slots=True)
class VoicedPhrase:
    """A phrase and its audio: where in the turn it begins, how long it lasts so far, and its words' marks."""

    text: str
    start_ms: float = 0.0
    ms: float = 0.0
    marks: list[WordMark] = field(default_factory=list)


def heard_text(phrases: Sequence[VoicedPhrase], heard_ms: float) -> str:
    """Return what of `phrases` a person has heard after `heard_ms`: whole words, by marks or else in proportion."""
    heard: list[str] = []
    for phrase in phrases:
        if heard_ms >= phrase.start_ms + phrase.ms and phrase.ms > 0:
            heard.append(phrase.text)
        elif heard_ms > phrase.start_ms:
            heard.append(_heard_part(phrase, heard_ms - phrase.start_ms))
    return " ".join(part for part in heard if part)


def _heard_part(phrase: VoicedPhrase, ms: float) -> str:
    if phrase.marks:
        end = max((mark.char_end for mark in phrase.marks if mark.end_ms <= ms), default=0)
        return phrase.text[:end].rstrip()
    end = int(len(phrase.text) * ms / phrase.ms)
    if " " not in phrase.text:  # a script without spaces: every character counts
        return phrase.text[:end]
    return phrase.text[: phrase.text.rfind(" ", 0, end + 1) + 1].rstrip()
