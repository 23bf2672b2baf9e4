"""Explanatory documents: texts in which the reasons of a constitution are at work."""

from .._work import Extract
from ._explanation import Digest, Explanation
from ._schemas import Findings, IdeaList, Options, Score, Step, Subtypes
from ._variety import DocumentType, load_document_types, resolve_document_type

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
    "load_document_types",
    "resolve_document_type",
]
