"""One utterance on its way through a decoder: what was heard so far, and at the end for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mynah_pocketsphinx.opening import Opening

BYTES_PER_S: Final = 32_000
EACH: Final = int(0.2 * BYTES_PER_S)
"""Audio between two looks at what was heard."""


PAUSE: Final = 70
"""Frames of 10 ms without a word that part sentences; within one, people pause for less."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word and how probable it is, 0 to 1, given all that might have been said instead; before the end it is 1.

    `after_pause` tells whether a pause that parts sentences came before it.
    """

    text: str
    probability: float
    after_pause: bool = False


def text_of(words: Sequence[HeardWord]) -> tuple[str, tuple[int, ...]]:
    """Return the text of the words, and the places in it at which there was a pause."""
    text, pauses = "", []
    for word in words:
        if text and word.after_pause:
            pauses.append(len(text))
        text = f"{text} {word.text}" if text else word.text
    return text, tuple(pauses)


class Meter:
    """Measures the cepstral mean of audio, which is how a microphone and a room colour a voice.

    Needs a decoder of its own: one that has been fed in pieces measures a running mean ever after.
    """

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def mean(self, audio: bytes) -> str:
        """Return the mean of all of `audio`, as a decoder takes it."""
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(audio, no_search=True, full_utt=True)
            return str(self._decoder.get_cmn())
        finally:
            self._decoder.end_utt()


class Utterance:
    """Takes 16 kHz mono PCM and gives words. The same audio gives the same words, whatever was heard before."""

    def __init__(self, decoder: Any, meter: Meter) -> None:
        self._decoder = decoder
        self._meter = meter
        self._opening: Opening | None = Opening()
        self._unseen = 0

    def feed(self, audio: bytes) -> list[HeardWord] | None:
        """Take some audio; return what was heard so far where it is time to look, else None."""
        if self._opening is not None:
            self._opening.add(audio)
            if not self._opening.complete:
                return None
            audio = self._begin(self._opening)
        self._decoder.process_raw(audio)
        self._unseen += len(audio)
        if self._unseen < EACH:
            return None
        self._unseen = 0
        return self._words(final=False)

    def finish(self) -> list[HeardWord]:
        """Return the words of the whole utterance."""
        if self._opening is not None:
            if self._opening.silent:
                return []
            self._decoder.process_raw(self._begin(self._opening))
        self._decoder.end_utt()
        return self._words(final=True)

    def _words(self, *, final: bool) -> list[HeardWord]:
        if self._decoder.hyp() is None:
            return []
        words, silent = [], 0
        for segment in self._decoder.seg():
            word = bare(segment.word)
            if not word:
                silent += segment.end_frame - segment.start_frame + 1
                continue
            probability = min(1.0, float(segment.prob)) if final else 1.0
            words.append(HeardWord(word, probability, after_pause=silent >= PAUSE))
            silent = 0
        return words

    def _begin(self, opening: Opening) -> bytes:
        self._opening = None
        audio = opening.audio
        self._decoder.reinit_feat()
        self._decoder.set_cmn(self._meter.mean(audio))
        self._decoder.start_utt()
        return audio


def bare(word: str) -> str:
    """Return a word of a hypothesis without the number of its pronunciation; empty for pauses and noises."""
    return "" if word[0] in "<[+" else word.partition("(")[0]
