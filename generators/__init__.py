"""What to ask a model, and what must hold of its answer; no input or output of its own."""

from ._checks import Check
from ._driving import Driven, adrive, drive
from ._errors import Declined, GeneratorError, RowRejected
from ._generator import Generator, open_generator
from ._result import (
    OUTCOMES,
    Evidence,
    Finished,
    Outcome,
    Quote,
    Rejected,
    evidence_record,
    usage_record,
    with_provenance,
)
from ._steps import Ask, Find, Model, RateLimit, RateLimits, Reply, Role, Steps, Stop, Usage

__all__ = [
    "OUTCOMES",
    "Ask",
    "Check",
    "Declined",
    "Driven",
    "Evidence",
    "Find",
    "Finished",
    "Generator",
    "GeneratorError",
    "Model",
    "Outcome",
    "Quote",
    "RateLimit",
    "RateLimits",
    "Rejected",
    "Reply",
    "Role",
    "RowRejected",
    "Steps",
    "Stop",
    "Usage",
    "adrive",
    "drive",
    "evidence_record",
    "open_generator",
    "usage_record",
    "with_provenance",
]
