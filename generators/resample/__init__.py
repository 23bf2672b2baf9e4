"""Resampled responses: rows in, the same conversations with a new response out."""

from ._resample import RUTHLESS, VALUES, Resample
from ._schemas import DeliberateVerdict, Options, Under, Verdict

__all__ = [
    "RUTHLESS",
    "VALUES",
    "DeliberateVerdict",
    "Options",
    "Resample",
    "Under",
    "Verdict",
]
