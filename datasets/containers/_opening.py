"""Parts of the input, opened: their records, their number, their layout and their schema."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from whyset.errors import DatasetError

from .._counting import count_lines
from .._row import BadRow
from ._arrays import read_array
from ._csv import read_csv
from ._layout import TABULAR, Layout, form_of, packing_of
from ._lines import read_lines
from ._record import Record
from ._sources import Part
from ._streams import buffered, unpacked

if TYPE_CHECKING:
    from ..tables import Table


def read_part(part: Part) -> Iterator[Record | BadRow]:
    """Yield the records of a part of the input.

    Raises:
        DatasetError: It cannot be read, or not to its end.
    """
    if (table := table_of(part)) is not None:
        from ..tables import records_of

        yield from records_of(table, part.name)
        return
    try:
        with _opened(part) as stream:
            yield from read_text(stream, part.name)
    except OSError as error:
        raise _unreadable(part, error) from error


def read_text(stream: BinaryIO, name: str) -> Iterator[Record | BadRow]:
    """Yield the records of an open stream: JSON lines, a JSON array or CSV, packed or not.

    Args:
        stream: What to read from; it is left open.
        name: What to call it in messages.

    Raises:
        DatasetError: It cannot be read to its end, or is of a form that is read from files only.
    """
    peeked = unpacked(stream, name)
    form = form_of(peeked.look_at_lines(), name)
    if form == "jsonl":
        yield from read_lines(peeked, name)
    elif form == "json":
        yield from read_array(buffered(peeked), name)
    elif form in {"csv", "tsv"}:
        yield from read_csv(buffered(peeked), name, tabs=form == "tsv")
    else:
        raise DatasetError(
            f"{name}: is {form.capitalize()}, which is read from a file alone; save it, unpacked, "
            "and name the file"
        )


def table_of(part: Part) -> "Table | None":
    """Open a part that has a schema; `None` for text.

    Raises:
        DatasetError: It cannot be opened.
    """
    if part.kind in {"saved", "hub"}:
        from ..tables import open_dataset

        return open_dataset(part)
    layout = layout_of(part)
    if layout.packing or layout.form not in TABULAR:
        return None
    from ..tables import open_table

    return open_table(part.place, part.name, parquet=layout.form == "parquet")


def layout_of(part: Part) -> Layout:
    """Return how a part's rows lie; JSON lines for standard input, which was not looked at yet.

    Raises:
        DatasetError: It cannot be read.
    """
    if part.kind == "stdin":
        return Layout()
    if part.kind != "file":
        return Layout("folder")
    if not os.path.isfile(part.place):
        return Layout()  # a pipe is looked at while it is read
    try:
        with open(part.place, "rb") as stream:
            packing = packing_of(stream.read(4))
            stream.seek(0)
            return Layout(form_of(unpacked(stream, part.name).look_at_lines(), part.name), packing)
    except OSError as error:
        raise _unreadable(part, error) from error


def count_part(part: Part) -> int | None:
    """Return about how many rows a part has, without reading what they say.

    Returns:
        The count, of text that of its lines; `None` where only reading it would tell.

    Raises:
        DatasetError: It is a table and cannot be opened.
    """
    if part.kind == "stdin":
        return None
    if (table := table_of(part)) is not None:
        return table.count()
    layout = layout_of(part)
    if layout.packing or layout.form == "json":
        return None
    lines = count_lines(Path(part.place))
    return lines if lines is None or layout.form == "jsonl" else max(lines - 1, 0)


def _opened(part: Part) -> AbstractContextManager[BinaryIO]:
    if part.kind != "stdin":
        return open(part.place, "rb")
    if sys.stdin is None:
        raise DatasetError("standard input: is closed")
    try:
        number = sys.stdin.fileno()
    except io.UnsupportedOperation:  # a stream in memory
        return nullcontext(sys.stdin.buffer)
    # A stream of our own: were Python's to be closed at exit while the reading thread waits in it
    # for a line that never comes, the interpreter would abort.
    return os.fdopen(os.dup(number), "rb")


def _unreadable(part: Part, error: OSError) -> DatasetError:
    return DatasetError(f"{part.name}: cannot be read: {error.strerror or error}")
