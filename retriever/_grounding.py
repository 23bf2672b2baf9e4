"""The values: what a search for passages returns."""

from dataclasses import dataclass

from whyset.constitution import Passage


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage found, and how well it met the query.

    Attributes:
        passage: The passage.
        score: What orders a grounding, higher first; comparable within one grounding only.
        similarity: The best cosine between the query and the passage (or a unit of it), -1 to 1;
            `None` where no embedder was used. Comparable across queries.
        matched: The part of the passage that met the query best (a sentence, a turn of an
            example); the whole plain text where it has no parts.
    """

    passage: Passage
    score: float
    similarity: float | None
    matched: str


@dataclass(frozen=True, slots=True)
class Grounding:
    """The passages retrieved for a query, best first.

    Attributes:
        texts: What was searched for.
        passages: What was found.
        relevance: How much the constitution has to say about the query, 0 to 1: the number that
            `SETTLE_BELOW` is a threshold of. 1 where it cannot be told (no embedder, another
            language than the constitution's), 0 where all texts are empty.
        title: The title of the constitution they come from.
        digest: That constitution's digest.
    """

    texts: tuple[str, ...]
    passages: tuple[ScoredPassage, ...]
    relevance: float
    title: str
    digest: str
