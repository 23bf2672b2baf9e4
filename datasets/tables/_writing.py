"""Rows that were written down as JSON → Parquet and Arrow, once all of their columns are known."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from whyset.errors import DatasetError

from .._json import loads
from .._row import COLUMN
from ._columns import Fields, Node, Unknown, absorb, array_in, field_of, fields_of, node_of
from ._types import without_dictionaries

_GROUP_BYTES = 16 << 20
_GROUP_ROWS = 10_000
_SHARD_BYTES = 512 << 20


class Columns:
    """The columns of rows that are being written; see `_columns` for what types they get."""

    def __init__(self, schema: pa.Schema | None) -> None:
        """Begin.

        Args:
            schema: The source's; `None` where it has none.
        """
        self._source = schema
        given = [] if schema is None else [column for column in schema if column.name != COLUMN]
        self._root: Fields = fields_of(given, whole=True)
        self._seen: set[str] = set()

    def add(self, columns: dict[str, Any]) -> None:
        """Take notice of a row."""
        for name in columns:
            if name not in self._seen:
                self._seen.add(name)
                self._root.inner.setdefault(name, self._renamed(name))
        absorb(self._root, columns)

    def schema(self) -> pa.Schema:
        """Return the columns that any row has, in the source's order; provenance is last."""
        names = [name for name in self._root.inner if not self._seen or name in self._seen]
        names.sort(key=lambda name: name == COLUMN)
        columns = [field_of(name, self._root.inner[name], self._root) for name in names]
        return pa.schema(columns, metadata=None if self._source is None else self._source.metadata)

    def table(self, rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
        """Make a table of rows.

        Raises:
            DatasetError: A value has no place in its column.
        """
        arrays = []
        for column in schema:
            values = [row.get(column.name) for row in rows]
            try:
                arrays.append(array_in(self._root.inner[column.name], values, column.type))
            except (ValueError, TypeError, pa.ArrowException) as error:
                raise DatasetError(
                    f"the column {column.name!r} cannot be written as {column.type}: {error}; "
                    "write JSON lines instead"
                ) from error
        return pa.Table.from_arrays(arrays, schema=schema)

    def _renamed(self, name: str) -> Node:
        """Return what is known of a new column: somebody's own `whyset` comes under this name."""
        if name != f"{COLUMN}_original" or self._source is None:
            return Unknown()
        held = self._source.get_field_index(COLUMN)
        return Unknown() if held < 0 else node_of(self._source.field(held).type)


class _Group(NamedTuple):
    rows: list[dict[str, Any]]
    size: int


def write_parquet(lines: Iterable[bytes], columns: Columns, stream: BinaryIO) -> None:
    """Write rows, given as JSON, to a Parquet file.

    Raises:
        DatasetError: A value has no place in its column.
        OSError: They cannot be written.
    """
    schema = columns.schema()
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(lines):
            writer.write_table(columns.table(group.rows, schema))


def write_arrow(lines: Iterable[bytes], columns: Columns, stream: BinaryIO) -> None:
    """Write rows, given as JSON, to an Arrow IPC file; see `write_parquet`.

    Dictionaries within lists and structs become plain values: such a file has room for but one.
    """
    schema = columns.schema()
    for index, column in enumerate(schema):
        if not pa.types.is_dictionary(column.type):
            plain = column.with_type(without_dictionaries(column.type))
            schema = schema.set(index, plain)
    with pa.ipc.new_file(stream, schema) as writer:
        for group in _groups(lines):
            writer.write_table(columns.table(group.rows, schema))


def write_shards(lines: Iterable[bytes], columns: Columns, folder: Path) -> None:
    """Write rows, given as JSON, to the Parquet files of a folder; see `write_parquet`."""
    schema = columns.schema()
    groups, shards, rest = _groups(lines), 0, True
    while rest:
        size, rest = 0, False
        with pq.ParquetWriter(_shard(folder, shards), schema, compression="zstd") as writer:
            for group in groups:
                writer.write_table(columns.table(group.rows, schema))
                size += group.size
                if size >= _SHARD_BYTES:
                    rest = True
                    break
        shards += 1
    for number in range(shards):
        _shard(folder, number).rename(folder / f"data-{number:05}-of-{shards:05}.parquet")


def unify(schemas: list[tuple[str, pa.Schema]]) -> pa.Schema:
    """Return one schema for the parts of an input; integers and floats take the wider type.

    Args:
        schemas: What each part is called, and its schema.

    Raises:
        DatasetError: A column has types that are not of one kind.
    """
    name, whole = schemas[0]
    for other, schema in schemas[1:]:
        try:
            whole = pa.unify_schemas([whole, schema], promote_options="permissive")
        except pa.ArrowException as error:
            raise DatasetError(
                f"{name} and {other} cannot be one table: {error}; work on them one by one"
            ) from error
    return whole


def _shard(folder: Path, number: int) -> Path:
    return folder / f"data-{number:05}.parquet"


def _groups(lines: Iterable[bytes]) -> Iterator[_Group]:
    """Yield rows in groups that fit into memory; which rows go together, only the rows decide."""
    rows: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        rows.append(loads(line))
        size += len(line)
        if size >= _GROUP_BYTES or len(rows) >= _GROUP_ROWS:
            yield _Group(rows, size)
            rows, size = [], 0
    if rows:
        yield _Group(rows, size)
