"""Resampled responses: rows in, the same conversations with a new response out."""

from ._resample import RUTHLESS_VARIANTS, VALUE_NAMES, Resample
from ._schemas import DeliberateVerdict, Options, Under, Verdict

__all__ = [
    "RUTHLESS_VARIANTS",
    "VALUE_NAMES",
    "DeliberateVerdict",
    "Options",
    "Resample",
    "Under",
    "Verdict",
]
