"""Explanatory documents: texts in which the reasons of a constitution are at work."""

from .._extracts import Extract
from ._explanation import Digest, Explanation
from ._opinions import Findings, IdeaList, Score, Subtypes
from ._options import Options, Step
from ._types import DocumentType, document_type, listed_types

__all__ = [
    "Digest",
    "DocumentType",
    "Explanation",
    "Extract",
    "Findings",
    "IdeaList",
    "Options",
    "Score",
    "Step",
    "Subtypes",
    "document_type",
    "listed_types",
]
