"""Whether what was heard was understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from mynah import Transcript
from mynah_pocketsphinx.expected import Sentence
from mynah_pocketsphinx.models import Model
from mynah_pocketsphinx.utterance import HeardWord, text_of

_LONGEST_NAME: Final = 4
_HOME: Final = 0.5
"""Where fewer of an utterance's pairs of words belong to the domain, it is other talk."""
_LENIENT: Final = 0.8
_STRICT: Final = 1.2
"""What the mean of an utterance must reach, as factors of the confidence: of the domain, and of other talk."""


def verdict(heard: Sequence[HeardWord], model: Model, confidence: float) -> Transcript:
    """Return the final transcript.

    A name that was heard with less than `confidence` makes it not understood: a wrong animal is worse than none. So
    does a low mean over all words; other talk than the domain's must be heard better.
    """
    if not heard:
        return Transcript("", final=True, language="en")
    words = [word.text for word in heard]
    mean = sum(word.probability for word in heard) / len(heard)
    needed = confidence * (_LENIENT if belongs(words, model) >= _HOME else _STRICT)
    doubtful = mean < min(1.0, needed) or any(probability < confidence for probability in _names(heard, model))
    text, pauses = ("", ()) if doubtful else text_of(heard)
    confidence = round(mean, 3)
    return Transcript(text, final=True, confidence=confidence, language="en", understood=not doubtful, pauses=pauses)


def belongs(words: Sequence[str], model: Model) -> float:
    """Return the share of the pairs of words, 0 to 1, that the domain has; 1 for a model without a domain."""
    if not model.pairs:
        return 1.0
    padded = ("<s>", *words, "</s>")
    pairs = [f"{one} {two}" for one, two in pairwise(padded)]
    return sum(pair in model.pairs for pair in pairs) / len(pairs)


def _names(heard: Sequence[HeardWord], model: Model) -> Iterator[float]:
    """Yield how sure each name in the utterance is: as sure as its least sure word."""
    at = 0
    while at < len(heard):
        for length in range(_LONGEST_NAME, 0, -1):
            part = heard[at : at + length]
            name: Sentence = tuple(word.text for word in part)
            if len(part) == length and name in model.names:
                yield min(word.probability for word in part)
                at += length - 1
                break
        at += 1
