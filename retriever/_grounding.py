"""Groundings: what a search for passages returns, and who can be searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from whyset.constitution import Constitution, Passage

RELEVANCE_THRESHOLD = 0.1
"""Rows of lower `Grounding.relevance` surely have nothing at stake, by the embedded default.

docs/retrieval.md has the measurement. It holds for `minilm` only; other embedders need their own.
"""

UNKNOWN_RELEVANCE = 1.0
"""The relevance of what cannot be measured: no embedder, or a text in another language than the
constitution. No threshold settles such a row."""


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage found, and how well it met the query.

    Attributes:
        passage: The passage.
        score: What orders a grounding, higher first; comparable within one grounding only.
        similarity: The best cosine between the query and the passage (or a unit of it), -1 to 1;
            `None` where no embedder was used. Comparable across queries.
        matched_text: The part of the passage that met the query best (a sentence, a turn of an
            example); the whole plain text where it has no parts.
    """

    passage: Passage
    score: float
    similarity: float | None
    matched_text: str


@dataclass(frozen=True, slots=True)
class Grounding:
    """The passages retrieved for a query, best first.

    Attributes:
        queries: What was searched for.
        passages: What was found.
        relevance: How much the constitution has to say about the query, 0 to 1; see
            `RELEVANCE_THRESHOLD`. 1 where that is unknown (no embedder, another language than the
            constitution's), 0 where all texts are empty.
        title: The title of the constitution they come from.
        digest: That constitution's digest.
    """

    queries: tuple[str, ...]
    passages: tuple[ScoredPassage, ...]
    relevance: float
    title: str
    digest: str


@runtime_checkable
class Searcher(Protocol):
    """Anything that finds passages: a `PassageRetriever`, or a fake in a test."""

    @property
    def constitution(self) -> Constitution:
        """The constitution the passages come from."""

    @property
    def identity(self) -> str:
        """Everything that decides what is found: constitution, embedder and ranking, as text."""

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Find the passages that bear on each query.

        Args:
            queries: Each one or several texts (the turns of a conversation), which are matched
                one by one and their results fused. Empty texts find nothing.
            k: How many passages to return for each, at most.

        Returns:
            One grounding a query, in their order.
        """


FetchScope = Literal["passages", "section", "document"]
"""How much comes along: nothing, the rest of each passage's own section, or everything."""


def fetch_passages(
    constitution: Constitution, ids: Sequence[str], *, scope: FetchScope = "passages"
) -> Grounding:
    """Return passages by their ids, as a search would return them.

    Args:
        constitution: Where they stand.
        ids: The passages wanted; they come first, in this order, and score 1.
        scope: What comes behind them, in the order of the document, and scores 0.

    Returns:
        A grounding of relevance 1, whose texts are the ids.

    Raises:
        ConstitutionLookupError: There is no such passage; the message names the nearest.
    """
    wanted = {name: constitution.passage(name) for name in ids}
    paths = {passage.path for passage in wanted.values()}
    along = [
        passage
        for passage in constitution.passages
        if passage.id not in wanted
        and (scope == "document" or (scope == "section" and passage.path in paths))
    ]
    scored = [
        *(ScoredPassage(passage, 1.0, None, passage.plain) for passage in wanted.values()),
        *(ScoredPassage(passage, 0.0, None, passage.plain) for passage in along),
    ]
    return Grounding(tuple(ids), tuple(scored), 1.0, constitution.title, constitution.digest)
