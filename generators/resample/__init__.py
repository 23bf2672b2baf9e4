"""Resampled responses: rows in, the same conversations with a new response out."""

from ._opinions import DeliberateVerdict, Verdict
from ._options import Options, Under
from ._resample import Resample
from ._values import RUTHLESS, VALUES

__all__ = [
    "RUTHLESS",
    "VALUES",
    "DeliberateVerdict",
    "Options",
    "Resample",
    "Under",
    "Verdict",
]
