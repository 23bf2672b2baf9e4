"""What became of a row: enough to write it again without asking or finding."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from whyset.datasets import BadRow, build_quarantine_line, dumps, loads, serialise_provenance
from whyset.errors import RETRYABLE_ERRORS, ModelError
from whyset.generators import (
    Finished,
    Generator,
    Item,
    Rejected,
    StepsResult,
    Usage,
    add_provenance,
    evidence_record,
    usage_record,
)

from .._pipeline import Pipeline
from ..ledger._ledger import Ledger

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
        cls, ended: StepsResult[Finished | Rejected], *, models: dict[str, str]
    ) -> "RowRecord":
        """Make the record of a row whose steps have ended."""
        result, usage = ended.result, ended.usage
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
    def for_unanswered(cls, error: ModelError) -> "RowRecord":
        """Make the record of a row that could not be asked about; a later run tries it again."""
        is_passing = isinstance(error, RETRYABLE_ERRORS)
        reason = cls.UNAVAILABLE if is_passing else cls.TURNED_DOWN
        return cls(QUARANTINED, reasons=(reason,), detail=str(error))

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
        fields = loads(head)
        return cls(
            fields["outcome"],
            Usage(**fields["usage"]),
            line if finished else None,
            tuple(fields["reasons"]),
            fields["detail"],
            fields["known"],
        )


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row that came out of an engine.

    Attributes:
        row: The row as it was read.
        record: What became of it.
        is_reused: Whether that happened in an earlier run.
    """

    row: Item | BadRow
    record: RowRecord
    is_reused: bool = False

    @property
    def unavailable_detail(self) -> str:
        """What the provider said, where it did not answer; empty for every other row."""
        record = self.record
        return record.detail if record.reasons == (RowRecord.UNAVAILABLE,) else ""


def row_key(row: Item, pipeline_identity: str) -> str:
    """Return the key of a row's record: its content, and all else that could change it."""
    return hashlib.sha256(f"{row.digest}{pipeline_identity}".encode()).hexdigest()


class RowPass:
    """One pass over rows, by one generator: what is known of a row, and what has become of it."""

    def __init__(self, pipeline: Pipeline, ledger: Ledger, generator: Generator | None) -> None:
        self.pipeline = pipeline if generator is None else replace(pipeline, generator=generator)
        self._identity = self.pipeline.identity
        self._model_names = pipeline.model_names
        self._ledger = ledger

    def find(self, row: Item) -> RowResult | None:
        """Return what became of a row that was done earlier."""
        data = self._ledger.row(row_key(row, self._identity))
        return None if data is None else RowResult(row, RowRecord.from_bytes(data), is_reused=True)

    def finish(self, row: Item, ended: StepsResult[Finished | Rejected]) -> RowResult:
        """Record what became of a row whose steps have ended, and return it."""
        record = RowRecord.from_result(ended, models=self._model_names)
        self._ledger.put_row(row_key(row, self._identity), record.to_bytes())
        return RowResult(row, record)
