"""One utterance on its way through a decoder: what was heard so far, and at the end for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mynah_pocketsphinx.opening import Opening

BYTES_PER_S: Final = 32_000
EACH: Final = int(0.2 * BYTES_PER_S)
"""Audio between two looks at what was heard."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word and how probable it is, 0 to 1, given all that might have been said instead."""

    text: str
    probability: float


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

    def feed(self, audio: bytes) -> str | None:
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
        hypothesis = self._decoder.hyp()
        return " ".join(plain for word in hypothesis.hypstr.split() if (plain := bare(word))) if hypothesis else ""

    def finish(self) -> list[HeardWord]:
        """Return the words of the whole utterance."""
        if self._opening is not None:
            if self._opening.silent:
                return []
            self._decoder.process_raw(self._begin(self._opening))
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return []
        segments = ((bare(segment.word), segment.prob) for segment in self._decoder.seg())
        return [HeardWord(word, min(1.0, float(probability))) for word, probability in segments if word]

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
