"""CSV and TSV → records, and rows → CSV.

A cell is text: `007` and an empty cell come out as they went in. Of the columns that hold
conversations, a cell that is a JSON array of objects is read as that array, and written as one.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

from whyset.errors import DatasetError

from .._json import InvalidJson, dumps, loads_text
from .._row import BadRow
from ._detect import detect_delimiter
from ._record import MAX_LINE, Record, check_duplicate_columns, serialise_record

_JSON_COLUMNS = frozenset(
    {"messages", "conversations", "conversation", "prompt", "completion", "chosen", "rejected"}
    | {"tools", "history"}
)
_BOM = "\ufeff"


def read_csv(stream: BinaryIO, name: str, *, tabs: bool = False) -> Iterator[Record | BadRow]:
    """Read the rows below a header; `line` is the line on which a row ends.

    Cells are separated by tabs where `tabs` is set, otherwise by what the header has most of.

    Raises:
        DatasetError: The header is missing, not UTF-8, or names a column twice.
    """
    text = _TextLines(stream)
    header_line = next(text, "")
    if not header_line.strip():
        if next(text, None) is None:
            return
        raise DatasetError(f"{name}: the first line is blank; CSV begins with a header")
    delimiter = "\t" if tabs else detect_delimiter(header_line) or ","
    # A quote that nobody closes would take in all rows behind it.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    lines = chain([header_line.removeprefix(_BOM)], text)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(rows)
    except csv.Error as error:
        raise DatasetError(f"{name}: the header is not CSV: {error}") from error
    _check_header(header, name)
    nested = [index for index, column in enumerate(header) if column in _JSON_COLUMNS]
    while True:
        text.taken.clear()
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(text.line, f"not CSV: {error}", text.raw())
            continue
        if not cells:
            continue
        yield _parse_csv_row(header, cells, nested, text)


def _parse_csv_row(
    header: list[str], cells: list[str], nested: list[int], text: "_TextLines"
) -> Record | BadRow:
    reason = ""
    if len(cells) != len(header):
        reason = f"{len(cells)} cells, where the header has {len(header)}"
    elif "\0" in "".join(cells):
        reason = "a NUL byte"
    elif any(not cell.isascii() and _is_undecoded(cell) for cell in cells):
        reason = "not UTF-8"
    if reason:
        return BadRow(text.line, reason, text.raw())
    values: list[Any] = cells
    for index in nested:
        if cells[index].startswith(("[{", "[[")):
            try:
                values[index] = loads_text(cells[index])
            except InvalidJson as error:
                return BadRow(text.line, f"{header[index]}: {error}", text.raw())
    return serialise_record(text.line, dict(zip(header, values, strict=True)))


def _check_header(header: list[str], name: str) -> None:
    if any("\0" in column or _is_undecoded(column) for column in header):
        raise DatasetError(f"{name}: the header is not UTF-8 text; save the file as UTF-8")
    check_duplicate_columns(header, name)


def _is_undecoded(cell: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in cell)


class _TextLines:
    """Lines of a stream as text; bytes that are not UTF-8 stay visible as halves of pairs.

    Attributes:
        line: How many lines were read.
        taken: Those since the last row.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.line = 0
        self.taken: list[str] = []
        self._stream = stream

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not (raw := self._stream.readline()):
            raise StopIteration
        self.line += 1
        text = raw.decode("utf-8", "surrogateescape")
        self.taken.append(text)
        return text

    def raw(self) -> bytes:
        """Return the row's lines as they stood."""
        return "".join(self.taken).rstrip("\r\n").encode("utf-8", "surrogateescape")


def write_csv(
    names: Sequence[str], rows: Iterable[Mapping[str, Any]], *, delimiter: str
) -> Iterator[bytes]:
    """Yield the header and the rows, line by line."""
    text = io.StringIO()
    # A cell with either of the line end's characters is quoted; the line end itself is LF.
    write = csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow
    write(names)
    yield _take_line(text)
    for row in rows:
        write([_format_cell(row.get(name)) for name in names])
        yield _take_line(text)


def _take_line(text: io.StringIO) -> bytes:
    line = text.getvalue().removesuffix("\r\n") + "\n"
    text.seek(0)
    text.truncate()
    return line.encode()


def _format_cell(value: Any) -> str:
    """Return a JSON value as a cell: text as it is, null as nothing, all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else dumps(value).decode()
