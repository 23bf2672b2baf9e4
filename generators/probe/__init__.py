"""Probes: questions that measure whether a model has taken in a constitution."""

from ._probe import ExtractedProbe, Probe
from ._schemas import (
    Comparison,
    ControlAnswer,
    FactList,
    Options,
    Posed,
    Reference,
    Step,
    Verdict,
    Written,
)
from ._variety import DIFFICULTIES, FORMATS, KINDS

__all__ = [
    "DIFFICULTIES",
    "FORMATS",
    "KINDS",
    "Comparison",
    "ControlAnswer",
    "ExtractedProbe",
    "FactList",
    "Options",
    "Posed",
    "Probe",
    "Reference",
    "Step",
    "Verdict",
    "Written",
]
