"""The searchable index of a constitution: vectors, words, ranking, groundings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyset.constitution import Constitution

from ._cache import CACHE_VERSION, CacheKey, load_or_embed_vectors
from ._embedder import LEXICAL, MINILM, Embedder
from ._grounding import RELEVANCE_THRESHOLD, UNKNOWN_RELEVANCE, Grounding, ScoredPassage
from ._ranking import RANKING_VERSION, BM25Index, Ranker, sort_by_score
from ._units import build_units, number_sections

Floats = NDArray[np.float32]

_DECIMALS = 5
# Characters; about 230 tokens of English, of which the embedded default reads 256.
_WINDOW_CHARACTERS = 800
# How much of a text's closeness to everyday requests counts against it.
_EVERYDAY_WEIGHT = 0.5
# Below this share of words that the constitution uses, a text is in no language it is written in
# (measured: English 0.45 and more, other languages at most 0.16), and cosines say little.
_MIN_KNOWN_SHARE = 0.3
_MIN_WORDS = 3


class PassageIndex:
    """A constitution made searchable. Nothing changes it once it is made: thread-safe.

    Attributes:
        embedder: What turns texts into vectors here; `None` where words alone are searched.
        positions: Each passage's place in the constitution, from 0, by id.
    """

    def __init__(
        self,
        constitution: Constitution,
        embedder: Embedder | None,
        *,
        chroma: str | None = None,
        cache_dir: Path | None = None,
        ephemeral: bool = False,
    ) -> None:
        self.constitution = constitution
        self.embedder = embedder
        passages = constitution.passages
        self.positions = {passage.id: place for place, passage in enumerate(passages)}
        self._units = build_units(passages)
        self._is_everyday = np.array([unit.kind == "everyday" for unit in self._units])
        self._rows: list[list[int]] = [[] for _ in passages]
        for row, unit in enumerate(self._units):
            if unit.passage is not None:
                self._rows[unit.passage].append(row)
        self._ranker = Ranker(number_sections(passages), self._units)
        self._lexicon = BM25Index([passage.plain for passage in passages])
        self._vectors: Floats | None = None
        if embedder is not None:
            self._vectors = self._open_vectors(embedder, chroma, cache_dir, ephemeral)

    @property
    def identity(self) -> str:
        """Everything that decides what is found: constitution, embedder and ranking, as text."""
        embedder = self.embedder.identity if self.embedder else LEXICAL
        return f"{self.constitution.digest}:{embedder}:{CACHE_VERSION}:{RANKING_VERSION}"

    @property
    def relevance_threshold(self) -> float:
        """The threshold of relevance measured for this embedder, 0 where none was."""
        return RELEVANCE_THRESHOLD if self.embedder and self.embedder.name == MINILM else 0.0

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Find the passages that bear on each query; see `Searcher.find_passages`."""
        if k < 1:
            raise ValueError(f"k is {k}; it must be at least 1")
        texts = list(dict.fromkeys(text for query in queries for text in query if text.strip()))
        rows = {text: row for row, text in enumerate(texts)}
        similarities = self._measure_similarities(texts)
        words = [self._lexicon.score_texts(text) for text in texts]
        groundings = []
        for query in queries:
            found: list[ScoredPassage] = []
            relevance = 0.0
            if searched := [text for text in query if text in rows]:
                picked = [rows[text] for text in searched]
                cosines = None if similarities is None else similarities[picked]
                found = self._rank(cosines, np.stack([words[row] for row in picked]), k)
                relevance = self._measure_relevance(searched, cosines)
            title, digest = self.constitution.title, self.constitution.digest
            groundings.append(Grounding(tuple(query), tuple(found), relevance, title, digest))
        return groundings

    def _measure_similarities(self, texts: list[str]) -> Floats | None:
        """Return the cosines, shape (texts, units); `None` without an embedder."""
        if self.embedder is None or self._vectors is None or not texts:
            return None
        # A blank piece has a vector too, and may be nearer to a passage than what was written.
        windows = [[piece for piece in _split_windows(text) if piece.strip()] for text in texts]
        vectors = iter(self.embedder.embed([piece for pieces in windows for piece in pieces]))
        # One at a time and rounded: a query's passages must not depend on its company.
        rows = [
            np.max([np.einsum("ud,d->u", self._vectors, next(vectors)) for _ in pieces], axis=0)
            for pieces in windows
        ]
        return np.stack(rows).round(_DECIMALS)

    def _rank(self, cosines: Floats | None, words: Floats, k: int) -> list[ScoredPassage]:
        scores = self._ranker.score_passages(cosines, words)
        best = sort_by_score(scores)
        if cosines is None:
            # Without an embedder, a passage that shares no word was not found at all.
            best = best[words.max(axis=0)[best] > 0]
        return [self._score_passage(int(n), float(scores[n]), cosines) for n in best[:k]]

    def _score_passage(self, place: int, score: float, cosines: Floats | None) -> ScoredPassage:
        passage = self.constitution.passages[place]
        if cosines is None:
            return ScoredPassage(passage, score, None, passage.plain)
        nearest = max(self._rows[place], key=lambda row: float(cosines[:, row].max()))
        unit = self._units[nearest]
        return ScoredPassage(
            passage=passage,
            score=score,
            similarity=round(float(cosines[:, nearest].max()), _DECIMALS),
            matched_text=passage.plain if unit.kind == "passage" else unit.text,
        )

    def _measure_relevance(self, texts: Sequence[str], cosines: Floats | None) -> float:
        """Return how much the constitution has to say about a query, 0 (nothing) to 1.

        The best cosine with the constitution less half the best with an everyday request, of the
        text where that is most.
        """
        if cosines is None or not all(map(self._is_readable, texts)):
            return UNKNOWN_RELEVANCE
        near = cosines[:, ~self._is_everyday].max(axis=1)
        everyday = cosines[:, self._is_everyday].max(axis=1)
        return round(max(float((near - _EVERYDAY_WEIGHT * everyday).max()), 0.0), _DECIMALS)

    def _is_readable(self, text: str) -> bool:
        known, words = self._lexicon.count_known_words(text)
        return words < _MIN_WORDS or known >= _MIN_KNOWN_SHARE * words

    def _open_vectors(
        self, embedder: Embedder, chroma: str | None, cache_dir: Path | None, ephemeral: bool
    ) -> Floats:
        def embed(texts: Sequence[str]) -> Floats:
            # A heading or a sentence may stand in the document many times.
            rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
            return embedder.embed(list(rows))[[rows[text] for text in texts]]

        if ephemeral:
            return embed([unit.text for unit in self._units])
        key = CacheKey.derive(self.constitution.digest, embedder.identity, self._units)
        if chroma is None:
            return load_or_embed_vectors(key, self._units, embed, home=cache_dir)
        from ._chroma import sync_server_vectors

        return sync_server_vectors(chroma, key.name, self._units, embed)


def _split_windows(text: str) -> Iterator[str]:
    """Cut a text into pieces that an embedder reads whole; a text is as close as its closest."""
    while len(text) > _WINDOW_CHARACTERS:
        cut = text.rfind(" ", _WINDOW_CHARACTERS // 2, _WINDOW_CHARACTERS) + 1 or _WINDOW_CHARACTERS
        yield text[:cut]
        text = text[cut:]
    yield text
