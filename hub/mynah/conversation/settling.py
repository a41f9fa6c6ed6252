"""Sentences of an utterance that is still being spoken: those that will not change any more."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from mynah.conversation.phrasing import PhraseSplitter
from mynah.values import Transcript


def sentences_of(text: str, language: str, *, complete: bool = True, pauses: Sequence[int] = ()) -> list[str]:
    """Return the sentences of `text`; where it is not `complete`, those that something follows.

    What is before a pause, a place in `text`, has ended in any case.
    """
    sentences: list[str] = []
    places = [0, *(place for place in pauses if 0 < place < len(text)), len(text)]
    for begin, end in pairwise(places):
        splitter = PhraseSplitter(language=language, early=False)
        phrases = splitter.feed(text[begin:end]) + (splitter.flush() if complete or end < len(text) else [])
        sentences += [phrase.text for phrase in phrases]
    return sentences


class Settling:
    """Follows the partial transcripts of one utterance.

    A sentence is settled when it has ended, something follows it, and it came alike twice in a row, or the recogniser
    says that it will not change. `given` are those that were handed on: whatever a recogniser thinks of them later,
    they were heard.
    """

    def __init__(self) -> None:
        self.given: list[str] = []
        self._before: list[str] = []

    def settled(self, partial: Transcript, language: str) -> list[str]:
        """Take a partial transcript; return the sentences that are settled and were not given."""
        sentences = sentences_of(partial.text, language, complete=False, pauses=partial.pauses)
        alike = 0
        for one, other in zip(sentences, self._before, strict=False):
            if one != other:
                break
            alike += 1
        self._before = sentences
        left = len(_letters(partial.text[: partial.settled]))
        for number, sentence in enumerate(sentences):
            left -= len(_letters(sentence))
            if left < 0:
                break
            alike = max(alike, number + 1)
        return sentences[len(self.given) : alike]

    def give(self, sentence: str) -> None:
        """Note that `sentence` was handed on."""
        self.given.append(sentence)

    def rest(self, final: Transcript, language: str) -> list[str]:
        """Return the sentences of the final transcript after those that were given."""
        begin = self._begin_of_rest(final.text)
        rest = final.text[begin:]
        return sentences_of(rest, language, pauses=[place - begin for place in final.pauses])

    def _begin_of_rest(self, text: str) -> int:
        given = _letters("".join(self.given))
        places = [place for place, char in enumerate(text) if char.isalnum()]
        letters = _letters(text)
        after = len(given)
        if not letters.startswith(given):
            # The recogniser has changed its mind about what is past: what follows the last part that is alike.
            matcher = SequenceMatcher(None, given, letters, autojunk=False)
            last = max((block for block in matcher.get_matching_blocks() if block.size), default=None)
            after = last.b + len(given) - last.a if last is not None else len(given)
        if not given:
            return 0
        begin = places[after] if after < len(places) else len(text)
        while 0 < begin < len(text) and text[begin - 1] in "¿¡([\"'«“‘-":
            begin -= 1
        return begin


def _letters(text: str) -> str:
    """Return the letters and digits of `text`, one character each, without case."""
    return "".join(folded if len(folded := char.casefold()) == 1 else char for char in text if char.isalnum())
