"""Deliberation for choices: rationales of preference pairs."""

from ._choices import Choices
from ._opinions import Appraisal, Verdict
from ._options import Cite, OnConflict, Options

__all__ = [
    "Appraisal",
    "Choices",
    "Cite",
    "OnConflict",
    "Options",
    "Verdict",
]
