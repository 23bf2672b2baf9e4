"""The `whyset` column: JSON text where we write it; on the way in ours or somebody else's."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from whyset.errors import DatasetError

from ._json import InvalidJson, dumps, loads_text
from ._row import PROVENANCE_COLUMN

_PROVENANCE_KEYS = frozenset({"outcome", "generator", "version"})


def serialise_provenance(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's columns with the provenance as JSON text.

    Raises:
        DatasetError: It cannot be written as JSON.
    """
    held = columns.get(PROVENANCE_COLUMN)
    if not isinstance(held, Mapping):
        return dict(columns)
    return {**columns, PROVENANCE_COLUMN: dumps(dict(held)).decode()}


def require_provenance(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of a row that whyset wrote, be it read from a file or just made.

    Raises:
        DatasetError: It has none.
    """
    held = columns.get(PROVENANCE_COLUMN)
    if isinstance(held, str):
        held = _parse_object(held)
    if not isinstance(held, Mapping):
        raise DatasetError(
            f"a row without provenance: it has no {PROVENANCE_COLUMN!r} column written by whyset"
        )
    return dict(held)


def find_provenance(columns: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the provenance that an earlier pass left, be it as an object or as JSON of one."""
    held = columns.get(PROVENANCE_COLUMN)
    if isinstance(held, str):
        held = _parse_object(held) if held.startswith("{") else None
    return held if isinstance(held, dict) and held.keys() >= _PROVENANCE_KEYS else None


def free_provenance_column(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns in which the name of the provenance column is free.

    What an earlier pass left there goes; somebody else's column of that name stays, in its place,
    under the first free name of `whyset_original`, `whyset_original_2`, …
    """
    if PROVENANCE_COLUMN not in columns:
        return dict(columns)
    if find_provenance(columns) is not None:
        return {name: value for name, value in columns.items() if name != PROVENANCE_COLUMN}
    free = f"{PROVENANCE_COLUMN}_original"
    if free in columns:
        free = next(f"{free}_{n}" for n in count(2) if f"{free}_{n}" not in columns)
    return {free if name == PROVENANCE_COLUMN else name: value for name, value in columns.items()}


def _parse_object(text: str) -> Any:
    try:
        return loads_text(text)
    except InvalidJson:
        return None
