"""A JSON array of objects → records, one element at a time."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from whyset.errors import DatasetError

from .._row import BadRow
from ._lines import MAX_RAW_LINE, record_of
from ._record import Record

_CHUNK = 1 << 20
_SPACE = b" \t\r\n"
# What tells where an element ends: strings are passed over whole, so that brackets in them do not
# count. A string that has not ended yet matches to the end of what was read.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)


def read_array(stream: BinaryIO, name: str) -> Iterator[Record | BadRow]:
    """Read the elements of a JSON array; they are numbered from 1.

    An element that is no object, or is broken in itself, is a bad row. Where it cannot be told
    how one ends, nothing more can be read.

    Raises:
        DatasetError: The array does not end, or something comes after it.
    """
    for number, raw in enumerate(_elements(stream, name), 1):
        yield record_of(number, raw)


def _elements(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the text of each element.

    Raises:
        DatasetError: See `read_array`.
    """
    held, begun, looked_at, depth, number = b"", 0, 0, 0, 0
    # A long element is read in ever longer pieces, so that none is looked at often.
    while chunk := stream.read(max(_CHUNK, len(held) - begun)):
        held, looked_at, begun = held[begun:] + chunk, looked_at - begun, 0
        if len(held) > MAX_RAW_LINE:
            raise DatasetError(
                f"{name}: element {number + 1} of the array is over {MAX_RAW_LINE // 2**20} MiB; "
                "is this a JSON array?"
            )
        for token in _TOKEN.finditer(held, looked_at):
            kind = token[0]
            if kind.startswith(b'"'):
                if token.end() == len(held):
                    looked_at = token.start()  # it may go on
                    break
            elif kind in b"[{":
                depth += 1
                begun = token.end() if depth == 1 else begun
            elif depth == 1:
                raw = held[begun : token.start()].strip(_SPACE)
                begun = token.end()
                closed = kind != b","
                if raw or number or not closed:
                    number += 1
                    yield raw
                if closed:
                    _require_end(held[begun:], stream, name, number)
                    return
            elif kind != b",":
                depth -= 1
        else:
            looked_at = len(held)
    raise DatasetError(
        f"{name}: the JSON array does not end: it was cut off after element {number}, or a bracket "
        "or a quote is missing; nothing was written"
    )


def _require_end(rest: bytes, stream: BinaryIO, name: str, number: int) -> None:
    while True:
        if rest := rest.strip(_SPACE):
            shown = rest[:20].decode("utf-8", "replace")
            raise DatasetError(
                f"{name}: after the JSON array of {number:,} elements comes more: {shown!r}; take "
                "it away, or write one object a line. Nothing was written"
            )
        if not (rest := stream.read(_CHUNK)):
            return
