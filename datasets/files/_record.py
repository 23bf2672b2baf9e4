"""What every container yields: records that are parsed, and `BadRow`s for what could not be."""

import base64
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from whyset.errors import DatasetError

from .._json import InvalidJson, dumps, loads
from .._row import BadRow
from ..shapes import describe_json_type

MAX_LINE = 64 * 1024 * 1024
"""The longest record that is read as a row, in bytes of JSON; a longer one goes to quarantine."""


class Record(NamedTuple):
    """A record of a dataset.

    Attributes:
        line: Its line, or its number in containers that have no lines; 1-based.
        columns: What it holds, as JSON values.
        raw: It as JSON, as it stood where it stood so: its digest is that of the row.
    """

    line: int
    columns: dict[str, Any]
    raw: bytes


def parse_record(line: int, raw: bytes, keys: int | None = None) -> Record | BadRow:
    """Parse a record that stands as JSON; `keys` is how many it has at most, where known."""
    if len(raw) > MAX_LINE:
        return _reject_long_line(line, raw)
    try:
        columns = loads(raw, keys=keys)
    except InvalidJson as error:
        return BadRow(line, str(error), raw)
    if type(columns) is not dict:
        return BadRow(line, f"not a JSON object but {describe_json_type(columns)}", raw)
    return Record(line, columns, raw)


def serialise_record(line: int, columns: dict[str, Any]) -> Record | BadRow:
    """Return columns that stood otherwise as a record.

    Raises:
        DatasetError: They hold what JSON cannot.
    """
    raw = dumps(columns)
    return _reject_long_line(line, raw) if len(raw) > MAX_LINE else Record(line, columns, raw)


def _reject_long_line(line: int, raw: bytes) -> BadRow:
    size, limit = len(raw) / 2**20, MAX_LINE // 2**20
    return BadRow(line, f"line too long: {size:.0f} MiB; the limit is {limit} MiB", raw)


def check_duplicate_columns(columns: Iterable[str], name: str) -> None:
    """Refuse columns of which two have one name.

    Raises:
        DatasetError: Two do; the message calls what has them by `name`.
    """
    for column, times in Counter(columns).items():
        if times > 1:
            raise DatasetError(
                f"{name}: two columns are called {column!r}; rename or remove one of them"
            )


# ---- Mappings that a library holds: what JSON has no value for becomes a text.


def read_mappings(values: Iterable[Any]) -> Iterator[Record | BadRow]:
    """Yield records of mappings.

    Raises:
        DatasetError: One is no mapping, or holds what has no JSON.
    """
    if isinstance(values, Mapping):
        raise DatasetError("rows are mappings, one after another; this is a single mapping")
    for number, value in enumerate(values, 1):
        if not isinstance(value, Mapping):
            raise DatasetError(f"row {number}: expected a mapping, got a {type(value).__name__}")
        try:
            record = serialise_record(number, _to_json_value(value))
        except (TypeError, DatasetError) as error:
            raise DatasetError(f"row {number}: {error}") from error
        yield record


def float_to_json(number: float) -> float | str:
    """Return a float as JSON has it: by its name where it is no number."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _to_json_value(value: Any) -> Any:
    """Return a value as JSON has it; mappings and sequences are copied."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float_to_json(value)
    if isinstance(value, Mapping):
        return {_check_key(key): _to_json_value(inner) for key, inner in value.items()}
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Sequence):
        return [_to_json_value(inner) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _to_json_value(value.tolist())
    raise TypeError(f"a {type(value).__name__} cannot be stored in a row")


def _check_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is a string, not {key!r}")
    return key
