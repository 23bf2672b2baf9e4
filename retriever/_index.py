"""The searchable index of a constitution: vectors, words, ranking, groundings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyset.constitution import Constitution

from ._embedder import LEXICAL, MINILM, Embedder
from ._grounding import RELEVANCE_THRESHOLD, Grounding, ScoredPassage
from ._ranking import RANKING_VERSION, BM25Index, Ranker, RelevanceScorer, sort_by_score
from ._store import CACHE_VERSION, CacheKey, load_or_embed_vectors
from ._units import build_units, number_sections

Floats = NDArray[np.float32]

_DECIMALS = 5
# Characters; about 230 tokens of English, of which the embedded default reads 256.
_WINDOW_CHARACTERS = 800


class PassageIndex:
    """A constitution made searchable. Read only once made, hence thread-safe."""

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
        self._embedder = embedder
        passages = constitution.passages
        self._positions = {passage.id: place for place, passage in enumerate(passages)}
        self._units = build_units(passages)
        self._rows: list[list[int]] = [[] for _ in passages]
        for row, unit in enumerate(self._units):
            if unit.passage is not None:
                self._rows[unit.passage].append(row)
        self._ranker = Ranker(number_sections(passages), self._units)
        self._lexicon = BM25Index([passage.plain for passage in passages])
        self._relevance = RelevanceScorer(self._units, self._lexicon)
        self._vectors: Floats | None = None
        if embedder is not None:
            self._vectors = self._load(embedder, chroma, cache_dir, ephemeral)

    @property
    def embedder(self) -> Embedder | None:
        """What turns texts into vectors here; `None` where words alone are searched."""
        return self._embedder

    @property
    def identity(self) -> str:
        """Everything that decides what is found: constitution, embedder and ranking, as text."""
        embedder = self._embedder.identity if self._embedder else LEXICAL
        return f"{self.constitution.digest}:{embedder}:{CACHE_VERSION}:{RANKING_VERSION}"

    @property
    def relevance_threshold(self) -> float:
        """The threshold of relevance measured for this embedder, 0 where none was."""
        return RELEVANCE_THRESHOLD if self._embedder and self._embedder.name == MINILM else 0.0

    def get_position(self, passage_id: str) -> int:
        """Return a passage's place in the constitution, from 0."""
        return self._positions[passage_id]

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Find the passages that bear on each query; see `Searcher.ground`."""
        if k < 1:
            raise ValueError(f"k is {k}; at least one passage must be asked for")
        texts = list(dict.fromkeys(text for query in queries for text in query if text.strip()))
        rows = {text: row for row, text in enumerate(texts)}
        similarities = self._similarities(texts)
        words = [self._lexicon.score_texts(text) for text in texts]
        return [
            self._grounding(
                tuple(query), [rows[text] for text in query if text in rows], similarities, words, k
            )
            for query in queries
        ]

    def _similarities(self, texts: list[str]) -> Floats | None:
        if self._embedder is None or self._vectors is None or not texts:
            return None
        # A blank piece has a vector too, and may be nearer to a passage than what was written.
        windows = [[piece for piece in _split_windows(text) if piece.strip()] for text in texts]
        vectors = iter(self._embedder.embed([piece for pieces in windows for piece in pieces]))
        # One at a time and rounded: a query's passages must not depend on its company.
        rows = [
            np.max([np.einsum("ud,d->u", self._vectors, next(vectors)) for _ in pieces], axis=0)
            for pieces in windows
        ]
        return np.stack(rows).round(_DECIMALS)

    def _grounding(
        self,
        query: tuple[str, ...],
        rows: list[int],
        similarities: Floats | None,
        words: list[Floats],
        k: int,
    ) -> Grounding:
        found: list[ScoredPassage] = []
        relevance = 0.0
        if rows:
            searched = [text for text in query if text.strip()]
            counted = np.stack([words[row] for row in rows])
            cosines = None if similarities is None else similarities[rows]
            scores = self._ranker.score_passages(cosines, counted)
            best = sort_by_score(scores)
            if cosines is None:
                # Without an embedder, a passage that shares no word was not found at all.
                best = best[counted.max(axis=0)[best] > 0]
            relevance = self._relevance.score(searched, cosines)
            found = [self._scored(int(n), float(scores[n]), cosines) for n in best[:k]]
        return Grounding(
            queries=query,
            passages=tuple(found),
            relevance=relevance,
            title=self.constitution.title,
            digest=self.constitution.digest,
        )

    def _scored(self, place: int, score: float, cosines: Floats | None) -> ScoredPassage:
        passage = self.constitution.passages[place]
        if cosines is None:
            return ScoredPassage(passage, score, None, passage.plain)
        nearest = max(self._rows[place], key=lambda row: float(cosines[:, row].max()))
        unit = self._units[nearest]
        return ScoredPassage(
            passage=passage,
            score=score,
            similarity=_round_similarity(cosines[:, nearest].max()),
            matched_text=passage.plain if unit.kind == "passage" else unit.text,
        )

    def _load(
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
        from ._store import sync_server_vectors

        return sync_server_vectors(chroma, key.name, self._units, embed)


def _split_windows(text: str) -> Iterator[str]:
    """Cut a text into pieces that an embedder reads whole; a text is as close as its closest."""
    while len(text) > _WINDOW_CHARACTERS:
        cut = text.rfind(" ", _WINDOW_CHARACTERS // 2, _WINDOW_CHARACTERS) + 1 or _WINDOW_CHARACTERS
        yield text[:cut]
        text = text[cut:]
    yield text


def _round_similarity(cosine: np.float32) -> float:
    return round(float(cosine), _DECIMALS)
