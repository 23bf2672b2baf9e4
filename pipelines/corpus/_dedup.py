"""Near-duplicates: whether a text is too much like one that is there, by words or by meaning."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from whyset.datasets import PROVENANCE_COLUMN, BadRow, DatasetError, open_source, require_provenance
from whyset.generators import DocumentGenerator
from whyset.retriever import Embedder

from ._overuse import iter_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    MinHash = Any
    """A text's MinHash; `datasketch` ships no types."""
    Vectors = NDArray[np.float32]

_SHINGLE_WORDS = 3
_PERMUTATIONS = 128
# 32 bands of 4 find 87 % of the pairs that are half alike, 99 % of those that are 0.6 alike; what
# they find beside that is compared hash by hash and left.
_BANDS = (32, 4)
_SEED = 1

SHORT_WORDS, LONG_WORDS = 60, 180
"""Words of a short text and of a long one, between which the threshold of meaning changes."""

_WINDOW = LONG_WORDS // 2
_INITIAL_CAPACITY = 256

# Scripts without spaces: every character is a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class DedupThresholds:
    """From when on a text counts as a near-duplicate; docs/planning.md has the measurement.

    Attributes:
        shingle_share: The share of runs of three words in common, 0 to 1.
        short_cosine: The cosine of two texts of which one has up to `SHORT_WORDS` words.
        long_cosine: The cosine of two texts of `LONG_WORDS` words or more.
    """

    shingle_share: float = 0.5
    short_cosine: float = 0.90
    long_cosine: float = 0.88


DEFAULT_THRESHOLDS = DedupThresholds()
"""The thresholds of meaning were measured with `minilm`, and apply to no other embedder."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a text is compared by: its runs of words, and its meaning where there is an embedder."""

    words: int
    minhash: "MinHash"
    vector: "Vectors | None"


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """That a text is much like the one that was added under a key."""

    key: str
    measure: Literal["words", "meaning"]
    score: float  # the share of runs of words in common, or the cosine


class Deduplicator:
    """The texts so far, and whether another is new beside them."""

    def __init__(
        self, embedder: Embedder | None, thresholds: DedupThresholds = DEFAULT_THRESHOLDS
    ) -> None:
        """Begin without texts; without an embedder, words alone are compared."""
        self._embedder = embedder
        self._thresholds = thresholds
        self._shingles = ShingleIndex()
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._vectors: Vectors | None = None
        self._lengths: NDArray[np.float32] | None = None

    def compute_fingerprints(self, texts: Sequence[str]) -> list[Fingerprint]:
        """Return what texts are compared by; all are embedded in one pass.

        Raises:
            RetrieverError: The embedder failed.
        """
        vectors: Sequence[Vectors | None] = [None] * len(texts)
        if self._embedder is not None and texts:
            vectors = list(self._embedder.embed([_embedding_excerpt(text) for text in texts]))
        return [
            Fingerprint(len(normalize_words(text)), self._shingles.compute_minhash(text), vector)
            for text, vector in zip(texts, vectors, strict=True)
        ]

    def find_duplicate(self, text: Fingerprint) -> NearDuplicate | None:
        """Return which text one is a near-duplicate of, if of any."""
        nearest = self._shingles.find_nearest(text.minhash)
        if nearest is not None and nearest.score >= self._thresholds.shingle_share:
            return replace(nearest, score=round(nearest.score, 2))
        return self._find_by_meaning(text)

    def add(self, key: str, text: Fingerprint) -> None:
        """Add a text to those that others are compared with."""
        self._shingles.add(key, text.minhash)
        self._places[key] = len(self._keys)
        self._keys.append(key)
        if text.vector is not None:
            self._store_vector(text.vector, text.words)

    def remove(self, key: str) -> None:
        """Remove a text."""
        self._shingles.remove(key)
        place = self._places.pop(key)
        if self._vectors is not None:
            self._vectors[place] = 0.0

    def _find_by_meaning(self, text: Fingerprint) -> NearDuplicate | None:
        import numpy as np

        if text.vector is None or self._vectors is None or self._lengths is None:
            return None
        count = len(self._keys)
        cosines = self._vectors[:count] @ text.vector
        shorter = np.minimum(self._lengths[:count], text.words)
        thresholds = self._thresholds
        least = np.interp(
            shorter,
            [SHORT_WORDS, LONG_WORDS],
            [thresholds.short_cosine, thresholds.long_cosine],
        )
        beyond = cosines - least
        place = int(beyond.argmax())
        if beyond[place] < 0:
            return None
        return NearDuplicate(self._keys[place], "meaning", round(float(cosines[place]), 3))

    def _store_vector(self, vector: "Vectors", words: int) -> None:
        import numpy as np

        count = len(self._keys)
        if self._vectors is None or self._lengths is None:
            self._vectors = np.zeros((_INITIAL_CAPACITY, len(vector)), np.float32)
            self._lengths = np.zeros(_INITIAL_CAPACITY, np.float32)
        elif count > len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        self._vectors[count - 1] = vector
        self._lengths[count - 1] = words


class ShingleIndex:
    """Texts by MinHash over their runs of three words, in an index that finds the nearest."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH  # type: ignore[import-untyped]  # it ships no types

        self._index = MinHashLSH(num_perm=_PERMUTATIONS, params=_BANDS)
        self._entries: dict[str, tuple[int, MinHash]] = {}
        self._added = 0

    def compute_minhash(self, text: str) -> "MinHash":
        """Return what a text is compared by."""
        from datasketch import MinHash

        words = normalize_words(text)
        runs = {
            " ".join(words[at : at + _SHINGLE_WORDS])
            for at in range(max(len(words) - _SHINGLE_WORDS + 1, 1))
        }
        minhash = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, scheme="affine32")
        minhash.update_batch([run.encode() for run in sorted(runs)])
        return minhash

    def find_nearest(self, minhash: "MinHash") -> NearDuplicate | None:
        """Return the text that has most in common with one, of several the first added."""
        best: NearDuplicate | None = None
        for _, key in sorted((self._entries[key][0], key) for key in self._index.query(minhash)):
            share = float(self._entries[key][1].jaccard(minhash))
            if best is None or share > best.score:
                best = NearDuplicate(key, "words", share)
        return best

    def add(self, key: str, minhash: "MinHash") -> None:
        """Add a text."""
        self._index.insert(key, minhash)
        self._entries[key] = (self._added, minhash)
        self._added += 1

    def remove(self, key: str) -> None:
        """Remove a text."""
        self._index.remove(key)
        del self._entries[key]


def normalize_words(text: str) -> list[str]:
    """Return the words of a text as they are compared: in lower case, without marks."""
    return _WORD.findall(text.casefold())


def _embedding_excerpt(text: str) -> str:
    """Return how a text begins and ends: as much as the embedder reads in one go."""
    words = text.split()
    if len(words) <= LONG_WORDS:
        return text
    return " ".join([*words[:_WINDOW], *words[-_WINDOW:]])


# ---- Corpora that are there already, which a new one must not repeat.


@dataclass(frozen=True, slots=True)
class ExistingDocument:
    """A document of another corpus."""

    label: str  # file and line
    text: str
    idea: str  # empty where none is recorded


def read_existing_documents(
    files: Sequence[Path], generator: DocumentGenerator
) -> Iterator[ExistingDocument]:
    """Yield the documents of files, in their order.

    A document that the same generator wrote is compared by what the generator takes for its text;
    any other by all texts in it.

    Raises:
        DatasetError: A file cannot be read, or a record of it: what is not read is not compared.
    """
    names = Counter(path.name for path in files)
    for place, path in enumerate(files, start=1):
        name = path.name if names[path.name] == 1 else f"{path.name} ({place})"
        for record, _ in open_source(str(path)).records():
            if isinstance(record, BadRow):
                raise DatasetError(
                    f"{path}:{record.line}: cannot be compared with: {record.reason}; fix the "
                    "file or leave it out"
                )
            yield _parse_existing_document(f"{name}:{record.line}", dict(record.columns), generator)


def _parse_existing_document(
    label: str, columns: dict[str, Any], generator: DocumentGenerator
) -> ExistingDocument:
    try:
        provenance = require_provenance(columns)
    except DatasetError:
        provenance = {}
    columns.pop(PROVENANCE_COLUMN, None)
    idea = provenance.get("idea")
    try:
        text = generator.document_text(columns)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError):
        text = "\n\n".join(iter_texts(columns))
    return ExistingDocument(label, text, idea if isinstance(idea, str) else "")
