"""What became of the rows of an export, counted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """What became of the rows.

    Attributes:
        read: How many there were.
        exported: How many of them are exported.
        synthetic: How many of those were written, in whole or in part.
        outcomes: Exported rows by outcome; `""` for rows without provenance.
        left_out: Rows left out on purpose, by outcome or by `kind:FAMILY`.
        refused: Rows in quarantine by reason.
        reasoning: Exported rows whose last response carries reasoning.
        reasoning_earlier: Exported rows in which an earlier response does.
        left_columns: Columns that are not exported → in how many rows they stood.
        renamed: Roles and parts that were written otherwise → in how many rows.
    """

    read: int = 0
    exported: int = 0
    synthetic: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasoning: int = 0
    reasoning_earlier: int = 0
    left_columns: Counter[str] = field(default_factory=Counter)
    renamed: Counter[str] = field(default_factory=Counter)
