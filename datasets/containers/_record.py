"""What containers yield: records that are parsed, and beside them `BadRow`s that could not be."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from whyset.errors import DatasetError

from .._row import BadRow

MAX_LINE = 64 * 1024 * 1024
"""The longest record that is read as a row, in bytes of JSON; a longer one goes to quarantine."""


class Record(NamedTuple):
    """A record of a dataset.

    Attributes:
        line: Where it stands: its line, or its number in containers that have no lines; 1-based.
        columns: What it holds, as JSON values.
        raw: It as JSON, as it stood where it stood so: what it is known by.
    """

    line: int
    columns: dict[str, Any]
    raw: bytes


def too_long(line: int, raw: bytes) -> BadRow:
    """Return a record that is over the limit."""
    size, limit = len(raw) / 2**20, MAX_LINE // 2**20
    return BadRow(line, f"line too long: {size:.0f} MiB; the limit is {limit} MiB", raw)


def require_distinct(columns: Iterable[str], name: str) -> None:
    """Refuse columns of which two have one name.

    Args:
        columns: What they are called.
        name: What to call in messages what has them.

    Raises:
        DatasetError: Two do.
    """
    for column, times in Counter(columns).items():
        if times > 1:
            raise DatasetError(
                f"{name}: two columns are called {column!r}; rename or remove one of them"
            )
