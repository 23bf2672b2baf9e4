"""JSON lines → records; what is no record is told and passed over."""

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

from whyset.errors import DatasetError

from .._json import NotJson, loads
from .._row import BadRow
from ..shapes import kind_of
from ._keys import count_keys
from ._record import MAX_LINE, Record, too_long

MAX_RAW_LINE = 512 * 1024 * 1024
"""Beyond this many bytes without a line end the file is not JSON lines, and nothing is read."""

_BLOCK = 1 << 18
_HELD = 1 << 24
_BOM = b"\xef\xbb\xbf"

_Line = tuple[int, bytes, int | None]
"""Its number, its text, and how many keys that has at most, where it is known."""


class Readable(Protocol):
    """A stream that gives what is there, without waiting for more."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return some bytes; none at the end."""


def read_lines(stream: Readable, name: str) -> Iterator[Record | BadRow]:
    """Read JSON lines from a stream.

    A stream that holds one JSON object spread over several lines is one record. Blank lines are
    none; a byte-order mark and CRLF line ends are passed over.

    Raises:
        DatasetError: A line has no end.
    """
    # glibc gives a block's memory back to the system and takes it anew with every block, page by
    # page, until a larger piece was free once; this one is never touched.
    bytes(_HELD)
    lines = _lines(stream, name)
    for number, raw, keys in chain(_opening(lines), lines):
        yield record_of(number, raw, keys)


def record_of(number: int, raw: bytes, keys: int | None = None) -> Record | BadRow:
    """Parse one record.

    Args:
        number: Its line.
        raw: Its text.
        keys: How many keys the text has at most, where that is known.
    """
    if len(raw) > MAX_LINE:
        return too_long(number, raw)
    try:
        columns = loads(raw, keys=keys)
    except NotJson as error:
        return BadRow(number, str(error), raw)
    if type(columns) is not dict:
        return BadRow(number, f"not a JSON object but {kind_of(columns)}", raw)
    return Record(number, columns, raw)


def _opening(lines: Iterator[_Line]) -> list[_Line]:
    """Return the first line; where the whole stream is one object, that object as a line."""
    first = next(lines, None)
    if first is None:
        return []
    raw = first[1]
    begun = len(raw) <= MAX_LINE and raw.lstrip().startswith(b"{")
    return _spread(first, lines) if begun and not _is_json(raw) else [first]


def _spread(first: _Line, lines: Iterator[_Line]) -> list[_Line]:
    """Join the lines of a file that is one object; where it is none, return them as they were."""
    held, size = [first], len(first[1])
    while size <= MAX_LINE and (later := next(lines, None)):
        held.append(later)
        size += len(later[1]) + 1
    whole = b"\n".join(raw for _, raw, _ in held)
    return [(first[0], whole, None)] if size <= MAX_LINE and _is_json(whole) else held


def _lines(stream: Readable, name: str) -> Iterator[_Line]:
    number = 0
    for block, ends in _blocks(stream, name):
        start = 0
        for end, keys in zip(ends, count_keys(block, ends), strict=True):
            number += 1
            # One by one: what takes the place of the line before is at hand when it is parsed.
            raw = block[start:end].rstrip(b"\r")
            start = end + 1
            if number == 1:
                raw = raw.removeprefix(_BOM)
            if raw and not raw.isspace():
                yield number, raw, keys


def _ends(block: bytes) -> list[int]:
    ends, end = [], -1
    while (end := block.find(b"\n", end + 1)) >= 0:
        ends.append(end)
    return ends


def _blocks(stream: Readable, name: str) -> Iterator[tuple[bytes, list[int]]]:
    """Yield whole lines, as many as came at once, and where they end; the last may have no end."""
    pieces: list[bytes] = []
    size = number = 0
    while piece := stream.read1(_BLOCK):
        end = piece.rfind(b"\n") + 1
        if not end:
            pieces.append(piece)
            size += len(piece)
            if size >= MAX_RAW_LINE:
                raise DatasetError(
                    f"{name}:{number + 1}: a line of over {MAX_RAW_LINE // 2**20} MiB; is this "
                    "JSON lines?"
                )
            continue
        block = b"".join((*pieces, memoryview(piece)[:end]))
        ends = _ends(block)
        number += len(ends)
        pieces, size = [piece[end:]], len(piece) - end
        yield block, ends
    if rest := b"".join(pieces):
        yield rest, [len(rest)]


def _is_json(raw: bytes) -> bool:
    try:
        loads(raw)
    except NotJson:
        return False
    return True
