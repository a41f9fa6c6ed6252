"""How far the loudspeaker is: what it still holds, and what the person has heard."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
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
        self._through_at = now()
        self._pause = (0.0, 0.0)

    @property
    def level(self) -> float:
        """Milliseconds of audio that have not sounded yet."""
        at = now()
        return max(0.0, (self._through_at - at - self._pause_s(at)) * 1000)

    @property
    def through_ms(self) -> float:
        """Milliseconds until all of it has sounded."""
        return max(0.0, (self._through_at - now()) * 1000)

    def pause_until(self, at: float) -> None:
        """Note that what is sent next will not sound before `at`; a time that is far off is not believed."""
        begins = max(now(), self._through_at)
        if begins < at <= begins + LONGEST_PAUSE_S:
            self._pause, self._through_at = (begins, at), at

    def sent(self, ms: float) -> None:
        """Note that `ms` more were sent."""
        self._through_at = max(self._through_at, now()) + ms / 1000

    def correct(self, level: float) -> None:
        """Set what the loudspeaker holds, as it reported."""
        at = now()
        self._through_at = at + self._pause_s(at) + max(0.0, level) / 1000

    def wait_s(self, ms: float) -> float:
        """Return the seconds until `ms` more fit; 0 where they fit now, or where the buffer is empty."""
        level = self.level
        if self._buffer_ms is None or level == 0:
            return 0.0
        missing = min(level, level + ms - self._buffer_ms)
        begins, _ = self._pause
        silent_s = self._pause_s(now()) if begins <= now() else 0.0
        return missing / 1000 + silent_s if missing > SLACK_MS else 0.0

    def _pause_s(self, at: float) -> float:
        begins, ends = self._pause
        return max(0.0, ends - max(at, begins))


LONGEST_PAUSE_S: Final = 30.0
"""How long audio waits for its time at most; a client may say any time."""

REPORT_LATE_S: Final = 1.0
"""A loudspeaker that should have finished this long ago has, though its last report is missing."""

CLOCK_MARGIN_S: Final = 10.0
"""How far behind the clock a client may turn out to be when it comes back."""

SAMPLE_MS: Final = 0.25
"""The longest sample there is, at 4 kHz."""

ROUNDING_MS: Final = 0.001
"""Places are sums of lengths that have no exact number: a difference that is none, far below a sample."""


@dataclass(slots=True)
class Playback:
    """How far the audio of one track of a turn was sent and heard, as places in what was sent, in milliseconds.

    A track `beside` the turn's main one is heard at the same time: clients do not report on it.

    Reports tell what was heard; without any the clock does: what was sent sounds one after the other, gaps left out.
    What is sent is not as long as what was made, to the sample, where it is converted: `made_ms` tells the one place
    from the other.
    """

    beside: bool = False
    sent_ms: float = 0.0
    _known_ms: float = 0.0
    _reported: bool = False
    _resumed: bool = False
    _through_at: float = 0.0
    _joints: list[tuple[float, float]] = field(default_factory=list)

    def sent(self, ms: float, left_ms: float) -> None:
        """Note that `ms` more were sent, and that the loudspeaker has `left_ms` to go until all has sounded."""
        self.sent_ms += ms
        self._through_at = now() + left_ms / 1000

    def join(self, made_ms: float) -> None:
        """Note that what is sent next is from `made_ms` on of the audio as it was made."""
        ahead_ms = self.made_ms(self.sent_ms) - made_ms
        if self._resumed and 0 < ahead_ms < SAMPLE_MS:
            self.sent_ms = self._known_ms = self.sent_ms - ahead_ms  # it came back to the middle of a sample
        elif abs(ahead_ms) > ROUNDING_MS:
            self._joints.append((self.sent_ms, made_ms))
        self._resumed = False

    def made_ms(self, place_ms: float) -> float:
        """Return where in the audio as it was made the place `place_ms` is."""
        index = bisect_right(self._joints, place_ms, key=itemgetter(0))
        place, made = self._joints[index - 1] if index else (0.0, 0.0)
        return made + place_ms - place

    def acknowledge(self, ms: float) -> None:
        """Note that the loudspeaker has played `ms`."""
        self._known_ms = max(self._known_ms, min(max(0.0, ms), self.sent_ms))
        self._reported = True
        self._through_at = now() + (self.sent_ms - self._known_ms) / 1000

    def resume(self, ms: float) -> None:
        """Begin again after `ms`, which were heard: a client came back."""
        self._known_ms = self.sent_ms = min(max(0.0, ms), self.sent_ms)
        del self._joints[bisect_right(self._joints, self.sent_ms, key=itemgetter(0)) :]
        self._reported, self._resumed = False, True
        self._through_at = now()

    def _sounded_ms(self, at: float) -> float:
        return max(self._known_ms, self.sent_ms - max(0.0, self._through_at - at) * 1000)

    @property
    def heard_ms(self) -> float:
        """What was heard: as reported, else by the clock."""
        return self._known_ms if self._reported else self._sounded_ms(now())

    @property
    def surely_heard_ms(self) -> float:
        """What no client will ask for again: reported, or by the clock well past."""
        return self._sounded_ms(now() - CLOCK_MARGIN_S)

    @property
    def held_ms(self) -> float:
        """What was sent and has not sounded yet, by the clock since the last report."""
        return self.sent_ms - self._sounded_ms(now())

    @property
    def ended(self) -> bool:
        """Whether all that was sent has sounded; a last report that is missing is waited for only so long."""
        missing = self._reported and self.sent_ms - self._known_ms > SLACK_MS
        return now() - self._through_at >= (REPORT_LATE_S if missing else -SLACK_MS / 1000)


CHARACTER_MS: Final = 65.0
"""How long a character of speech takes where nothing of the reply tells; a spaceless script's takes longer."""


@dataclass(slots=True)
class VoicedPhrase:
    """A phrase and its audio: where in the turn it begins, how long it lasts so far, and its words' marks.

    `complete` says that all of it was made.
    """

    text: str
    start_ms: float = 0.0
    ms: float = 0.0
    marks: list[WordMark] = field(default_factory=list)
    complete: bool = False


def heard_text(phrases: Sequence[VoicedPhrase], heard_ms: float) -> str:
    """Return what of `phrases` a person has heard after `heard_ms`: whole words, by marks or else in proportion."""
    heard: list[str] = []
    for phrase in phrases:
        ms = min(heard_ms - phrase.start_ms, phrase.ms)
        if ms >= phrase.ms - SLACK_MS and phrase.complete:
            heard.append(phrase.text)
        elif ms > 0:
            heard.append(_heard_part(phrase, ms))
    return " ".join(part for part in heard if part)


def _heard_part(phrase: VoicedPhrase, ms: float) -> str:
    if phrase.marks:
        end = max((mark.char_end for mark in phrase.marks if mark.end_ms <= ms), default=0)
        return phrase.text[:end].rstrip()
    # A phrase that is still being made, or was cut, will not have been shorter than speech usually is.
    lasts = phrase.ms if phrase.complete else max(phrase.ms, len(phrase.text) * CHARACTER_MS)
    end = int(len(phrase.text) * ms / lasts)
    if " " not in phrase.text:  # a script without spaces: every character counts
        return phrase.text[:end]
    return phrase.text[: phrase.text.rfind(" ", 0, end + 1) + 1].rstrip()
