"""A trigram of the domain, mixed with general speech, so that other talk is heard as other talk.

Both are taken as counts of one imagined pile of sentences, `weight` of them general, so that each history decides
between the two by how often either would bring it about. What no trigram covers backs off (Katz, with a fixed
discount).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from mynah_pocketsphinx.general import END, START, Floats, General, Ints, keys, look_up, totals

DISCOUNT: Final = 0.1
COMPRESSION: Final = 0.7
"""Counts of the domain are raised to this power: a template that fits every subject is not asked that much more."""
_TINY: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Mixture:
    """A backing-off trigram model: decadic logarithms of probabilities and of back-off weights, by row."""

    words: list[str]
    unigrams: Floats
    unigram_backoff: Floats
    pairs: Ints
    pair_logs: Floats
    pair_backoff: Floats
    triples: Ints
    triple_logs: Floats

    def write(self, path: Path) -> None:
        """Write the model in ARPA's format."""
        words = np.array(self.words, dtype=object)
        ones = zip(self.unigrams.tolist(), self.words, self.unigram_backoff.tolist(), strict=True)
        twos = zip(self.pair_logs.tolist(), *words[self.pairs].T.tolist(), self.pair_backoff.tolist(), strict=True)
        threes = zip(self.triple_logs.tolist(), *words[self.triples].T.tolist(), strict=True)
        counts = (len(self.words), len(self.pairs), len(self.triples))
        with path.open("w", encoding="utf-8") as file:
            file.write("\\data\\\n" + "".join(f"ngram {order}={count}\n" for order, count in enumerate(counts, 1)))
            file.write("\n\\1-grams:\n" + "".join(["%.4f %s %.4f\n" % row for row in ones]))  # noqa: UP031 - the fastest
            file.write("\n\\2-grams:\n" + "".join(["%.4f %s %s %.4f\n" % row for row in twos]))  # noqa: UP031
            file.write("\n\\3-grams:\n" + "".join(["%.4f %s %s %s\n" % row for row in threes]))  # noqa: UP031
            file.write("\n\\end\\\n")


@dataclass(frozen=True, slots=True)
class Counts:
    """Compressed counts of the domain's n-grams, as shares of one sentence; rows index `words`."""

    words: list[str]
    unigrams: Floats
    pairs: Ints
    pair_mass: Floats
    triples: Ints
    triple_mass: Floats


def count(sentences: Sequence[Sequence[str]], known: Sequence[str]) -> Counts:
    """Count the n-grams of `sentences`; words are numbered as in `known`, new ones after them."""
    number = {word: index for index, word in enumerate(known)}
    for sentence in sentences:
        for word in sentence:
            number.setdefault(word, len(number))
    ones, twos, threes = Counter[int](), Counter[tuple[int, ...]](), Counter[tuple[int, ...]]()
    for sentence in sentences:
        row = [number[START], *(number[word] for word in sentence), number[END]]
        ones.update(row[1:])
        twos.update(pairwise(row))
        threes.update(zip(row, row[1:], row[2:], strict=False))
    unigrams = np.zeros(len(number))
    unigrams[list(ones)] = np.fromiter(ones.values(), float) ** COMPRESSION
    pairs, pair_counts = _arrays(twos, 2)
    triples, triple_counts = _arrays(threes, 3)
    start = number[START]
    return Counts(
        list(number),
        unigrams / max(unigrams.sum(), 1),
        pairs,
        pair_counts / max(pair_counts[pairs[:, 0] == start].sum(), _TINY),
        triples,
        triple_counts / max(triple_counts[triples[:, 0] == start].sum(), _TINY),
    )


def mix(domain: Counts, general: General, weight: float) -> Mixture:
    """Return the model of talk of which the share `weight` (0 to 1) is general. Its words are those of `domain`."""
    size = len(domain.words)
    start = domain.words.index(START)
    share = 1 - weight if len(domain.pairs) else 0.0
    unigrams = _unigrams(domain, general, share, start)
    pair_keys, pair_mass = _merge(domain.pairs, domain.pair_mass, general.pairs, general.pair_mass, share, size)
    first, second = pair_keys // size, pair_keys % size
    seen = share * totals(domain.pairs[:, 0], domain.pair_mass, size)
    seen[: len(general.words)] += (1 - share) * general.unigrams / general.sentence_end
    pair_p, pair_rest = _discounted(pair_mass / seen[first], first, size)
    backoff1 = _backoff(pair_rest, totals(first, unigrams[second], size))
    triple_keys, triple_mass = _merge(
        domain.triples, domain.triple_mass, general.triples, general.triple_mass, share, size
    )
    history = triple_keys // size
    context = (1 - share) * look_up(keys(general.pairs, size), general.pair_mass, history)
    asked, which = np.unique(keys(domain.triples[:, :2], size), return_inverse=True)
    context += share * look_up(asked, totals(which, domain.triple_mass, len(asked)), history)
    usable = (context > 0) & (look_up(pair_keys, pair_mass, history) > 0)
    triple_keys, history = triple_keys[usable], history[usable]
    histories, at = np.unique(history, return_inverse=True)
    triple_p, triple_rest = _discounted(triple_mass[usable] / context[usable], at, len(histories))
    middle, last = history % size, triple_keys % size
    lower = look_up(pair_keys, pair_p, middle * size + last)
    lower = np.where(lower > 0, lower, 10 ** backoff1[middle] * unigrams[last])
    backoff2 = look_up(histories, _backoff(triple_rest, totals(at, lower, len(histories))), pair_keys)
    logs = np.log10(np.maximum(unigrams, 1e-9))
    logs[start] = -99
    return Mixture(
        domain.words,
        logs,
        backoff1,
        np.stack([first, second], 1),
        np.log10(pair_p),
        backoff2,
        np.stack([history // size, middle, last], 1),
        np.log10(triple_p),
    )


def _arrays(counts: Mapping[tuple[int, ...], int], order: int) -> tuple[Ints, Floats]:
    rows = np.fromiter((word for n_gram in counts for word in n_gram), np.int64, order * len(counts))
    return rows.reshape(-1, order), np.fromiter(counts.values(), float, len(counts)) ** COMPRESSION


def _unigrams(domain: Counts, general: General, share: float, start: int) -> Floats:
    talk = np.zeros(len(domain.words))
    talk[: len(general.words)] = general.unigrams
    talk[start] = 0
    mixed: Floats = share * domain.unigrams + (1 - share) * talk / talk.sum()
    mixed[start] = 0
    mixed /= mixed.sum()
    return mixed


def _merge(a: Ints, a_mass: Floats, b: Ints, b_mass: Floats, share: float, size: int) -> tuple[Ints, Floats]:
    merged, which = np.unique(np.concatenate([keys(a, size), keys(b, size)]), return_inverse=True)
    mass = np.concatenate([share * (1 - DISCOUNT) * a_mass, (1 - share) * b_mass])
    return merged, totals(which, mass, len(merged))


def _discounted(probability: Floats, history: Ints, histories: int) -> tuple[Floats, Floats]:
    """Return the probabilities, cut where a history leaves less than the discount, and what each history leaves."""
    total = totals(history, probability, histories)
    cut = np.where(total > 1 - DISCOUNT, (1 - DISCOUNT) / np.maximum(total, 1e-12), 1.0)
    return probability * cut[history], 1 - total * cut


def _backoff(rest: Floats, lower: Floats) -> Floats:
    weights: Floats = np.log10(np.maximum(rest, _TINY) / np.maximum(1 - lower, _TINY))
    return weights
