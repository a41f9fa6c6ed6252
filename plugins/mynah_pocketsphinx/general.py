"""The general language model of the PocketSphinx wheel, read directly and cut down to a vocabulary.

Its library can only be asked for one probability at a time. The file is PocketSphinx's "Trie Language Model" (see
`lm_trie.c`, `lm_trie_quant.c` and `bitarr.c` there): n-grams in reverse order, bit-packed, 16-bit quantised.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MAGIC: Final = b"Trie Language Model"
_LOG_BASE: Final = np.log(1.0001)
_LEVELS: Final = 1 << 16
_UNIGRAM: Final = np.dtype([("probability", "<f4"), ("backoff", "<f4"), ("next", "<u4")])
_STRONG: Final = 2
START, END = "<s>", "</s>"


@dataclass(frozen=True, slots=True)
class General:
    """General speech over a small vocabulary.

    `unigrams` are the words' probabilities. `pairs` (n, 2) and `triples` (n, 3) index `words`, the oldest first;
    their `mass` is how often each is expected in one sentence.
    """

    words: list[str]
    unigrams: Floats
    sentence_end: float
    pairs: Ints
    pair_mass: Floats
    triples: Ints
    triple_mass: Floats


@dataclass(frozen=True, slots=True)
class _Level:
    """The n-grams of one order: packed entries of `width` bits that begin with `word_bits` for the word."""

    packed: NDArray[np.uint8]
    width: int
    word_bits: int

    def bits(self, entries: Ints, offset: int, count: int) -> Ints:
        """Return `count` (at most 25) bits at `offset` of each of `entries`."""
        start = entries * self.width + offset
        # One unaligned 32-bit read for each entry.
        view: NDArray[np.uint32] = np.ndarray((len(self.packed) - 3,), "<u4", self.packed, 0, (1,))
        bits: Ints = ((view[start >> 3] >> (start & 7).astype(np.uint32)) & np.uint32((1 << count) - 1)).astype(
            np.int64
        )
        return bits

    def word(self, entries: Ints) -> Ints:
        """Return the last-but-n word of each entry."""
        return self.bits(entries, 0, self.word_bits)


class GeneralModel:
    """The file, read into memory. Raises `ValueError` where it is not a trigram model in this format."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        at = len(_MAGIC)
        if data[:at] != _MAGIC or data[at] != 3:
            raise ValueError(f"{path} is not a trigram model in PocketSphinx's trie format")
        counts = struct.unpack_from("<3I", data, at + 1)
        at += 1 + 12 + 4
        self._levels_of_quantiser = np.frombuffer(data, "<f4", 3 * _LEVELS, at)
        at += 4 * 3 * _LEVELS
        self._unigrams: NDArray[Any] = np.frombuffer(data, _UNIGRAM, counts[0] + 1, at)
        at += _UNIGRAM.itemsize * (counts[0] + 1)
        word_bits, next_bits = counts[0].bit_length(), counts[2].bit_length()
        self._next_bits = next_bits
        self._pairs, at = _level(data, at, counts[1], word_bits, 32 + next_bits)
        self._triples, at = _level(data, at, counts[2], word_bits, 16)
        (size,) = struct.unpack_from("<I", data, at)
        self.words = data[at + 4 : at + 4 + size].decode().split("\0")[: counts[0]]
        self.probability: Floats = np.exp(self._unigrams["probability"][: counts[0]].astype(float) * _LOG_BASE)

    def cut(self, also: Iterable[str], size: int, n_grams: int) -> General:
        """Return the model over its `size` most frequent words and those of `also` that it has.

        Of pairs and triples, the `n_grams` most frequent of each are kept.
        """
        number = {word: index for index, word in enumerate(self.words)}
        keep = np.zeros(len(self.words), bool)
        keep[np.argsort(-self.probability, kind="stable")[:size]] = True
        keep[[number[word] for word in also if word in number]] = True
        keep[[number[START], number[END]]] = True
        expected = self.probability.copy()
        expected[number[START]] = expected[number[END]]  # a sentence begins as often as one ends
        entries, pairs, mass = self._kept_pairs(keep, expected)
        # A triple is no more frequent than its pairs: the rarer pairs need not be looked at.
        strong = _largest(mass, _STRONG * n_grams)
        triples, triple_mass = self._kept_triples(keep, entries[strong], pairs[strong], mass[strong])
        best2, best3 = _largest(mass, n_grams), _largest(triple_mass, n_grams)
        kept = np.flatnonzero(keep)
        renumber = np.full(len(self.words), -1, np.int64)
        renumber[kept] = np.arange(len(kept))
        end = float(self.probability[number[END]])
        return General(
            words=[self.words[index] for index in kept],
            unigrams=expected[kept],
            sentence_end=end,
            pairs=renumber[pairs[best2]],
            pair_mass=mass[best2] / end,
            triples=renumber[triples[best3]],
            triple_mass=triple_mass[best3] / end,
        )

    def _kept_pairs(self, keep: NDArray[np.bool_], expected: Floats) -> tuple[Ints, Ints, Floats]:
        next_ = self._unigrams["next"].astype(np.int64)
        words = np.flatnonzero(keep)
        counts = next_[words + 1] - next_[words]
        entries = _ranges(next_[words], counts)
        last = np.repeat(words, counts)
        first = self._pairs.word(entries)
        wanted = keep[first]
        entries, first, last = entries[wanted], first[wanted], last[wanted]
        level = self._pairs.bits(entries, self._pairs.word_bits + 16, 16)
        probability = np.exp(self._levels_of_quantiser[level].astype(float) * _LOG_BASE)
        return entries, np.stack([first, last], 1), expected[first] * probability

    def _kept_triples(self, keep: NDArray[np.bool_], entries: Ints, pairs: Ints, mass: Floats) -> tuple[Ints, Floats]:
        at = self._pairs.word_bits + 32
        begin = self._pairs.bits(entries, at, self._next_bits)
        counts = self._pairs.bits(entries + 1, at, self._next_bits) - begin
        triple_entries = _ranges(begin, counts)
        shorter = np.repeat(np.arange(len(entries)), counts)
        first = self._triples.word(triple_entries)
        wanted = keep[first]
        triple_entries, shorter, first = triple_entries[wanted], shorter[wanted], first[wanted]
        level = self._triples.bits(triple_entries, self._triples.word_bits, 16)
        probability = np.exp(self._levels_of_quantiser[2 * _LEVELS + level].astype(float) * _LOG_BASE)
        context = look_up(keys(pairs, len(keep)), mass, first * len(keep) + pairs[shorter, 0])
        return np.column_stack([first, pairs[shorter]]), context * probability


def totals(group: Ints, values: Floats, groups: int) -> Floats:
    """Return the sum of the values of each group, by its number."""
    return np.bincount(group, values, groups).astype(float)


def keys(n_grams: Ints, vocabulary: int) -> Ints:
    """Return one number for each row of `n_grams`."""
    key = n_grams[:, 0]
    for column in range(1, n_grams.shape[1]):
        key = key * vocabulary + n_grams[:, column]
    return key


def look_up(known: Ints, values: Floats, wanted: Ints) -> Floats:
    """Return the value of each wanted key, 0 for those that are not known."""
    if not len(known):
        return np.zeros(len(wanted))
    order = np.argsort(known, kind="stable")
    ordered = known[order]
    place = np.searchsorted(ordered, wanted)
    place[place == len(ordered)] = 0
    return np.where(ordered[place] == wanted, values[order][place], 0.0)


def _level(data: bytes, at: int, count: int, word_bits: int, rest: int) -> tuple[_Level, int]:
    size = ((1 + count) * (word_bits + rest) + 7) // 8 + 8
    return _Level(np.frombuffer(data, np.uint8, size, at), word_bits + rest, word_bits), at + size


def _ranges(begin: Ints, counts: Ints) -> Ints:
    """Return the numbers from each `begin` on, as many as `counts` says, one run after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts - begin, counts)


def _largest(mass: Floats, count: int) -> Ints:
    positive = np.flatnonzero(mass)
    if len(positive) <= count:
        return positive
    return np.sort(positive[np.argpartition(-mass[positive], count)[:count]])
