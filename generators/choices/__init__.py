"""Deliberation for choices: rationales of preference pairs."""

from .._generator import Cite
from ._choices import Choices
from ._schemas import Appraisal, OnConflict, Options, Verdict

__all__ = [
    "Appraisal",
    "Choices",
    "Cite",
    "OnConflict",
    "Options",
    "Verdict",
]
