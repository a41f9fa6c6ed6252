"""Which attribute a question asks for: weights that are fitted to the question templates.

Each template is a bag of its stems and of its pairs of neighbours, weighted by rarity (idf) and scaled to length one.
Ridge regression finds for each attribute the weights that best tell its templates from all others; a question scores
the sum of its weights. Unlike plain overlap this learns that "how long" says little and "how long … live" a lot.
With one row of X for each template the weights are Xᵀ(XXᵀ + λI)⁻¹Y; some steps of conjugate gradients come close.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mynah_facts.words import FUNCTION_STEMS, SLOT

RIDGE = 0.5
STEPS = 16

PAIR_WEIGHT = 0.6
STRANGE_WEIGHT = 0.7


class Ranking:
    """Scores attributes for a question. Built from (attribute id, masked stems) of every template."""

    def __init__(self, templates: Sequence[tuple[str, Sequence[str]]]) -> None:
        self.attributes = list(dict.fromkeys(attribute for attribute, _ in templates))
        bags = [_bag(stems) for _, stems in templates]
        seen = Counter(feature for bag in bags for feature in bag)
        self._rarity = {
            feature: math.log((len(bags) + 1) / count) * (PAIR_WEIGHT if " " in feature else 1.0)
            for feature, count in seen.items()
            if count > 1 or " " not in feature
        }
        self._rarest = math.log(len(bags) + 1)
        self._weights = _fit(bags, [attribute for attribute, _ in templates], self.attributes, self._rarity)

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every stem of the templates."""
        return frozenset(feature for feature in self._rarity if " " not in feature)

    def rarity(self, stem: str) -> float:
        """Return how rare a stem is among the templates, by the logarithm."""
        return self._rarity.get(stem, self._rarest)

    def scores(self, stems: Sequence[str]) -> Mapping[str, float]:
        """Return each attribute's score: about 1 for one of its templates, about 0 for what is none.

        Words that no template has make the question stranger and every score smaller.
        """
        bag = _bag(stems)
        known = [feature for feature in bag if feature in self._rarity]
        strange = sum(1 for word in set(stems) if word not in self._rarity and word not in FUNCTION_STEMS)
        length = math.sqrt(
            sum(self._rarity[feature] ** 2 for feature in known) + strange * (STRANGE_WEIGHT * self._rarest) ** 2
        )
        if not known:
            return dict.fromkeys(self.attributes, 0.0)
        total = sum(self._weights[feature] * self._rarity[feature] for feature in known)
        return dict(zip(self.attributes, (total / length).tolist(), strict=True))


def _bag(stems: Sequence[str]) -> tuple[str, ...]:
    """Return the stems and the pairs of neighbours, with a mark at both ends, each once and in order."""
    ends = ("^", *stems, "$")
    pairs = (f"{one} {two}" for one, two in pairwise(ends))
    return tuple(dict.fromkeys((*(stem for stem in stems if stem != SLOT), *pairs)))


def _fit(
    bags: Sequence[tuple[str, ...]], labels: Sequence[str], attributes: Sequence[str], rarity: Mapping[str, float]
) -> dict[str, Any]:
    """Return a vector of weights, one for each attribute, by feature."""
    import numpy as np

    if not bags:
        return {}
    place = {feature: number for number, feature in enumerate(rarity)}
    held = [sorted(place[feature] for feature in bag if feature in place) for bag in bags]
    matrix = _Sparse.of(held, np.fromiter(rarity.values(), dtype=np.float32, count=len(rarity)))
    goal = np.zeros((len(bags), len(attributes)), dtype=np.float32, order="F")
    column = {attribute: number for number, attribute in enumerate(attributes)}
    goal[np.arange(len(bags)), [column[label] for label in labels]] = 1.0
    weights = matrix.transposed_times(_solve(matrix, goal))
    return {feature: weights[number] for feature, number in place.items()}


class _Sparse(NamedTuple):
    """A matrix by its entries, sorted once by row and once by column; every row and every column has one at least."""

    rows: Any
    columns: Any
    values: Any
    row_starts: Any
    by_column: Any
    column_starts: Any

    @classmethod
    def of(cls, held: Sequence[Sequence[int]], weights: Any) -> _Sparse:
        """Build the matrix of rows that hold these columns, with these weights, each row of length one."""
        import numpy as np

        sizes = np.array([len(row) for row in held])
        columns = np.concatenate([np.array(row, dtype=np.int64) for row in held])
        rows = np.repeat(np.arange(len(held)), sizes)
        starts = np.cumsum(sizes) - sizes
        values = weights[columns]
        values = values / np.sqrt(np.add.reduceat(values**2, starts))[rows]
        by_column = np.argsort(columns, kind="stable")
        column_starts = np.searchsorted(columns[by_column], np.arange(len(weights)))
        return cls(rows, columns, values, starts, by_column, column_starts)

    def times(self, vectors: Any) -> Any:
        """Return the matrix times `vectors`."""
        return _summed(self.values, vectors, self.columns, self.row_starts)

    def transposed_times(self, vectors: Any) -> Any:
        """Return the transposed matrix times `vectors`."""
        order = self.by_column
        return _summed(self.values[order], vectors, self.rows[order], self.column_starts)


def _summed(values: Any, vectors: Any, picked: Any, starts: Any) -> Any:
    """Return the sums, from each start to the next, of `values` times the `picked` rows of `vectors`."""
    import numpy as np

    # One vector after the other, each in one piece of memory: all at once would take tens of megabytes, which stay with
    # the process, and several times as long.
    sums = np.empty((len(starts), vectors.shape[1]), dtype=vectors.dtype, order="F")
    for number in range(vectors.shape[1]):
        sums[:, number] = np.add.reduceat(values * vectors[:, number].take(picked), starts)
    return sums


def _solve(matrix: _Sparse, goal: Any) -> Any:
    """Return about (XXᵀ + λI)⁻¹ `goal` by conjugate gradients, each column for itself."""
    tiny = 1e-12
    solved, rest, step = goal * 0, goal.copy(), goal.copy()
    size = (rest * rest).sum(axis=0)
    for _ in range(STEPS):
        moved = matrix.times(matrix.transposed_times(step)) + RIDGE * step
        far = size / ((step * moved).sum(axis=0) + tiny)
        solved += far * step
        rest -= far * moved
        before, size = size, (rest * rest).sum(axis=0)
        step = rest + size / (before + tiny) * step
    return solved
