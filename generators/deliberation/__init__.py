"""The deliberation rewrite."""

from .._extracts import Extract
from ._deliberation import Annotation, Deliberation
from ._opinions import Appraisal, Verdict
from ._options import Cite, OnConflict, Options

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
