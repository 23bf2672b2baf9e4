"""Passages → index → the passages that bear on a text.

Importing this package imports neither LangChain nor numpy: the retriever is loaded when it is
first named.
"""

from typing import TYPE_CHECKING

from whyset.errors import EmbedderUnavailable, RetrieverError

from ._embedder import Embedder, open_embedder
from ._evaluation import (
    LabelledQuery,
    RetrievalEvaluation,
    RetrievalMetrics,
    evaluate_searcher,
    load_labelled_queries,
)
from ._grounding import (
    RELEVANCE_THRESHOLD,
    FetchScope,
    Grounding,
    ScoredPassage,
    Searcher,
    fetch_passages,
)

if TYPE_CHECKING:
    from ._retriever import PassageRetriever

__all__ = [
    "RELEVANCE_THRESHOLD",
    "Embedder",
    "EmbedderUnavailable",
    "FetchScope",
    "Grounding",
    "LabelledQuery",
    "PassageRetriever",
    "RetrievalEvaluation",
    "RetrievalMetrics",
    "RetrieverError",
    "ScoredPassage",
    "Searcher",
    "evaluate_searcher",
    "fetch_passages",
    "load_labelled_queries",
    "open_embedder",
]


def __getattr__(name: str) -> object:
    if name != "PassageRetriever":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._retriever import PassageRetriever

    globals()[name] = PassageRetriever
    return PassageRetriever


def __dir__() -> list[str]:
    return __all__
