"""Diversified environments: rows in, the same conversations in other surroundings out."""

from ._diversify import Diversify
from ._schemas import (
    DraftTool,
    Environment,
    KeepSystem,
    Options,
    ResponseVerdict,
    StandingVerdict,
    Verdict,
)

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
