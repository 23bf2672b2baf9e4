"""All of a run's input as one: its records in order, whatever they lie in."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from whyset.errors import DatasetError

from .._row import BadRow
from ._csv import read_csv
from ._detect import (
    TABLE_FORMATS,
    FileFormat,
    buffer_stream,
    decode_stream,
    detect_compression,
    detect_format,
)
from ._jsonl import count_lines, read_array, read_lines
from ._locate import InputPart, is_matched_by, label_parts, locate_parts
from ._record import Record

if TYPE_CHECKING:
    import pyarrow as pa

    from ._arrow import ArrowSource

InputName = str | Path
"""A file, a pattern, a folder, a dataset on the hub, or `-`; see `locate_parts`."""


class SourcedRecord(NamedTuple):
    """A record, and where it comes from.

    Attributes:
        record: It; its `line` goes on counting where the part before ended.
        source: The part and the line in it, as in `b.jsonl:3`; empty where there is but one part.
    """

    record: Record | BadRow
    source: str


@dataclass(frozen=True, slots=True)
class Source:
    """What is read, part after part.

    Attributes:
        parts: The files and datasets, in order.
        names: What they were named by.
    """

    parts: tuple[InputPart, ...]
    names: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """What each part is called where no whole path may be shown: the end of its path."""
        return label_parts(self.parts)

    def records(self) -> Iterator[SourcedRecord]:
        """Yield the records of all parts.

        Raises:
            DatasetError: A part cannot be read.
        """
        if len(self.parts) == 1:
            for record in read_part(self.parts[0]):
                yield SourcedRecord(record, "")
            return
        before = 0
        for part, label in zip(self.parts, self.labels, strict=True):
            line = 0
            for record in read_part(part):
                line = record.line
                yield SourcedRecord(_shift_line(record, before), f"{label}:{line}")
            before += line

    def count_rows(self) -> int | None:
        """Return about how many rows there are; `None` where that takes reading them.

        Raises:
            DatasetError: A part cannot be opened.
        """
        counts = [count_part_rows(part) for part in self.parts]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def file_format(self) -> FileFormat:
        """Return how the rows of the first part lie.

        Raises:
            DatasetError: It cannot be read.
        """
        return detect_part_format(self.parts[0])

    def schema(self) -> "pa.Schema | None":
        """Return the columns and types of the parts that say them; `None` where none does.

        Raises:
            DatasetError: A part cannot be opened, or two contradict each other.
        """
        tables = [(part, open_part_table(part)) for part in self.parts]
        schemas = [(part.name, table.schema) for part, table in tables if table is not None]
        if not schemas:
            return None
        from ._arrow import unify_schemas

        return unify_schemas(schemas)

    def find_matching_input(self, path: Path) -> str:
        """Return the folder or pattern by which a file would be found; empty where none does."""
        saved = (part.location for part in self.parts if part.kind == "saved")
        return next((name for name in (*self.names, *saved) if is_matched_by(name, path)), "")

    def files(self) -> Iterator[Path]:
        """Yield the local files and folders that are read."""
        for part in self.parts:
            if part.kind in {"file", "saved"}:
                yield Path(part.location)


def open_source(*names: InputName) -> Source:
    """Find what is to be read; nothing is opened yet.

    Args:
        names: Files, patterns, folders, datasets on the hub, or `-`.

    Raises:
        DatasetError: There is nothing of that name.
    """
    return Source(locate_parts(names), tuple(map(str, names)))


def _shift_line(record: Record | BadRow, by: int) -> Record | BadRow:
    line = record.line + by
    return record._replace(line=line) if isinstance(record, Record) else replace(record, line=line)


# ---- One part, opened: its records, their number, its format and its schema.


def read_part(part: InputPart) -> Iterator[Record | BadRow]:
    """Yield the records of a part of the input.

    Raises:
        DatasetError: It cannot be read, or not to its end.
    """
    if (table := open_part_table(part)) is not None:
        from ._arrow import read_table

        yield from read_table(table, part.name)
        return
    try:
        with _open_part(part) as stream:
            yield from read_records(stream, part.name)
    except OSError as error:
        raise _unreadable_error(part, error) from error


def read_records(stream: BinaryIO, name: str) -> Iterator[Record | BadRow]:
    """Yield the records of an open stream: JSON lines, a JSON array or CSV, packed or not.

    Args:
        stream: What to read from; it is left open.
        name: What to call it in messages.

    Raises:
        DatasetError: It cannot be read to its end, or is of a form that is read from files only.
    """
    peeked = decode_stream(stream, name)
    form = detect_format(peeked.peek_lines(), name)
    if form == "jsonl":
        yield from read_lines(peeked, name)
    elif form == "json":
        yield from read_array(buffer_stream(peeked), name)
    elif form in {"csv", "tsv"}:
        yield from read_csv(buffer_stream(peeked), name, tabs=form == "tsv")
    else:
        raise DatasetError(
            f"{name}: is {form.capitalize()}, which is read from a file alone; save it, unpacked, "
            "and name the file"
        )


def open_part_table(part: InputPart) -> "ArrowSource | None":
    """Open a part that has a schema; `None` for text."""
    if part.kind in {"saved", "hub"}:
        from ._hub import open_dataset

        return open_dataset(part)
    layout = detect_part_format(part)
    if layout.compression or layout.name not in TABLE_FORMATS:
        return None
    from ._arrow import open_table

    return open_table(part.location, part.name, parquet=layout.name == "parquet")


def detect_part_format(part: InputPart) -> FileFormat:
    """Return how a part's rows lie; JSON lines for standard input, which was not looked at yet."""
    if part.kind == "stdin":
        return FileFormat()
    if part.kind != "file":
        return FileFormat("folder")
    if not os.path.isfile(part.location):
        return FileFormat()  # a pipe is looked at while it is read
    try:
        with open(part.location, "rb") as stream:
            packing = detect_compression(stream.read(4))
            stream.seek(0)
            return FileFormat(
                detect_format(decode_stream(stream, part.name).peek_lines(), part.name), packing
            )
    except OSError as error:
        raise _unreadable_error(part, error) from error


def count_part_rows(part: InputPart) -> int | None:
    """Return about how many rows a part has; `None` where only reading it would show."""
    if part.kind == "stdin":
        return None
    if (table := open_part_table(part)) is not None:
        return table.count_rows()
    layout = detect_part_format(part)
    if layout.compression or layout.name == "json":
        return None
    lines = count_lines(Path(part.location))
    return lines if lines is None or layout.name == "jsonl" else max(lines - 1, 0)


def _open_part(part: InputPart) -> AbstractContextManager[BinaryIO]:
    if part.kind != "stdin":
        return open(part.location, "rb")
    if sys.stdin is None:
        raise DatasetError("standard input: is closed")
    try:
        number = sys.stdin.fileno()
    except io.UnsupportedOperation:  # a stream in memory
        return nullcontext(sys.stdin.buffer)
    # A stream of our own: were Python's to be closed at exit while the reading thread waits in it
    # for a line that never comes, the interpreter would abort.
    return os.fdopen(os.dup(number), "rb")


def _unreadable_error(part: InputPart, error: OSError) -> DatasetError:
    return DatasetError(f"{part.name}: cannot be read: {error.strerror or error}")
