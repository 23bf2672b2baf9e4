"""The deliberation rewrite."""

from .._generator import Cite
from .._work import Extract
from ._deliberation import Annotation, Deliberation
from ._schemas import Appraisal, OnConflict, Options, Verdict

__all__ = [
    "Annotation",
    "Appraisal",
    "Cite",
    "Deliberation",
    "Extract",
    "OnConflict",
    "Options",
    "Verdict",
]
