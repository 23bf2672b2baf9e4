"""Stories: fictional AIs that act admirably, through what they think and feel."""

from ._schemas import Dilemmas, Findings, Opening, Options, Premises, Step, Verdict
from ._story import Story

__all__ = [
    "Dilemmas",
    "Findings",
    "Opening",
    "Options",
    "Premises",
    "Step",
    "Story",
    "Verdict",
]
