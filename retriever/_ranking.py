"""Similarities and word scores → one order of passages.

A section is scored first, by several sources: how close its passages, its sentences, the users'
turns in its worked examples and its heading are to the query, and how well its best passage meets
the query's words. Each source is standardised over the sections, then they add up. A passage gets
its section's score, less what it falls short of the section's best passage; so the first passages
of the best sections come first, and a section that is far ahead brings more of its passages.

docs/retrieval.md has what each choice is worth.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ._units import Unit

Floats = NDArray[np.float32]
Scores = NDArray[np.float64]
Integers = NDArray[np.intp]

# Raise it when the same similarities would give another order.
RANKING = 1

WORDS = "words"
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"passage": 1, "sentence": 1, "turn": 1, "heading": 1, WORDS: 2}
)
# Between the mean of a section's similarities (0) and their maximum (infinity).
_SHARPNESS = 20
# Rounding differs between machines in the last digits; an order must not.
_DECIMALS = 6


class Ranker:
    """Ranks the passages of one constitution."""

    def __init__(
        self,
        sections: Sequence[int],
        units: Sequence[Unit],
        *,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        """Prepare to rank.

        Args:
            sections: The section number of each passage.
            units: The units whose similarities will be given.
            weights: What each kind of unit, and `words`, counts.
        """
        self._sections: Integers = np.array(sections, np.intp)
        self._weights = weights
        self._kinds = {
            kind: np.array([row for row, unit in enumerate(units) if unit.kind == kind], np.intp)
            for kind in dict.fromkeys(unit.kind for unit in units)
        }
        self._unit_sections: Integers = np.array([unit.section for unit in units], np.intp)
        self._own: Integers = np.array(
            [row for row, unit in enumerate(units) if unit.passage is not None], np.intp
        )
        self._unit_passages: Integers = np.array(
            [unit.passage for unit in units if unit.passage is not None], np.intp
        )

    def scores(self, similarities: Floats | None, words: Floats) -> Scores:
        """Score the passages for one query.

        Args:
            similarities: Shape (texts, units), the cosines; `None` without an embedder.
            words: Shape (texts, passages), the word scores, 0 or more.

        Returns:
            Shape (passages,); the higher, the better.
        """
        by_section = np.zeros(self._sections.max() + 1)
        by_passage = np.zeros(len(self._sections))
        for row, counted in enumerate(words.astype(np.float64)):
            best = np.zeros(len(by_section))
            np.maximum.at(best, self._sections, counted)
            by_section += self._weights.get(WORDS, 0) * _standard(best)
            by_passage += _standard(counted)
            if similarities is not None:
                cosines = similarities[row].astype(np.float64)
                by_section += self._affinities(cosines, len(by_section))
                by_passage += _standard(self.closest(cosines))
        best = np.full(len(by_section), -np.inf)
        np.maximum.at(best, self._sections, by_passage)
        scores = by_section[self._sections] + by_passage - best[self._sections]
        return scores.round(_DECIMALS)

    def closest(self, cosines: Scores) -> Scores:
        """Return each passage's best cosine: its own or one of its parts'."""
        best = np.full(len(self._sections), -1.0)
        np.maximum.at(best, self._unit_passages, cosines[self._own])
        return best

    def _affinities(self, cosines: Scores, sections: int) -> Scores:
        total = np.zeros(sections)
        for kind, rows in self._kinds.items():
            if weight := self._weights.get(kind, 0):
                affinity = _soft_maximum(cosines[rows], self._unit_sections[rows], sections)
                total += weight * _standard(affinity)
        return total


def order(scores: Scores) -> Integers:
    """Return the passages best first, equal ones in the order of the document."""
    return np.argsort(-scores, kind="stable")


def _soft_maximum(values: Scores, groups: Integers, count: int) -> Scores:
    """Return the logarithm of the mean exponential of each group; NaN where it is empty.

    Unlike a maximum it heeds the second and third best; unlike a sum it does not favour a group
    for being large.
    """
    sizes = np.bincount(groups, minlength=count)
    sums = np.bincount(groups, np.exp(_SHARPNESS * values), minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Scores = np.log(sums / sizes) / _SHARPNESS
    return means


def _standard(values: Scores) -> Scores:
    """Scale to mean 0 and deviation 1; what is missing (NaN) counts as the least there is."""
    present = ~np.isnan(values)
    filled = np.where(present, values, values[present].min())
    deviation = filled.std()
    if deviation < 1e-9:
        return np.zeros(len(values))
    scaled: Scores = (filled - filled.mean()) / deviation
    return scaled
