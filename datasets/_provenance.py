"""The `whyset` column of a record that comes in: ours of an earlier pass, or somebody else's."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from whyset.errors import DatasetError

from ._json import NotJson, dumps, loads_text
from ._row import COLUMN

# ---- The `whyset` column as it is written: one JSON text, in every form of file.


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


_OURS = frozenset({"outcome", "generator", "version"})


def earlier_pass(columns: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the provenance that an earlier pass left, be it as an object or as JSON of one."""
    held = columns.get(COLUMN)
    if isinstance(held, str) and held.startswith("{"):
        try:
            held = loads_text(held)
        except NotJson:
            return None
    return held if isinstance(held, dict) and held.keys() >= _OURS else None


def room_for_provenance(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns in which the name of the provenance column is free.

    What an earlier pass left there goes; somebody else's column of that name stays, in its place,
    under the first free name of `whyset_original`, `whyset_original_2`, …
    """
    if COLUMN not in columns:
        return dict(columns)
    if earlier_pass(columns) is not None:
        return {name: value for name, value in columns.items() if name != COLUMN}
    free = f"{COLUMN}_original"
    if free in columns:
        free = next(f"{free}_{n}" for n in count(2) if f"{free}_{n}" not in columns)
    return {free if name == COLUMN else name: value for name, value in columns.items()}
