"""Which attribute a question asks for: weights that are fitted to the question templates.

Each template is a bag of its stems and of its pairs of neighbours, weighted by rarity (idf) and scaled to length one.
Ridge regression finds for each attribute the weights that best tell its templates from all others; a question scores
the sum of its weights. Unlike plain overlap this learns that "how long" says little and "how long … live" a lot. With one
row of X for each template the weights are Xᵀ(XXᵀ + λI)⁻¹Y; a few steps of conjugate gradients come close enough.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from mynah_facts.words import FUNCTION_STEMS

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
        length = math.sqrt(sum(self._rarity[feature] ** 2 for feature in known) + strange * (STRANGE_WEIGHT * self._rarest) ** 2)
        if not known:
            return dict.fromkeys(self.attributes, 0.0)
        total = sum(self._weights[feature] * self._rarity[feature] for feature in known)
        return dict(zip(self.attributes, (total / length).tolist(), strict=True))


def _bag(stems: Sequence[str]) -> frozenset[str]:
    """Return the stems and the pairs of neighbours, with a mark at both ends."""
    ends = ("^", *stems, "$")
    return frozenset(stems) - {"#"} | {f"{one} {two}" for one, two in zip(ends, ends[1:], strict=False)}


def _fit(
    bags: Sequence[frozenset[str]], labels: Sequence[str], attributes: Sequence[str], rarity: Mapping[str, float]
) -> dict[str, Any]:
    """Return a vector of weights, one for each attribute, by feature."""
    import numpy as np

    rows: dict[str, list[int]] = defaultdict(list)
    lengths = np.empty(len(bags), dtype=np.float32)
    for row, bag in enumerate(bags):
        lengths[row] = math.sqrt(sum(rarity[feature] ** 2 for feature in bag)) or 1.0
        for feature in bag:
            rows[feature].append(row)
    scale = 1.0 / lengths
    gram = np.eye(len(bags), dtype=np.float32) * RIDGE
    columns: dict[str, Any] = {}
    for feature, held in rows.items():
        index = np.array(held)
        column = scale[index] * rarity[feature]
        columns[feature] = (index, column)
        gram[np.ix_(index, index)] += np.outer(column, column)
    goal = np.zeros((len(bags), len(attributes)), dtype=np.float32)
    place = {attribute: number for number, attribute in enumerate(attributes)}
    goal[np.arange(len(bags)), [place[label] for label in labels]] = 1.0
    solved = _solve(gram, goal)
    return {feature: column @ solved[index] for feature, (index, column) in columns.items()}


def _solve(matrix: Any, goal: Any) -> Any:
    """Return about `matrix`⁻¹ `goal` by conjugate gradients, each column for itself."""
    tiny = 1e-12
    solved, rest, step = goal * 0, goal.copy(), goal.copy()
    size = (rest * rest).sum(axis=0)
    for _ in range(STEPS):
        moved = matrix @ step
        far = size / ((step * moved).sum(axis=0) + tiny)
        solved += far * step
        rest -= far * moved
        before, size = size, (rest * rest).sum(axis=0)
        step = rest + size / (before + tiny) * step
    return solved
