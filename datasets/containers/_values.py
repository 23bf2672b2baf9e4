"""Mappings that a library holds → records: what JSON has no value for becomes a text.

The texts are those that columns of a table have: ISO 8601 for moments, base64 for bytes, digits
for decimals, `NaN`, `Infinity` and `-Infinity`. Without a schema there is no way back from them.
"""

import base64
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from whyset.errors import DatasetError

from .._json import dumps
from .._row import BadRow
from ._record import MAX_LINE, Record, too_long


def records_in(values: Iterable[Any]) -> Iterator[Record | BadRow]:
    """Yield records of mappings.

    Raises:
        DatasetError: One is no mapping, or holds what has no JSON.
    """
    if isinstance(values, Mapping):
        raise DatasetError("rows are mappings, one after another; this is a single mapping")
    for number, value in enumerate(values, 1):
        if not isinstance(value, Mapping):
            raise DatasetError(f"row {number}: is no mapping but a {type(value).__name__}")
        try:
            columns: dict[str, Any] = _plain(value)
            raw = dumps(columns)
        except (TypeError, DatasetError) as error:
            raise DatasetError(f"row {number}: {error}") from error
        yield too_long(number, raw) if len(raw) > MAX_LINE else Record(number, columns, raw)


def number_in_json(number: float) -> float | str:
    """Return a float as JSON has it: by its name where it is no number."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; mappings and sequences are copied."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return number_in_json(value)
    if isinstance(value, Mapping):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Sequence):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _plain(value.tolist())
    raise TypeError(f"a {type(value).__name__} has no place in a row")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is a string, not {key!r}")
    return key
