"""Passages → index → the passages that bear on a text."""

import importlib
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

# What brings LangChain, numpy and the rest with it waits until it is asked for.
_LAZY = {"PassageRetriever": "._retriever"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_LAZY[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
