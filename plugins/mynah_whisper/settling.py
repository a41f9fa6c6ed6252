"""Which words are sure: decodes of overlapping windows become one text, in which no word is lost or doubled.

A word settles when two decodes in a row agree on it and on all before it. The next decode reaches back to `overlap_s`
before the last settled word, so that this word is whole in it: it is looked for there by its text and its time, and
what comes after it is new. What comes before it may be cut by the window's edge, and is known already.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

REACH_S: Final = 30.0
"""The longest window: what Whisper hears at once."""
EDGE_S: Final = 0.1
"""A word that ends as close to the end of a window as this may have been cut by it."""
DRIFT_S: Final = 0.7
"""How far the time of the same word may differ between two decodes."""
OTHER_TEXT_S: Final = 0.6
"""How much nearer a word must be that has another text than the last settled one, to be taken for it all the same."""
OTHER_BEFORE_S: Final = 0.1
"""The same for the text of the word before it, which tells "a horse, a horse" apart. Found by trying: with times that
are off by up to 0.2 s no word of ordinary speech is lost or doubled, and with 0.04 s none of "no no no"."""
PROGRESS_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a whole segment where the model knows no more, at seconds of the utterance.

    `text` is as it is to be joined to the others, spaces included; `probability` is 0 to 1.
    """

    text: str
    start: float
    end: float
    probability: float = 1.0

    @property
    def middle(self) -> float:
        """The time halfway."""
        return (self.start + self.end) / 2

    @property
    def key(self) -> str:
        """What is compared: letters and digits, with the marks that are vowels in many scripts."""
        return "".join(filter(_is_letter, self.text.casefold())) or self.text.strip()


@dataclass(frozen=True, slots=True)
class Window:
    """Audio from `begin` to `end`, in seconds of the utterance; a `full` one goes no further for its length alone."""

    begin: float
    end: float
    full: bool = False


class Settling:
    """The words of one utterance. `begin_s` is where its first speech is."""

    def __init__(self, overlap_s: float = 0.5, begin_s: float = 0.0) -> None:
        self.settled: list[Word] = []
        self.pending: list[Word] = []
        self._overlap = overlap_s
        self._floor = begin_s
        self._heard_to = begin_s

    @property
    def words(self) -> list[Word]:
        """All words that are known so far; those that are not settled may yet change."""
        return [*self.settled, *self.pending]

    @property
    def begin(self) -> float:
        """Where the next window begins; audio before it is not needed any more."""
        return max(self._floor, self.settled[-1].start - self._overlap) if self.settled else self._floor

    def window(self, until: float) -> Window:
        """Return the next window of audio that goes on to `until`."""
        begin = self.begin
        end = min(until, begin + REACH_S)
        return Window(begin, end, full=end < until)

    def take(self, words: Sequence[Word], window: Window, *, last: bool = False) -> None:
        """Take what was decoded in `window`; with the `last` one all words are settled."""
        fresh = self._new(words)
        if last:
            count = len(fresh)
        elif window.full:
            # The audio is going out of reach, so that there will be no second opinion.
            count = _count(word.end <= window.end - self._overlap for word in fresh)
        else:
            pairs = zip(fresh, self.pending, strict=False)
            count = _count(new.key == old.key and new.end <= window.end - EDGE_S for new, old in pairs)
        self._heard_to = window.end
        self._settle(fresh, count, window)

    def skip(self, window: Window, *, last: bool = False) -> None:
        """Go on after a decode of `window` that told nothing: what the one before it heard stands."""
        if last:
            self._settle(self.pending, len(self.pending), window)
        elif window.full:
            self._settle(self.pending, _count(word.end <= self._heard_to - EDGE_S for word in self.pending), window)

    def close(self, at: float) -> None:
        """Settle what is pending: it was followed by a long pause, in which `at` is; nothing before it is needed."""
        self.settled += self.pending
        self.pending = []
        self._floor = max(self._floor, at)

    def _settle(self, words: Sequence[Word], count: int, window: Window) -> None:
        """Settle the first `count` of the words that are not yet, and keep the others."""
        self.settled += words[:count]
        self.pending = list(words[count:])
        if window.full and self.begin < window.begin + PROGRESS_S:
            # Nothing in it, or one segment that is as long as the window itself: go on behind it.
            self._floor = max(window.end - self._overlap, self.settled[-1].end if count else 0.0)

    def _new(self, words: Sequence[Word]) -> Sequence[Word]:
        """Return the words after the last settled one."""
        if not self.settled or not words:
            return words
        last = self.settled[-1]
        place = min(range(len(words)), key=lambda place: self._distance(words, place))
        if words[place].key == last.key and self._distance(words, place) <= DRIFT_S:
            return words[place + 1 :]
        return [word for word in words if word.middle > last.end]

    def _distance(self, words: Sequence[Word], place: int) -> float:
        """Return how far, in seconds, a word is from being the last settled one."""
        last, word = self.settled[-1], words[place]
        # Next to a pause one end of a word is uncertain: decodes give it now with the pause and now without.
        apart = min(abs(word.middle - last.middle), abs(word.start - last.start), abs(word.end - last.end))
        if word.key != last.key:
            apart += OTHER_TEXT_S
        elif place and len(self.settled) > 1 and words[place - 1].key != self.settled[-2].key:
            apart += OTHER_BEFORE_S
        return apart


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _count(verdicts: Iterable[bool]) -> int:
    """Return how many are true before the first that is not."""
    return sum(1 for _ in takewhile(bool, verdicts))


def joined(words: Sequence[Word]) -> str:
    """Return the text of the words."""
    return " ".join("".join(word.text for word in words).split())


def confidence(words: Sequence[Word]) -> float:
    """Return how sure the words are, 0 to 1, by their length."""
    letters = [max(1, len(word.text.strip())) for word in words]
    if not letters:
        return 0.0
    return sum(word.probability * count for word, count in zip(words, letters, strict=True)) / sum(letters)
