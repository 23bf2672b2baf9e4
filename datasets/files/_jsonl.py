"""JSON → records: lines, a single object over several lines, or an array of objects."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from whyset.errors import DatasetError

from .._json import InvalidJson, count_keys, loads
from .._row import BadRow
from ._record import MAX_LINE, Record, parse_record

MAX_RAW_LINE = 512 * 1024 * 1024
"""Beyond this many bytes without a line end the file is not JSON lines, and nothing is read."""

_BLOCK = 1 << 18
_CHUNK = 1 << 20
_MAX_BUFFERED = 1 << 24
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
# Marks of where an element ends: strings are passed over whole, so that brackets in them do not
# count. A string that has not ended yet matches to the end of what was read.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)


_Line = tuple[int, bytes, int | None]
"""Its number, its text, and how many keys that has at most, where known."""


class ReadableStream(Protocol):
    """A stream that gives what is there, without waiting for more."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return some bytes; none at the end."""


def read_lines(stream: ReadableStream, name: str) -> Iterator[Record | BadRow]:
    """Read JSON lines from a stream.

    A stream that holds one JSON object spread over several lines is one record. Blank lines are
    none; a byte-order mark and CRLF line ends are passed over.

    Raises:
        DatasetError: A line has no end.
    """
    # glibc gives a block's memory back to the system and takes it anew with every block, page by
    # page, until a larger piece was free once; this one is never touched.
    bytes(_MAX_BUFFERED)
    lines = _split_lines(stream, name)
    for number, raw, keys in chain(_read_first_line(lines), lines):
        yield parse_record(number, raw, keys)


def _read_first_line(lines: Iterator[_Line]) -> list[_Line]:
    """Return the first line; where the whole stream is one object, that object as a line."""
    first = next(lines, None)
    if first is None:
        return []
    raw = first[1]
    begun = len(raw) <= MAX_LINE and raw.lstrip().startswith(b"{")
    return _join_single_object(first, lines) if begun and not _is_json(raw) else [first]


def _join_single_object(first: _Line, lines: Iterator[_Line]) -> list[_Line]:
    """Join the lines of a file that is one object; where it is none, return them as they were."""
    taken, size = [first], len(first[1])
    while size <= MAX_LINE and (later := next(lines, None)):
        taken.append(later)
        size += len(later[1]) + 1
    whole = b"\n".join(raw for _, raw, _ in taken)
    joined = size <= MAX_LINE and _is_json(whole)
    return [(first[0], whole, None)] if joined else taken


def _is_json(raw: bytes) -> bool:
    try:
        loads(raw)
    except InvalidJson:
        return False
    return True


def _split_lines(stream: ReadableStream, name: str) -> Iterator[_Line]:
    number = 0
    for block, ends in _read_blocks(stream, name):
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


def _read_blocks(stream: ReadableStream, name: str) -> Iterator[tuple[bytes, list[int]]]:
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
        ends = _find_line_ends(block)
        number += len(ends)
        pieces, size = [piece[end:]], len(piece) - end
        yield block, ends
    if rest := b"".join(pieces):
        yield rest, [len(rest)]


def _find_line_ends(block: bytes) -> list[int]:
    ends, end = [], -1
    while (end := block.find(b"\n", end + 1)) >= 0:
        ends.append(end)
    return ends


def read_array(stream: BinaryIO, name: str) -> Iterator[Record | BadRow]:
    """Read the elements of a JSON array; they are numbered from 1.

    An element that is no object, or is broken in itself, is a bad row. Where it cannot be said
    how one ends, nothing more can be read.

    Raises:
        DatasetError: The array does not end, or something comes after it.
    """
    for number, raw in enumerate(_split_elements(stream, name), 1):
        yield parse_record(number, raw)


def _split_elements(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the text of each element."""
    text, begun, looked_at, depth, number = b"", 0, 0, 0, 0
    # A long element is read in ever longer pieces, so that none is looked at often.
    while chunk := stream.read(max(_CHUNK, len(text) - begun)):
        text, looked_at, begun = text[begun:] + chunk, looked_at - begun, 0
        if len(text) > MAX_RAW_LINE:
            raise DatasetError(
                f"{name}: element {number + 1} of the array is over {MAX_RAW_LINE // 2**20} MiB; "
                "is this a JSON array?"
            )
        for token in _TOKEN.finditer(text, looked_at):
            kind = token[0]
            if kind.startswith(b'"'):
                if token.end() == len(text):
                    looked_at = token.start()  # it may go on
                    break
            elif kind in b"[{":
                depth += 1
                begun = token.end() if depth == 1 else begun
            elif depth == 1:
                raw = text[begun : token.start()].strip(_SPACE)
                begun = token.end()
                closed = kind != b","
                if raw or number or not closed:
                    number += 1
                    yield raw
                if closed:
                    _check_array_end(text[begun:], stream, name, number)
                    return
            elif kind != b",":
                depth -= 1
        else:
            looked_at = len(text)
    raise DatasetError(
        f"{name}: the JSON array does not end: it was cut off after element {number}, or a bracket "
        "or a quote is missing; nothing was written"
    )


def _check_array_end(rest: bytes, stream: BinaryIO, name: str, number: int) -> None:
    while True:
        if rest := rest.strip(_SPACE):
            shown = rest[:20].decode("utf-8", "replace")
            raise DatasetError(
                f"{name}: after the JSON array of {number:,} elements there is more data: "
                f"{shown!r}; take it away, or write one object a line. Nothing was written"
            )
        if not (rest := stream.read(_CHUNK)):
            return


def count_lines(path: Path) -> int | None:
    """Count a file's lines, blank ones included: about how many rows it has.

    Two gigabytes take a second or two.

    Returns:
        The count; `None` where the file cannot be read, or is a pipe that could be read only once.
    """
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            lines, last = 0, b"\n"
            while chunk := file.read(_CHUNK):
                lines += chunk.count(b"\n")
                last = chunk[-1:]
    except OSError:
        return None
    return lines + (last != b"\n")
