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
from typing import Any, BinaryIO, NamedTuple

from whyset.errors import DatasetError, UnsupportedRow

from .._json import dumps, loads
from .._provenance import find_provenance
from .._row import PROVENANCE_COLUMN, BadRow, Shape
from .._writer import build_quarantine_line
from ..files import Source
from ..files._atomic import unwritable_error
from ..shapes._response import is_text_part
from ._control import CONTROL_OUTCOME, UNTOUCHED_OUTCOME, restore_original
from ._example import Example, ExampleFamily, ExportKind, get_family, get_outcome, read_example
from ._format import ExportStyle, TrainerFormat
from ._settings import ExportSettings

_EXCLUDED_OUTCOMES = frozenset({"annotated", "quarantined"})


class ExportLine(NamedTuple):
    """A row as it is written: what decides its split, its JSON, and its control's, or nothing."""

    split_key: str
    row: bytes
    control: bytes

    def to_bytes(self) -> bytes:
        head = dumps([self.split_key, len(self.row)])
        return b"%d %b%b%b" % (len(head), head, self.row, self.control)

    @classmethod
    def from_bytes(cls, data: bytes) -> "ExportLine":
        size, _, rest = data.partition(b" ")
        split_key, length = loads(rest[: int(size)])
        body = rest[int(size) :]
        return cls(split_key, body[:length], body[length:])


class Spool(AbstractContextManager["Spool"]):
    """Lines set aside in a nameless file beside an output, read again in any order.

    Memory holds where each line begins; the file is gone when the process is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = array("Q")
        self._end = 0
        try:
            self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # Closed on exit.
        except OSError as error:
            raise unwritable_error(str(folder), error) from error

    def add(self, line: bytes) -> None:
        self._starts.append(self._end)
        try:
            self._end += self._file.write(line + b"\n")
        except OSError as error:
            raise unwritable_error(str(self._folder), error) from error

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> bytes:
        self._file.seek(self._starts[number])
        return self._file.readline().removesuffix(b"\n")

    def __iter__(self) -> Iterator[bytes]:
        try:
            self._file.seek(0)
        except OSError as error:  # what was written may still have to reach the disk
            raise unwritable_error(str(self._folder), error) from error
        for line in self._file:
            yield line.removesuffix(b"\n")

    def __exit__(self, *_: object) -> None:
        self._file.close()


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


@dataclass(frozen=True, slots=True)
class CollectedRows:
    """The lines of an export, its own and those that can be mixed in; `columns` is all of theirs.

    Reasoning is mixed where some rows carry it and others, the control's included, do not.
    """

    kind: ExportKind
    own: Spool
    ordinary: Spool
    own_counts: ExportCounts
    ordinary_counts: ExportCounts
    columns: frozenset[str]
    has_mixed_reasoning: bool


class RowCollector:
    """Reads the rows of one export; those that cannot be exported go to `on_quarantine`."""

    def __init__(
        self,
        trainer: TrainerFormat,
        settings: ExportSettings,
        folder: Path,
        *,
        on_row: Callable[[Mapping[str, Any] | None], None],
        on_quarantine: Callable[[bytes], None],
    ) -> None:
        self._trainer = trainer
        self._settings = settings
        self._folder = folder
        self._on_row = on_row
        self._on_quarantine = on_quarantine
        self._own_counts, self._ordinary_counts = ExportCounts(), ExportCounts()
        self._columns: set[str] = set()
        self._families: Counter[ExampleFamily] = Counter()
        self._shapes: set[Shape | None] = set()
        self._reasoning: set[bool] = set()

    def collect(self, source: Source, mix: Source | None, stack: ExitStack) -> CollectedRows:
        """Read rows, and those that can be mixed in."""
        own, ordinary = (stack.enter_context(Spool(self._folder)) for _ in range(2))
        with Spool(self._folder) as own_rows, Spool(self._folder) as ordinary_rows:
            self._set_aside(source, own_rows, self._own_counts, mixed=False)
            if mix is not None:
                self._set_aside(mix, ordinary_rows, self._ordinary_counts, mixed=True)
            kind = self._choose_kind()
            has_mixed_reasoning = True in self._reasoning and (
                False in self._reasoning or self._settings.control
            )
            style = ExportStyle(self._settings.think_tags, has_mixed_reasoning)
            self._convert(own_rows, own, kind, style, self._own_counts)
            self._convert(ordinary_rows, ordinary, kind, style, self._ordinary_counts)
        return CollectedRows(
            kind,
            own,
            ordinary,
            self._own_counts,
            self._ordinary_counts,
            frozenset(self._columns),
            has_mixed_reasoning,
        )

    def _set_aside(
        self, source: Source, spool: Spool, counts: ExportCounts, *, mixed: bool
    ) -> None:
        for record, place in source.records():
            counts.read += 1
            if isinstance(record, BadRow):
                self._quarantine(counts, record.line, "unreadable", record.reason, record, place)
                continue
            outcome = get_outcome(find_provenance(record.columns))
            if mixed and _is_synthetic(outcome):
                raise DatasetError(
                    f"--mix: {place or f'line {record.line}'} was written by whyset (outcome "
                    f"{outcome!r}); only ordinary rows can be mixed in"
                )
            if outcome in _EXCLUDED_OUTCOMES - self._settings.include:
                counts.excluded[outcome] += 1
                continue
            try:
                example = read_example(record.columns)
            except UnsupportedRow as error:
                self._quarantine(
                    counts, record.line, error.reason, str(error), record.columns, place
                )
                continue
            if not mixed:
                self._families[example.family] += 1
                self._shapes.add(example.shape)
            self._reasoning.add(example.has_reasoning)
            spool.add(dumps([record.line, place, record.columns]))

    def _choose_kind(self) -> ExportKind:
        """Return what is exported: what was asked for, or what all rows are."""
        trainer, kind = self._trainer, self._settings.kind
        if kind is None:
            if len(self._families) > 1:
                found = ", ".join(f"{name} {count:,}" for name, count in self._families.items())
                raise DatasetError(
                    f"rows of several kinds ({found}), which cannot be trained on together; export "
                    "one after the other with --kind messages, preference or text"
                )
            family: ExampleFamily = next(iter(self._families), "conversation")
            if family != "conversation":
                kind = family
            else:
                in_parts = self._shapes == {"completion"} and "completion" in trainer.kinds
                kind = "completion" if in_parts else "messages"
        if kind not in trainer.kinds:
            raise DatasetError(
                f"{trainer.title} does not read rows of kind {kind!r}; it reads: "
                f"{', '.join(trainer.kinds)}"
            )
        return kind

    def _convert(
        self, rows: Spool, lines: Spool, kind: ExportKind, style: ExportStyle, counts: ExportCounts
    ) -> None:
        family = get_family(kind)
        for number, place, columns in map(loads, rows):
            example = read_example(columns)
            if example.family != family:
                counts.excluded[f"kind:{example.family}"] += 1
                continue
            try:
                line = self._build_line(columns, example, kind, style)
            except UnsupportedRow as error:
                self._quarantine(counts, number, error.reason, str(error), columns, place)
                continue
            lines.add(line.to_bytes())
            self._count(counts, example)

    def _build_line(
        self, columns: Mapping[str, Any], example: Example, kind: ExportKind, style: ExportStyle
    ) -> ExportLine:
        row = self._build_row(example, kind, style)
        control = b""
        if self._settings.control:
            original = read_example(restore_original(columns, self._settings.selection))
            control = dumps(self._build_row(original, kind, style))
        self._columns |= row.keys()
        digest = blake2b(example.split_key.encode("utf-8", "surrogatepass"), digest_size=16)
        return ExportLine(digest.hexdigest(), dumps(row), control)

    def _build_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        trainer, settings = self._trainer, self._settings
        row = trainer.format_row(example, kind, style)
        if not trainer.allows_extra_columns:
            return row
        extra = example.extra or {}
        for name in settings.keep:
            if name in trainer.reserved_columns:
                raise DatasetError(f"--keep {name}: is a reserved column for {trainer.title}")
            if name in extra:
                row[name] = extra[name]
        if example.provenance is not None and not settings.drop_provenance:
            row[PROVENANCE_COLUMN] = dumps(dict(example.provenance)).decode()
        return row

    def _count(self, counts: ExportCounts, example: Example) -> None:
        counts.exported += 1
        counts.synthetic += _is_synthetic(example.outcome)
        counts.outcomes[example.outcome] += 1
        counts.with_reasoning += example.has_reasoning
        counts.with_earlier_reasoning += example.has_earlier_reasoning
        counts.dropped_columns.update((example.extra or {}).keys() - set(self._settings.keep))
        if not self._trainer.allows_extra_columns and example.provenance is not None:
            counts.dropped_columns[PROVENANCE_COLUMN] += 1
        counts.changes.update(_iter_changes(example))
        if counts is self._own_counts:
            self._on_row(example.provenance)

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


def _iter_changes(example: Example) -> Iterator[str]:
    """Yield what of a row is written otherwise than it stood; an export reports it."""
    messages = (*example.messages, *example.rejected)
    roles = {message.role for message in messages}
    if "developer" in roles:
        yield "the role developer is written as system"
    if "function" in roles:
        yield "the role function is written as tool"
    if any(len(m.parts) > 1 and all(map(is_text_part, m.parts)) for m in messages):
        yield "several text parts are written as one text, nothing between them"
