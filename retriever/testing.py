"""A searcher for tests: no index, no embedder. Nothing that ships imports it."""

from collections.abc import Sequence

from whyset.constitution import Constitution

from ._grounding import Grounding, ScoredPassage


class FakeSearcher:
    """Finds the passages that share the most words with a query, and records every query.

    Attributes:
        constitution: What is searched.
        relevance: The relevance of every grounding.
        queries: Every query so far, in order.
    """

    def __init__(self, constitution: Constitution, *, relevance: float = 1.0) -> None:
        self.constitution = constitution
        self.relevance = relevance
        self.queries: list[tuple[str, ...]] = []

    @property
    def identity(self) -> str:
        """The constitution's digest."""
        return f"fake {self.constitution.digest}"

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Rank by shared words, ties in the order of the document; always `k` where there are."""
        self.queries.extend(tuple(query) for query in queries)
        return [self._ground(tuple(query), k) for query in queries]

    def _ground(self, query: tuple[str, ...], k: int) -> Grounding:
        wanted = set(" ".join(query).casefold().split())
        scored = [
            ScoredPassage(
                passage=passage,
                score=float(len(wanted & set(passage.plain.casefold().split()))),
                similarity=None,
                matched_text=passage.plain,
            )
            for passage in self.constitution.passages
        ]
        scored.sort(key=lambda found: -found.score)
        return Grounding(
            queries=query,
            passages=tuple(scored[:k]),
            relevance=self.relevance,
            title=self.constitution.title,
            digest=self.constitution.digest,
        )
