"""The course of one utterance through its decodes: when, of what, and what came of it. Pure; times in seconds."""

from __future__ import annotations

from mynah_whisper.config import Options
from mynah_whisper.gates import Decoded, doubt
from mynah_whisper.pace import BEFORE_S, Pace, Speech
from mynah_whisper.settling import Settling, Window, Word, confidence, joined


class Course:
    """Decides by `Pace` when to decode, by `Settling` what, and by the gates what to believe."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._pace = Pace(options.window_s, options.step_s)
        self._settling: Settling | None = None
        self.doubtful = False

    def due(self, now: float, speech: Speech) -> bool:
        """Return whether a window is to be decoded now."""
        return self._pace.due(now, speech)

    def covers(self, speech: Speech) -> bool:
        """Return whether nothing is left to decode."""
        return speech.first is None or self._pace.covers(speech)

    def would_cover(self, window: Window, speech: Speech) -> bool:
        """Return whether nothing will be left once `window` is decoded."""
        return speech.first is None or Pace.reaches(window.end, speech)

    def window(self, begin: float, now: float) -> Window:
        """Return what to decode; the first time it begins at `begin`, where the speech does."""
        if self._settling is None:
            self._settling = Settling(self._options.overlap_s, begin)
        return self._settling.window(now)

    def take(self, decoded: Decoded, window: Window, *, last: bool = False) -> None:
        """Take what was decoded in a window."""
        assert self._settling is not None
        reason = doubt(decoded, no_speech=self._options.no_speech, repetition=self._options.repetition)
        self.doubtful = reason == "repetition"
        if reason in ("repetition", "no opinion"):
            self._settling.skip(window, last=last)
        else:
            words: tuple[Word, ...] = () if reason else decoded.moved(window.begin)
            self._settling.take(words, window, last=last)
        self._pace.decoded(window.end)

    def rest(self, now: float, speech: Speech) -> float | None:
        """Return the time before which no audio is needed any more, or None where nothing was decoded.

        A long pause settles what was said before it.
        """
        if self._settling is None:
            return None
        if self._pace.paused(now, speech):
            self._settling.close(now - max(self._options.overlap_s, BEFORE_S))
        return self._settling.begin

    @property
    def text(self) -> str:
        """What was understood so far."""
        return joined(self._settling.words) if self._settling else ""

    @property
    def settled(self) -> int:
        """How many characters of the text, from its beginning, will not change any more."""
        return len(joined(self._settling.settled)) if self._settling else 0

    @property
    def confidence(self) -> float:
        """How sure that is, 0 to 1."""
        return confidence(self._settling.words) if self._settling else 0.0
