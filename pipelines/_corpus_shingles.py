"""Near-duplicates by their words: MinHash over runs of three, in an index that finds the nearest.

The only module that knows `datasketch`.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Sketch = Any
    """A text's MinHash; `datasketch` ships no types."""

_RUN = 3
_PERMUTATIONS = 128
# 32 bands of 4 find 87 % of the pairs that are half alike, 99 % of those that are 0.6 alike; what
# they find beside that is compared hash by hash and left.
_BANDS = (32, 4)
_SEED = 1

# Scripts without spaces: every character is a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: in lower case, without marks."""
    return _WORD.findall(text.casefold())


@dataclass(frozen=True, slots=True)
class WordsAlike:
    """A text found, and how much it has in common with another.

    Attributes:
        key: What it was added under.
        share: The estimated share of runs of words that both have, of those that either has.
    """

    key: str
    share: float


class ShingleIndex:
    """Texts by the runs of words in them."""

    def __init__(self) -> None:
        # It ships no types.
        from datasketch import MinHashLSH  # type: ignore[import-untyped]

        self._index = MinHashLSH(num_perm=_PERMUTATIONS, params=_BANDS)
        self._held: dict[str, tuple[int, Sketch]] = {}
        self._added = 0

    def sketch(self, text: str) -> "Sketch":
        """Return what a text is compared by."""
        from datasketch import MinHash

        words = words_of(text)
        runs = {" ".join(words[at : at + _RUN]) for at in range(max(len(words) - _RUN + 1, 1))}
        sketch = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, scheme="affine32")
        sketch.update_batch([run.encode() for run in sorted(runs)])
        return sketch

    def nearest(self, sketch: "Sketch") -> WordsAlike | None:
        """Return the text that has most in common with one, of several the first added."""
        best: WordsAlike | None = None
        for _, key in sorted((self._held[key][0], key) for key in self._index.query(sketch)):
            share = float(self._held[key][1].jaccard(sketch))
            if best is None or share > best.share:
                best = WordsAlike(key, share)
        return best

    def add(self, key: str, sketch: "Sketch") -> None:
        """Put a text in."""
        self._index.insert(key, sketch)
        self._held[key] = (self._added, sketch)
        self._added += 1

    def remove(self, key: str) -> None:
        """Take a text out."""
        self._index.remove(key)
        del self._held[key]
