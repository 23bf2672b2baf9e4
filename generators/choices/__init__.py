"""Deliberation for choices: rationales of preference pairs."""

from ._choices import Choices
from ._schemas import Appraisal, Cite, OnConflict, Options, Verdict

__all__ = [
    "Appraisal",
    "Choices",
    "Cite",
    "OnConflict",
    "Options",
    "Verdict",
]
