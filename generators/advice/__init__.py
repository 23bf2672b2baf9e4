"""Difficult advice."""

from ._advice import Advice
from ._opinions import Domains, Principles, PromptDraft, PromptTypes, Scenarios, Verdict
from ._options import Cite, Options

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
