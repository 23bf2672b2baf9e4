"""Probes: questions that measure whether a model has taken in a constitution."""

from ._probe import ExtractedProbe, Probe
from ._schemas import (
    DIFFICULTIES,
    FORMATS,
    KINDS,
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
