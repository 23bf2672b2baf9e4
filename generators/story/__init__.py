"""Stories: fictional AIs that act admirably, told through what they think and feel."""

from ._opinions import Dilemmas, Findings, Opening, Premises, Verdict
from ._options import Options, Step
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
