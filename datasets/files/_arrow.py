"""Parquet and Arrow files → records, some at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from whyset.errors import DatasetError

from .._json import InvalidJson, dumps, loads
from .._row import PROVENANCE_COLUMN, BadRow
from ._arrow_types import (
    Converter,
    NullNode,
    StructNode,
    TypeNode,
    UnsupportedType,
    build_node_array,
    decode_dictionary_type,
    is_finite,
    json_encoder,
    merge_value,
    node_from_type,
    node_to_field,
    plain_type,
    struct_from_schema,
)
from ._jsonl import MAX_LINE, Record, check_duplicate_columns, reject_long_line

# ---- Rows that were written down as JSON → Parquet and Arrow, once all of their columns are
# known.

_GROUP_BYTES = 16 << 20
_GROUP_ROWS = 10_000
_SHARD_BYTES = 512 << 20


class SchemaBuilder:
    """The columns of rows that are being written; see `_columns` for what types they get."""

    def __init__(self, schema: pa.Schema | None) -> None:
        """Begin.

        Args:
            schema: The source's; `None` where it has none.
        """
        self._source = schema
        given = (
            []
            if schema is None
            else [column for column in schema if column.name != PROVENANCE_COLUMN]
        )
        self._root: StructNode = struct_from_schema(given, whole=True)
        self._seen: set[str] = set()

    def add_row(self, columns: dict[str, Any]) -> None:
        """Take notice of a row."""
        for name in columns:
            if name not in self._seen:
                self._seen.add(name)
                self._root.fields.setdefault(name, self._renamed(name))
        merge_value(self._root, columns)

    def build_schema(self) -> pa.Schema:
        """Return the columns that any row has, in the source's order; provenance is last."""
        names = [name for name in self._root.fields if not self._seen or name in self._seen]
        names.sort(key=lambda name: name == PROVENANCE_COLUMN)
        columns = [node_to_field(name, self._root.fields[name], self._root) for name in names]
        return pa.schema(columns, metadata=None if self._source is None else self._source.metadata)

    def build_table(self, rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
        """Make a table of rows.

        Raises:
            DatasetError: A value has no place in its column.
        """
        arrays = []
        for column in schema:
            values = [row.get(column.name) for row in rows]
            try:
                arrays.append(build_node_array(self._root.fields[column.name], values, column.type))
            except (ValueError, TypeError, pa.ArrowException) as error:
                raise DatasetError(
                    f"the column {column.name!r} cannot be written as {column.type}: {error}; "
                    "write JSON lines instead"
                ) from error
        return pa.Table.from_arrays(arrays, schema=schema)

    def _renamed(self, name: str) -> TypeNode:
        """Return what is known of a new column: somebody's own `whyset` comes under this name."""
        if name != f"{PROVENANCE_COLUMN}_original" or self._source is None:
            return NullNode()
        held = self._source.get_field_index(PROVENANCE_COLUMN)
        return NullNode() if held < 0 else node_from_type(self._source.field(held).type)


class _RowGroup(NamedTuple):
    rows: list[dict[str, Any]]
    size: int


def write_parquet(lines: Iterable[bytes], columns: SchemaBuilder, stream: BinaryIO) -> None:
    """Write rows, given as JSON, to a Parquet file.

    Raises:
        DatasetError: A value has no place in its column.
        OSError: They cannot be written.
    """
    schema = columns.build_schema()
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _group_rows(lines):
            writer.write_table(columns.build_table(group.rows, schema))


def write_arrow(lines: Iterable[bytes], columns: SchemaBuilder, stream: BinaryIO) -> None:
    """Write rows, given as JSON, to an Arrow IPC file; see `write_parquet`.

    Dictionaries within lists and structs become plain values: such a file has room for but one.
    """
    schema = columns.build_schema()
    for index, column in enumerate(schema):
        if not pa.types.is_dictionary(column.type):
            plain = column.with_type(decode_dictionary_type(column.type))
            schema = schema.set(index, plain)
    with pa.ipc.new_file(stream, schema) as writer:
        for group in _group_rows(lines):
            writer.write_table(columns.build_table(group.rows, schema))


def write_shards(lines: Iterable[bytes], columns: SchemaBuilder, folder: Path) -> None:
    """Write rows, given as JSON, to the Parquet files of a folder; see `write_parquet`."""
    schema = columns.build_schema()
    groups, shards, rest = _group_rows(lines), 0, True
    while rest:
        size, rest = 0, False
        with pq.ParquetWriter(_shard_path(folder, shards), schema, compression="zstd") as writer:
            for group in groups:
                writer.write_table(columns.build_table(group.rows, schema))
                size += group.size
                if size >= _SHARD_BYTES:
                    rest = True
                    break
        shards += 1
    for number in range(shards):
        _shard_path(folder, number).rename(folder / f"data-{number:05}-of-{shards:05}.parquet")


def unify_schemas(schemas: list[tuple[str, pa.Schema]]) -> pa.Schema:
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


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"data-{number:05}.parquet"


def _group_rows(lines: Iterable[bytes]) -> Iterator[_RowGroup]:
    """Yield rows in groups that fit into memory; which rows go together, only the rows decide."""
    rows: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        rows.append(loads(line))
        size += len(line)
        if size >= _GROUP_BYTES or len(rows) >= _GROUP_ROWS:
            yield _RowGroup(rows, size)
            rows, size = [], 0
    if rows:
        yield _RowGroup(rows, size)


_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1000
_READ_BUFFER = 1 << 20
# Of so many rows the values are still in the processor's cache when their JSON is written.
_MAX_PIECE_ROWS = 250


class ArrowSource(Protocol):
    """Rows that have a schema."""

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types."""

    def count_rows(self) -> int | None:
        """Return how many rows there are, where that is known without reading them."""

    def iter_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, a few at a time."""


def read_table(table: ArrowSource, name: str) -> Iterator[Record | BadRow]:
    """Yield a table's rows as records, numbered from 1.

    Args:
        table: The table.
        name: What to call it in messages.

    Raises:
        DatasetError: It cannot be read to its end, has two columns of one name, or a column of a
            type that rows cannot have.
    """
    _check_readable_types(table.schema, name)
    line = 0
    try:
        for batch in table.iter_batches():
            for start in range(0, batch.num_rows, _MAX_PIECE_ROWS):
                yield from _batch_to_records(batch.slice(start, _MAX_PIECE_ROWS), line + start)
            line += batch.num_rows
    except (pa.ArrowException, OSError, EOFError) as error:
        raise DatasetError(
            f"{name}: cannot be read beyond row {line:,}: it is damaged or cut off "
            f"({summarise_error(error)}); nothing was written. Fetch or make the file anew"
        ) from error
    told = table.count_rows()
    if told is not None and told != line:
        raise DatasetError(
            f"{name}: says that it has {told:,} rows, but holds {line:,}: it is damaged; nothing "
            "was written. Fetch or make the file anew"
        )


def open_table(path: str, name: str, *, parquet: bool) -> ArrowSource:
    """Open a Parquet file, or an Arrow IPC file or stream.

    Raises:
        DatasetError: It cannot be opened.
    """
    try:
        return ParquetTable(path) if parquet else ArrowTable(path)
    except (pa.ArrowException, OSError) as error:
        kind = "Parquet" if parquet else "Arrow"
        raise DatasetError(
            f"{name}: is damaged or cut off, or no {kind} file ({summarise_error(error)}); fetch or make "
            "it anew"
        ) from error


class ParquetTable:
    """A Parquet file."""

    def __init__(self, path: str) -> None:
        # Pages are read one by one: a row group may be as large as the file.
        self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BUFFER)
        self.schema: pa.Schema = self._file.schema_arrow

    def count_rows(self) -> int:
        """Return how many rows its footer says it has."""
        return int(self._file.metadata.num_rows)

    def iter_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows."""
        footer = self._file.metadata
        size = sum(
            footer.row_group(group).total_byte_size for group in range(footer.num_row_groups)
        )
        yield from self._file.iter_batches(_batch_size(size, footer.num_rows))


@dataclass
class ArrowTable:
    """An Arrow IPC file or stream; it is mapped into memory, so that the system may let it go."""

    path: str
    schema: pa.Schema = field(init=False)

    def __post_init__(self) -> None:
        """Read the schema."""
        with pa.memory_map(self.path) as file:
            self.schema = _open_arrow(file).schema

    def count_rows(self) -> int:
        """Count the rows by what each batch says of itself."""
        with pa.memory_map(self.path) as file:
            return sum(batch.num_rows for batch in _read_batches(_open_arrow(file)))

    def iter_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows."""
        with pa.memory_map(self.path) as file:
            for batch in _read_batches(_open_arrow(file)):
                # What stands in such a file is taken as it is; offsets that lie would end the
                # process.
                batch.validate(full=True)
                yield from split_batch(batch)


def split_batch(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in pieces whose values fit into memory."""
    rows = _batch_size(batch.nbytes, batch.num_rows)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def summarise_error(error: Exception) -> str:
    """Return the first line of what a library says of an error."""
    return str(error).strip().split("\n")[0].rstrip(".")


def _open_arrow(file: pa.NativeFile) -> Any:
    if file.read(6) == b"ARROW1":
        return pa.ipc.open_file(file)
    file.seek(0)
    return pa.ipc.open_stream(file)


def _read_batches(reader: Any) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    else:
        yield from reader


def _batch_size(size: int, rows: int) -> int:
    """Return how many rows make a batch, of a number of rows that take so many bytes together."""
    return max(1, min(_BATCH_ROWS, rows * _BATCH_BYTES // max(size, 1)))


def _check_readable_types(schema: pa.Schema, name: str) -> None:
    check_duplicate_columns(schema.names, name)
    for column in schema:
        try:
            json_encoder(column.type)
        except UnsupportedType as error:
            raise DatasetError(
                f"{name}: the column {column.name!r} has a type that rows cannot have: {error}; "
                "cast it or leave it out"
            ) from error


def _batch_to_records(batch: pa.RecordBatch, line: int) -> Iterator[Record | BadRow]:
    try:
        rows = _batch_to_values(batch)
    except (InvalidJson, ValueError, pa.ArrowException) as error:
        if batch.num_rows > 1:
            for index in range(batch.num_rows):
                yield from _batch_to_records(batch.slice(index, 1), line + index)
            return
        yield BadRow(line + 1, _stated_row_count(error), _open_as_stream(batch))
        return
    for number, columns in enumerate(rows, line + 1):
        raw = dumps(columns)
        yield reject_long_line(number, raw) if len(raw) > MAX_LINE else Record(number, columns, raw)


def _batch_to_values(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    changes: dict[str, Converter] = {}
    arrays = []
    for column, array in zip(batch.schema, batch.columns, strict=True):
        wanted = plain_type(column.type)
        array = array if wanted == column.type else array.cast(wanted)
        # Whether all floats are numbers is looked at only where that may spare the change.
        if json_encoder(column.type) and (
            change := json_encoder(column.type, finite=is_finite(array))
        ):
            changes[column.name] = change
        arrays.append(array)
    rows: list[dict[str, Any]] = pa.RecordBatch.from_arrays(arrays, batch.schema.names).to_pylist()
    for name, change in changes.items():
        for row in rows:
            if row[name] is not None:
                row[name] = change(row[name])
    return rows


def _stated_row_count(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a text that is not UTF-8"
    return str(error)


def _open_as_stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole
