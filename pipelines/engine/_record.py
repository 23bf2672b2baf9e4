"""What is kept of a row that is done: enough to write it again without asking or finding."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from whyset.datasets import BadRow, build_quarantine_line, dumps, loads, serialise_provenance
from whyset.generators import (
    Finished,
    Item,
    Rejected,
    StepsResult,
    Usage,
    add_provenance,
    evidence_record,
    usage_record,
)

QUARANTINED = "quarantined"
"""The outcome of a row that is not in the output."""


@dataclass(frozen=True, slots=True)
class RowRecord:
    """What became of a row.

    Attributes:
        outcome: `rewritten`, `untouched`, …, or `quarantined`.
        usage: What its replies took together.
        line: The output line, of a row that is not quarantined.
        reasons: Why a row is quarantined: one word each, to be counted.
        detail: The same for a person.
        quarantine_fields: What else the quarantine file tells of it.
    """

    UNREADABLE: ClassVar[str] = "unreadable"
    UNAVAILABLE: ClassVar[str] = "unavailable"
    TURNED_DOWN: ClassVar[str] = "turned_down"

    outcome: str
    usage: Usage = Usage()
    line: bytes | None = None
    reasons: tuple[str, ...] = ()
    detail: str = ""
    quarantine_fields: Mapping[str, Any] | None = None

    @classmethod
    def from_result(
        cls, driven: StepsResult[Finished | Rejected], *, models: dict[str, str]
    ) -> "RowRecord":
        """Make the record of a row whose steps have ended."""
        result, usage = driven.result, driven.usage
        if isinstance(result, Finished):
            columns = add_provenance(result, usage=usage, models=models)
            return cls(result.outcome, usage, line=dumps(serialise_provenance(columns)))
        known = evidence_record(result.evidence, models=models)
        known |= {"draft": result.draft, "usage": usage_record(usage)}
        return cls(
            QUARANTINED,
            usage,
            reasons=result.reasons,
            detail=result.detail,
            quarantine_fields=known,
        )

    @classmethod
    def for_unanswered(cls, reason: str, detail: str) -> "RowRecord":
        """Make the record of a row that could not be asked about; a later run tries it again."""
        return cls(QUARANTINED, reasons=(reason,), detail=detail)

    @classmethod
    def for_unreadable(cls, row: BadRow) -> "RowRecord":
        """Make the record of a line that holds no usable row."""
        return cls(QUARANTINED, reasons=(cls.UNREADABLE,), detail=row.reason)

    def quarantine_line(self, row: Item | BadRow) -> bytes:
        """Return the line of the quarantine file."""
        content = row if isinstance(row, BadRow) else row.columns
        known: dict[str, Any] = (
            {} if self.quarantine_fields is None else {"whyset": self.quarantine_fields}
        )
        place = getattr(row, "source", "")
        return build_quarantine_line(
            row.line, self.reasons, content, source=place, detail=self.detail, **known
        )

    def to_bytes(self) -> bytes:
        """Serialise for the ledger: a line of JSON, and behind it the output line as it is."""
        head = dumps(
            {
                "outcome": self.outcome,
                "usage": usage_record(self.usage),
                "reasons": self.reasons,
                "detail": self.detail,
                "known": self.quarantine_fields,
            }
        )
        return head if self.line is None else head + b"\n" + self.line

    @classmethod
    def from_bytes(cls, data: bytes) -> "RowRecord":
        """Read what `to_bytes` wrote."""
        head, finished, line = data.partition(b"\n")
        held = loads(head)
        return cls(
            held["outcome"],
            Usage(**held["usage"]),
            line if finished else None,
            tuple(held["reasons"]),
            held["detail"],
            held["known"],
        )


def row_key(row: Item, crew_identity: str) -> str:
    """Return what a row's record is kept under: its content, and all else that could change it."""
    return hashlib.sha256(f"{row.digest}{crew_identity}".encode()).hexdigest()
