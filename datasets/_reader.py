"""JSON lines → rows, one at a time; what cannot be read is a `BadRow` and the reading goes on."""

import hashlib
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ._errors import DatasetError
from ._json import NotJson, dumps, loads
from ._row import BadRow, Row
from ._shapes import UnusableRecord, kind_of, read_conversation

MAX_LINE = 16 * 1024 * 1024
"""The longest line that is read as a row, in bytes; a longer one goes to quarantine."""

MAX_RAW_LINE = 512 * 1024 * 1024
"""Beyond this many bytes without a line end the file is not JSON lines, and nothing is read."""

_BOM = b"\xef\xbb\xbf"
STDIN = "-"


class _Line(NamedTuple):
    number: int
    raw: bytes


def read_rows(source: str | Path) -> Iterator[Row | BadRow]:
    """Read a JSON-lines file, or standard input for `-`.

    A file that holds one JSON object spread over several lines is read as one row. Blank lines
    are no rows; a byte-order mark and CRLF line ends are passed over.

    Raises:
        DatasetError: The file cannot be read, or is not JSON lines at all.
    """
    if str(source) == STDIN:
        yield from read_stream(sys.stdin.buffer, name="standard input")
        return
    try:
        with Path(source).open("rb") as stream:
            yield from read_stream(stream, name=str(source))
    except OSError as error:
        raise DatasetError(f"{source}: cannot be read: {error.strerror or error}") from error


def read_stream(stream: BinaryIO, *, name: str) -> Iterator[Row | BadRow]:
    """Read rows from an open binary stream; see `read_rows`.

    Args:
        stream: What to read from; it is left open.
        name: What to call it in messages.
    """
    lines = _lines(stream, name)
    for line in chain(_opening(lines, name), lines):
        yield _row(line)


def row_from_record(columns: dict[str, Any], *, line: int = 1) -> Row:
    """Make a row of a record that is already parsed, for use from a library.

    Raises:
        DatasetError: It holds no usable conversation.
    """
    try:
        shape, conversation = read_conversation(columns)
    except UnusableRecord as error:
        raise DatasetError(f"row {line}: {error}") from error
    digest = hashlib.sha256(dumps(columns)).hexdigest()
    return Row(line, columns, shape, conversation, digest)


def _row(line: _Line) -> Row | BadRow:
    if len(line.raw) > MAX_LINE:
        size, limit = len(line.raw) / 2**20, MAX_LINE // 2**20
        reason = f"line too long: {size:.0f} MiB; the limit is {limit} MiB"
        return BadRow(line.number, reason, line.raw)
    try:
        columns = loads(line.raw)
        if not isinstance(columns, dict):
            reason = f"not a JSON object but {kind_of(columns)}"
            return BadRow(line.number, reason, line.raw)
        shape, conversation = read_conversation(columns)
    except (NotJson, UnusableRecord) as error:
        return BadRow(line.number, str(error), line.raw)
    digest = hashlib.sha256(line.raw).hexdigest()
    return Row(line.number, columns, shape, conversation, digest)


def _opening(lines: Iterator[_Line], name: str) -> list[_Line]:
    """Return the first line, or all that belongs to it where it only begins an object."""
    first = next(lines, None)
    if first is None:
        return []
    if len(first.raw) > MAX_LINE:
        return [first]
    opener, complete = first.raw.lstrip()[:1], _is_json(first.raw)
    if opener == b"[":
        second = next(lines, None)
        if second is None or not complete:
            raise DatasetError(
                f"{name}:{first.number}: is a JSON array, not JSON lines; write one object a line, "
                "for example with: jq -c '.[]'"
            )
        return [first, second]
    if opener == b"{" and not complete:
        return _spread(first, lines)
    return [first]


def _spread(first: _Line, lines: Iterator[_Line]) -> list[_Line]:
    """Join the lines of a file that is one object; where it is none, return them as they were."""
    held, size = [first], len(first.raw)
    while size <= MAX_LINE and (later := next(lines, None)):
        held.append(later)
        size += len(later.raw) + 1
    whole = b"\n".join(line.raw for line in held)
    return [_Line(first.number, whole)] if size <= MAX_LINE and _is_json(whole) else held


def _lines(stream: BinaryIO, name: str) -> Iterator[_Line]:
    number = 0
    while line := stream.readline(MAX_RAW_LINE):
        number += 1
        if len(line) == MAX_RAW_LINE:
            raise DatasetError(
                f"{name}:{number}: a line of over {MAX_RAW_LINE // 2**20} MiB; is this JSON lines?"
            )
        if number == 1:
            line = line.removeprefix(_BOM)
        stripped = line.rstrip(b"\r\n")
        if stripped.strip():
            yield _Line(number, stripped)


def _is_json(raw: bytes) -> bool:
    try:
        loads(raw)
    except NotJson:
        return False
    return True
