"""Near-duplicates: of every text, whether one like it is there already, by words and by meaning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from whyset.retriever import Embedder

from ._corpus_shingles import ShingleIndex, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

SHORT, LONG = 60, 180
"""Words of a short text and of a long one, between which the threshold of meaning changes."""

_WINDOW = LONG // 2
_FIRST_ROOM = 256


@dataclass(frozen=True, slots=True)
class Likeness:
    """From when on a text counts as a near-duplicate; docs/planning.md has the measurement.

    Attributes:
        words: The share of runs of three words in common, 0 to 1.
        short: The cosine of two texts of which one has up to `SHORT` words.
        long: The cosine of two texts of `LONG` words or more.
    """

    words: float = 0.5
    short: float = 0.90
    long: float = 0.88


MEASURED = Likeness()
"""The thresholds of meaning were measured with `minilm`, and hold for no other embedder."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a text is compared by.

    Attributes:
        words: How many it has.
        sketch: Its words.
        vector: Its meaning; `None` where there is no embedder.
    """

    words: int
    sketch: Any
    vector: "Vectors | None"


@dataclass(frozen=True, slots=True)
class Resemblance:
    """That a text is too much like another.

    Attributes:
        key: What the other was added under.
        by: What they have in common.
        degree: How much: the share of runs of words, or the cosine.
    """

    key: str
    by: str
    degree: float


class Novelty:
    """The texts so far, and whether another is new beside them."""

    def __init__(self, embedder: Embedder | None, likeness: Likeness = MEASURED) -> None:
        """Begin with none.

        Args:
            embedder: What tells meanings; without one, words alone are compared.
            likeness: From when on a text counts as a near-duplicate.
        """
        self._embedder = embedder
        self._likeness = likeness
        self._shingles = ShingleIndex()
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._vectors: Vectors | None = None
        self._lengths: NDArray[np.float32] | None = None

    def fingerprints(self, texts: Sequence[str]) -> list[Fingerprint]:
        """Return what texts are compared by; all are embedded in one pass.

        Raises:
            RetrieverError: The embedder failed.
        """
        vectors: Sequence[Vectors | None] = [None] * len(texts)
        if self._embedder is not None and texts:
            vectors = list(self._embedder.embed([_gist(text) for text in texts]))
        return [
            Fingerprint(len(words_of(text)), self._shingles.sketch(text), vector)
            for text, vector in zip(texts, vectors, strict=True)
        ]

    def resembled(self, text: Fingerprint) -> Resemblance | None:
        """Return which text one is a near-duplicate of, if of any."""
        alike = self._shingles.nearest(text.sketch)
        if alike is not None and alike.share >= self._likeness.words:
            return Resemblance(alike.key, "words", round(alike.share, 2))
        return self._by_meaning(text)

    def add(self, key: str, text: Fingerprint) -> None:
        """Put a text among those that others are compared with."""
        self._shingles.add(key, text.sketch)
        self._places[key] = len(self._keys)
        self._keys.append(key)
        if text.vector is not None:
            self._hold(text.vector, text.words)

    def remove(self, key: str) -> None:
        """Take a text out again."""
        self._shingles.remove(key)
        place = self._places.pop(key)
        if self._vectors is not None:
            self._vectors[place] = 0.0

    def _by_meaning(self, text: Fingerprint) -> Resemblance | None:
        import numpy as np

        if text.vector is None or self._vectors is None or self._lengths is None:
            return None
        count = len(self._keys)
        cosines = self._vectors[:count] @ text.vector
        shorter = np.minimum(self._lengths[:count], text.words)
        least = np.interp(shorter, [SHORT, LONG], [self._likeness.short, self._likeness.long])
        beyond = cosines - least
        place = int(beyond.argmax())
        if beyond[place] < 0:
            return None
        return Resemblance(self._keys[place], "meaning", round(float(cosines[place]), 3))

    def _hold(self, vector: "Vectors", words: int) -> None:
        import numpy as np

        count = len(self._keys)
        if self._vectors is None or self._lengths is None:
            self._vectors = np.zeros((_FIRST_ROOM, len(vector)), np.float32)
            self._lengths = np.zeros(_FIRST_ROOM, np.float32)
        elif count > len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        self._vectors[count - 1] = vector
        self._lengths[count - 1] = words


def _gist(text: str) -> str:
    """Return how a text begins and ends: as much as the embedder reads in one go."""
    words = text.split()
    if len(words) <= LONG:
        return text
    return " ".join([*words[:_WINDOW], *words[-_WINDOW:]])
