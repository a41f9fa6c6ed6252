"""Sentences of an utterance that is still being spoken: those that will not change any more."""

from __future__ import annotations

from difflib import SequenceMatcher

from mynah.conversation.phrasing import PhraseSplitter


def sentences_of(text: str, language: str, *, complete: bool = True) -> list[str]:
    """Return the sentences of `text`; where it is not `complete`, those that something follows."""
    splitter = PhraseSplitter(language=language, early=False)
    phrases = splitter.feed(text) + (splitter.flush() if complete else [])
    return [phrase.text for phrase in phrases]


class Settling:
    """Follows the partial transcripts of one utterance.

    A sentence is settled when it has ended, something follows it, and it came alike twice in a row. `given` are those
    that were handed on: whatever a recogniser thinks of them later, they were heard.
    """

    def __init__(self) -> None:
        self.given: list[str] = []
        self._before: list[str] = []

    def settled(self, text: str, language: str) -> list[str]:
        """Take a partial transcript; return the sentences that are settled and were not given."""
        sentences = sentences_of(text, language, complete=False)
        alike = 0
        for one, other in zip(sentences, self._before, strict=False):
            if one != other:
                break
            alike += 1
        self._before = sentences
        return sentences[len(self.given) : alike]

    def give(self, sentence: str) -> None:
        """Note that `sentence` was handed on."""
        self.given.append(sentence)

    def rest(self, text: str) -> str:
        """Return what of the final transcript comes after the sentences that were given."""
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
            return text.strip()
        begin = places[after] if after < len(places) else len(text)
        while 0 < begin < len(text) and text[begin - 1] in "¿¡([\"'«“‘-":
            begin -= 1
        return text[begin:].strip()


def _letters(text: str) -> str:
    """Return the letters and digits of `text`, one character each, without case."""
    return "".join(folded if len(folded := char.casefold()) == 1 else char for char in text if char.isalnum())
