"""The `whyset` column as it is written: one JSON text, in every form of file.

Provenance differs from row to row: a check that another row has not, null where another has an
object, a response that was a list. Readers that infer a schema from the first rows (the datasets
library, for one) then fail at a later one; a text they always read.
"""

from collections.abc import Mapping
from typing import Any

from whyset.errors import DatasetError

from ._json import NotJson, dumps, loads_text
from ._row import COLUMN


def with_provenance_as_text(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's columns with the provenance as JSON text.

    Raises:
        DatasetError: It cannot be written as JSON.
    """
    held = columns.get(COLUMN)
    if not isinstance(held, Mapping):
        return dict(columns)
    return {**columns, COLUMN: dumps(dict(held)).decode()}


def provenance_of(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of a row that whyset wrote, be it read from a file or just made.

    Raises:
        DatasetError: It has none.
    """
    held = columns.get(COLUMN)
    if isinstance(held, str):
        try:
            held = loads_text(held)
        except NotJson:
            held = None
    if not isinstance(held, Mapping):
        raise DatasetError(f"a row without provenance: it has no {COLUMN!r} column of ours")
    return dict(held)
