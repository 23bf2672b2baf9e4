"""Probes: questions that measure whether a model has taken in a constitution."""

from ._opinions import Comparison, ControlAnswer, FactList, Posed, Reference, Verdict, Written
from ._options import Options, Step
from ._probe import ExtractedProbe, Probe
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
