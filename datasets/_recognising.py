"""What shape the rows of a dataset have, found by looking at them; told before anything is done."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._row import BadRow, Row, Shape
from ._selection import DEFAULT, Selection
from ._shapes import read_record
from .shapes import UnusableRecord


@dataclass(frozen=True, slots=True)
class Recognised:
    """How many rows have which shape.

    Attributes:
        counts: Shape → rows of it, the most frequent first.
        unusable: How many have none, or break the one they have.
        reasons: Why, and how many for that reason, the most frequent first.
    """

    counts: Mapping[Shape, int]
    unusable: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return sum(self.counts.values()) + self.unusable

    @property
    def shape(self) -> Shape | None:
        """The most frequent shape; `None` where no row has any."""
        return next(iter(self.counts), None)

    @property
    def agree(self) -> bool:
        """Whether all rows that can be used have one shape."""
        return len(self.counts) <= 1

    def __str__(self) -> str:
        """Return the counts as a person reads them: `5,000 rows: sharegpt 4,990, unusable 10`."""
        told = [f"{shape} {count:,}" for shape, count in self.counts.items()]
        if self.unusable:
            told.append(f"unusable {self.unusable:,}")
        noun = "row" if self.rows == 1 else "rows"
        return f"{self.rows:,} {noun}: {', '.join(told)}" if told else "no rows"


def recognise(
    records: Iterable[Mapping[str, Any] | Row | BadRow], selection: Selection = DEFAULT
) -> Recognised:
    """Count the shapes of a dataset's rows, or of a sample of them.

    Args:
        records: Records as they were parsed, or rows as they were read.
        selection: How records are read; what it does not find in one makes that unusable.
    """
    counts: Counter[Shape] = Counter()
    reasons: Counter[str] = Counter()
    for record in records:
        if isinstance(record, Row):
            counts[record.shape] += 1
        elif isinstance(record, BadRow):
            reasons[record.reason] += 1
        else:
            try:
                counts[read_record(record, selection).shape] += 1
            except UnusableRecord as error:
                reasons[str(error)] += 1
    return Recognised(dict(counts.most_common()), reasons.total(), dict(reasons.most_common()))
