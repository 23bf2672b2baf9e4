"""Diversified environments: rows in, the same conversations in other surroundings out."""

from ._diversify import Diversify
from ._opinions import DraftTool, Environment, ResponseVerdict, StandingVerdict, Verdict
from ._options import KeepSystem, Options

__all__ = [
    "Diversify",
    "DraftTool",
    "Environment",
    "KeepSystem",
    "Options",
    "ResponseVerdict",
    "StandingVerdict",
    "Verdict",
]
