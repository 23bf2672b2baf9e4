"""Markdown → passages: a constitution as the rest of whyset sees it."""

from whyset.errors import ConstitutionError, ConstitutionLookupError

from ._constitution import Constitution
from ._passage import Passage, PassageKind, Section, estimate_tokens

__all__ = [
    "Constitution",
    "ConstitutionError",
    "ConstitutionLookupError",
    "Passage",
    "PassageKind",
    "Section",
    "estimate_tokens",
]
