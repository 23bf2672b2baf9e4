"""Difficult advice."""

from ._advice import Advice
from ._schemas import (
    Cite,
    Domains,
    Options,
    Principles,
    PromptDraft,
    PromptTypes,
    Scenarios,
    Verdict,
)

__all__ = [
    "Advice",
    "Cite",
    "Domains",
    "Options",
    "Principles",
    "PromptDraft",
    "PromptTypes",
    "Scenarios",
    "Verdict",
]
