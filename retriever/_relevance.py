"""Does the constitution speak to a query at all? One number, and the threshold for it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._lexical import Lexicon
from ._threshold import UNKNOWN
from ._units import Unit

# How much of a text's closeness to everyday requests counts against it.
_DISCOUNT = 0.5
# Below this share of words that the constitution uses, a text is in no language it is written in
# (measured: English 0.45 and more, other languages at most 0.16), and cosines say little.
_READABLE = 0.3
_FEWEST_WORDS = 3


class Relevance:
    """Measures how much a constitution has to say about a query."""

    def __init__(self, units: Sequence[Unit], lexicon: Lexicon) -> None:
        self._everyday = np.array([unit.kind == "everyday" for unit in units])
        self._lexicon = lexicon

    def of(self, texts: Sequence[str], cosines: NDArray[np.float32] | None) -> float:
        """Measure one query.

        Args:
            texts: Its texts, none of them empty.
            cosines: Shape (texts, units); `None` without an embedder.

        Returns:
            0 (nothing) to 1: the best cosine with the constitution less half the best with an
            everyday request, of the text where that is most. `UNKNOWN` where it cannot be told.
        """
        if cosines is None or not all(map(self._readable, texts)):
            return UNKNOWN
        near = cosines[:, ~self._everyday].max(axis=1)
        everyday = cosines[:, self._everyday].max(axis=1)
        return round(max(float((near - _DISCOUNT * everyday).max()), 0.0), 5)

    def _readable(self, text: str) -> bool:
        known, counted = self._lexicon.known(text)
        return counted < _FEWEST_WORDS or known >= _READABLE * counted
