"""Records → rows, one at a time; what cannot be read is a `BadRow` and the reading goes on."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

from whyset.errors import DatasetError

from ._json import dumps
from ._row import BadRow, Row
from ._selection import DEFAULT, Selection
from ._shapes import row_of
from .containers import Named, Record, Source, open_source, read_text, records_in
from .shapes import UnusableRecord


def read_rows(
    source: Named | Source | Iterable[Named] | Iterable[Mapping[str, Any]],
    *,
    selection: Selection = DEFAULT,
) -> Iterator[Row | BadRow]:
    """Read rows from wherever they lie.

    Args:
        source: A file, a pattern, a folder, `hf://org/name`, `-` for standard input, or several of
            them; or rows themselves: a `Dataset` or `IterableDataset`, or any mappings.
        selection: What of each row is to be worked on.

    Raises:
        DatasetError: The source cannot be read, or not to its end.
    """
    selection = _told_by_identity(selection)
    if not isinstance(source, Source):
        if not _is_named(source):
            yield from _rows(_held(source), selection)
            return
        source = open_source(*([source] if isinstance(source, str | Path) else source))
    for record, place in source.records():
        yield _row(record, selection, place)


def read_stream(
    stream: BinaryIO, *, name: str, selection: Selection = DEFAULT
) -> Iterator[Row | BadRow]:
    """Read rows from an open binary stream: JSON lines, a JSON array or CSV, packed or not.

    Args:
        stream: What to read from; it is left open.
        name: What to call it in messages.
        selection: What of each row is to be worked on.

    Raises:
        DatasetError: The stream cannot be read to its end.
    """
    yield from _rows(read_text(stream, name), _told_by_identity(selection))


def row_from_record(
    columns: dict[str, Any], *, line: int = 1, selection: Selection = DEFAULT
) -> Row:
    """Make a row of a record that is already parsed, for use from a library.

    Args:
        columns: The record.
        line: What to call it in messages.
        selection: What of it is to be worked on.

    Raises:
        DatasetError: It holds no usable conversation.
    """
    digest = hashlib.sha256(dumps(columns)).hexdigest()
    try:
        return row_of(columns, line=line, digest=digest, selection=selection)
    except UnusableRecord as error:
        raise DatasetError(f"row {line}: {error}") from error


def _rows(records: Iterable[Record | BadRow], selection: Selection) -> Iterator[Row | BadRow]:
    for record in records:
        yield _row(record, selection)


def _row(record: Record | BadRow, selection: Selection, source: str = "") -> Row | BadRow:
    if isinstance(record, BadRow):
        return replace(record, source=source)
    line, columns, raw = record
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return row_of(columns, line=line, digest=digest, selection=selection, source=source)
    except UnusableRecord as error:
        return BadRow(line, str(error), raw, source)


def _told_by_identity(selection: Selection) -> Selection:
    """Return the default selection itself for one that equals it: by identity each row tells it."""
    return DEFAULT if selection == DEFAULT else selection


def _held(values: Any) -> Iterator[Record | BadRow]:
    """Yield the records of a dataset that a library holds, or of mappings."""
    from .tables import as_table, records_of

    table = as_table(values)
    return records_in(values) if table is None else records_of(table, "the dataset")


def _is_named(source: Any) -> TypeGuard[Named | Sequence[Named]]:
    if isinstance(source, str | Path):
        return True
    named = isinstance(source, list | tuple) and bool(source)
    return named and all(isinstance(name, str | Path) for name in source)
