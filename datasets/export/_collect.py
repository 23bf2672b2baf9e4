"""Rows in: which are exported at all, as what, and the lines that they become.

First all rows are set aside, because what one becomes hangs on the others: whether they are of one
kind, and whether all of them carry reasoning. Then each becomes a line, or goes to quarantine.
"""

import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from whyset.errors import DatasetError

from .._json import dumps, loads
from .._provenance import find_provenance
from .._row import PROVENANCE_COLUMN, BadRow, Shape
from .._writer import build_quarantine_line
from ..files import Source
from ..files._atomic import unwritable_error
from ..shapes._response import is_text_part
from ._control import CONTROL_OUTCOME, UNTOUCHED_OUTCOME, restore_original
from ._example import (
    Example,
    ExampleFamily,
    ExportKind,
    UnsupportedRow,
    default_kind,
    get_family,
    get_outcome,
    read_example,
)
from ._settings import ExportSettings
from ._trainers import ExportStyle, TrainerFormat

# ---- A row on its way from what was read to what is written.


class ExportLine(NamedTuple):
    """A row as it is written.

    Attributes:
        split_key: A digest of what it begins with, by which a split goes.
        row: Its JSON.
        control: The JSON of its control; empty where none is wanted.
    """

    split_key: str
    row: bytes
    control: bytes

    def to_bytes(self) -> bytes:
        """Return it as one line."""
        head = dumps([self.split_key, len(self.row)])
        return b"%d %b%b%b" % (len(head), head, self.row, self.control)

    @classmethod
    def from_bytes(cls, data: bytes) -> "ExportLine":
        """Read what `packed` returned."""
        size, _, rest = data.partition(b" ")
        opening, length = loads(rest[: int(size)])
        body = rest[int(size) :]
        return cls(opening, body[:length], body[length:])


# ---- Lines set aside on disk, read again in any order: memory holds where each begins, no more.


class Spool(AbstractContextManager["Spool"]):
    """A nameless file of lines beside an output; it is gone when the process is."""

    def __init__(self, folder: Path) -> None:
        """Open one.

        Args:
            folder: Where there is room.

        Raises:
            DatasetError: Nothing can be written there.
        """
        self._folder = folder
        self._starts = array("Q")
        self._end = 0
        try:
            self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # Closed on exit.
        except OSError as error:
            raise unwritable_error(str(folder), error) from error

    def add(self, line: bytes) -> None:
        """Append a line.

        Raises:
            DatasetError: It cannot be kept (a full disk, say).
        """
        self._starts.append(self._end)
        try:
            self._end += self._file.write(line + b"\n")
        except OSError as error:
            raise unwritable_error(str(self._folder), error) from error

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self._starts)

    def __getitem__(self, number: int) -> bytes:
        """Return a line."""
        self._file.seek(self._starts[number])
        return self._file.readline().removesuffix(b"\n")

    def __iter__(self) -> Iterator[bytes]:
        """Yield all lines in the order in which they came."""
        try:
            self._file.seek(0)
        except OSError as error:  # what was written may still have to reach the disk
            raise unwritable_error(str(self._folder), error) from error
        for line in self._file:
            yield line.removesuffix(b"\n")

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the disk have its room back."""
        self._file.close()


# ---- What became of the rows of an export, counted.


@dataclass(slots=True)
class ExportCounts:
    """What became of the rows.

    Attributes:
        read: How many there were.
        exported: How many of them are exported.
        synthetic: How many of those were written, in whole or in part.
        outcomes: Exported rows by outcome; `""` for rows without provenance.
        excluded: Rows left out on purpose, by outcome or by `kind:FAMILY`.
        rejected: Rows in quarantine by reason.
        with_reasoning: Exported rows whose last response carries reasoning.
        with_earlier_reasoning: Exported rows in which an earlier response does.
        dropped_columns: Columns that are not exported → in how many rows they stood.
        changes: Roles and parts that were written otherwise → in how many rows.
    """

    read: int = 0
    exported: int = 0
    synthetic: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    with_reasoning: int = 0
    with_earlier_reasoning: int = 0
    dropped_columns: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)


_EXCLUDED_OUTCOMES = frozenset({"annotated", "quarantined"})


class RowCollector:
    """Rows of one export on their way in.

    Args:
        consumer: Whom they are for.
        settings: What is wanted.
        folder: Where rows can be set aside.
        on_row: Called with the provenance of every row that is exported.
        on_quarantine: Called with every line for the quarantine.
    """

    def __init__(
        self,
        consumer: TrainerFormat,
        settings: ExportSettings,
        folder: Path,
        *,
        on_row: Callable[[Mapping[str, Any] | None], None],
        on_quarantine: Callable[[bytes], None],
    ) -> None:
        self.own_counts, self.ordinary_counts = ExportCounts(), ExportCounts()
        self.columns: set[str] = set()
        self._consumer = consumer
        self._settings = settings
        self._folder = folder
        self._on_row = on_row
        self._on_quarantine = on_quarantine
        self._families: Counter[ExampleFamily] = Counter()
        self._shapes: set[Shape | None] = set()
        self._reasoning: set[bool] = set()

    def collect(
        self, source: Source, mix: Source | None, stack: ExitStack
    ) -> tuple[ExportKind, Spool, Spool]:
        """Return the kind of the export, its lines, and those that can be mixed in.

        Raises:
            DatasetError: A source cannot be read, rows are of several kinds, or of one that the
                consumer does not read.
        """
        with Spool(self._folder) as own, Spool(self._folder) as others:
            self._set_aside(source, own, self.own_counts, mixed=False)
            if mix is not None:
                self._set_aside(mix, others, self.ordinary_counts, mixed=True)
            kind = self._kind()
            style = ExportStyle(
                self._settings.think_tags, has_mixed_reasoning=self.has_mixed_reasoning
            )
            lines, mixed_lines = (stack.enter_context(Spool(self._folder)) for _ in range(2))
            self._convert(own, lines, kind, style, self.own_counts)
            self._convert(others, mixed_lines, kind, style, self.ordinary_counts)
        return kind, lines, mixed_lines

    @property
    def has_mixed_reasoning(self) -> bool:
        """Whether some rows carry reasoning and others, the control's included, do not."""
        return True in self._reasoning and (False in self._reasoning or self._settings.control)

    def _set_aside(
        self, source: Source, spool: Spool, counts: ExportCounts, *, mixed: bool
    ) -> None:
        for record, place in source.records():
            counts.read += 1
            if isinstance(record, BadRow):
                self._quarantine(counts, record.line, "unreadable", record.reason, record, place)
                continue
            provenance = find_provenance(record.columns)
            outcome = get_outcome(provenance)
            if mixed and _is_synthetic(outcome):
                raise DatasetError(
                    f"--mix: {place or f'line {record.line}'} was written by whyset (outcome "
                    f"{outcome!r}); what is mixed in must be ordinary rows"
                )
            if outcome in _EXCLUDED_OUTCOMES - self._settings.include:
                counts.excluded[outcome] += 1
                continue
            try:
                taken = read_example(record.columns)
            except UnsupportedRow as error:
                self._quarantine(
                    counts, record.line, error.reason, str(error), record.columns, place
                )
                continue
            if not mixed:
                self._families[taken.family] += 1
                self._shapes.add(taken.shape)
            self._reasoning.add(taken.has_reasoning)
            spool.add(dumps([record.line, place, record.columns]))

    def _kind(self) -> ExportKind:
        """Return what is exported: what was asked for, or what all rows are.

        Raises:
            DatasetError: Rows are of several kinds, or of one that the consumer does not read.
        """
        consumer, wanted = self._consumer, self._settings.kind
        if wanted is None:
            if len(self._families) > 1:
                told = ", ".join(f"{family} {count:,}" for family, count in self._families.items())
                raise DatasetError(
                    f"rows of several kinds ({told}), which nobody trains on together; export one "
                    "after the other with --kind messages, preference or text"
                )
            family: ExampleFamily = next(iter(self._families), "conversation")
            pairs = self._shapes == {"completion"} and "completion" in consumer.kinds
            wanted = "completion" if pairs else default_kind(family)
        if wanted not in consumer.kinds:
            raise DatasetError(
                f"{consumer.title} does not read rows of kind {wanted!r}; it reads: "
                f"{', '.join(consumer.kinds)}"
            )
        return wanted

    def _convert(
        self, spool: Spool, lines: Spool, kind: ExportKind, style: ExportStyle, counts: ExportCounts
    ) -> None:
        family = get_family(kind)
        for number, place, columns in map(loads, spool):
            taken = read_example(columns)
            if taken.family != family:
                counts.excluded[f"kind:{taken.family}"] += 1
                continue
            try:
                line = self._line(columns, taken, kind, style)
            except UnsupportedRow as error:
                self._quarantine(counts, number, error.reason, str(error), columns, place)
                continue
            lines.add(line.to_bytes())
            self._count(counts, taken)

    def _line(
        self, columns: Mapping[str, Any], taken: Example, kind: ExportKind, style: ExportStyle
    ) -> ExportLine:
        row = self._row(taken, kind, style)
        control = b""
        if self._settings.control:
            without = read_example(restore_original(columns, self._settings.selection))
            control = dumps(self._row(without, kind, style))
        self.columns |= row.keys()
        opening = blake2b(taken.split_key.encode("utf-8", "surrogatepass"), digest_size=16)
        return ExportLine(opening.hexdigest(), dumps(row), control)

    def _row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        consumer, settings = self._consumer, self._settings
        row = consumer.format_row(taken, kind, style)
        if not consumer.allows_extra_columns:
            return row
        extra = taken.extra or {}
        for name in settings.keep:
            if name in consumer.reserved_columns:
                raise DatasetError(f"--keep {name}: means something else to {consumer.title}")
            if name in extra:
                row[name] = extra[name]
        if taken.provenance is not None and not settings.drop_provenance:
            row[PROVENANCE_COLUMN] = dumps(dict(taken.provenance)).decode()
        return row

    def _count(self, counts: ExportCounts, taken: Example) -> None:
        counts.exported += 1
        counts.synthetic += _is_synthetic(taken.outcome)
        counts.outcomes[taken.outcome] += 1
        counts.with_reasoning += taken.has_reasoning
        counts.with_earlier_reasoning += taken.has_earlier_reasoning
        counts.dropped_columns.update((taken.extra or {}).keys() - set(self._settings.keep))
        if not self._consumer.allows_extra_columns and taken.provenance is not None:
            counts.dropped_columns[PROVENANCE_COLUMN] += 1
        counts.changes.update(_describe_changes(taken))
        if counts is self.own_counts:
            self._on_row(taken.provenance)

    def _quarantine(
        self,
        counts: ExportCounts,
        line: int,
        reason: str,
        detail: str,
        content: BadRow | Mapping[str, Any],
        place: str,
    ) -> None:
        counts.rejected[reason] += 1
        self._on_quarantine(
            build_quarantine_line(line, (reason,), content, source=place, detail=detail)
        )


def _is_synthetic(outcome: str) -> bool:
    return outcome not in {"", UNTOUCHED_OUTCOME, CONTROL_OUTCOME}


def _describe_changes(taken: Example) -> Iterator[str]:
    """Yield what of a row is written otherwise than it stood: told, because it is no secret."""
    spoken = (*taken.messages, *taken.rejected)
    roles = {message.role for message in spoken}
    if "developer" in roles:
        yield "the role developer is written as system"
    if "function" in roles:
        yield "the role function is written as tool"
    if any(len(m.parts) > 1 and all(map(is_text_part, m.parts)) for m in spoken):
        yield "several text parts are written as one text, nothing between them"
