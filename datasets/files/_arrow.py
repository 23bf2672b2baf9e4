"""Parquet and Arrow files → records, a few at a time; and rows, given as JSON → such files."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from whyset.errors import DatasetError

from .._json import InvalidJson, loads
from .._row import BadRow
from ._arrow_schema import SchemaBuilder
from ._arrow_types import (
    Converter,
    UnsupportedType,
    decode_dictionary_type,
    is_finite,
    json_encoder,
    plain_type,
)
from ._record import Record, check_duplicate_columns, serialise_record

_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1000
_READ_BUFFER = 1 << 20
# Of so many rows the values are still in the processor's cache when their JSON is written.
_MAX_PIECE_ROWS = 250
_GROUP_BYTES = 16 << 20
_GROUP_ROWS = 10_000
_SHARD_BYTES = 512 << 20


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
    stated = table.count_rows()
    if stated is not None and stated != line:
        raise DatasetError(
            f"{name}: declares {stated:,} rows, but holds {line:,}: it is damaged; nothing "
            "was written. Fetch or make the file anew"
        )


def open_table(path: str, name: str, *, parquet: bool) -> ArrowSource:
    """Open a Parquet file, or an Arrow IPC file or stream."""
    try:
        return ParquetTable(path) if parquet else ArrowTable(path)
    except (pa.ArrowException, OSError) as error:
        kind = "Parquet" if parquet else "Arrow"
        raise DatasetError(
            f"{name}: is damaged or cut off, or no {kind} file ({summarise_error(error)}); fetch "
            "or make it anew"
        ) from error


def unify_schemas(schemas: list[tuple[str, pa.Schema]]) -> pa.Schema:
    """Return one schema for the parts of an input, by name; numbers take the wider type.

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


class ParquetTable:
    """A Parquet file."""

    def __init__(self, path: str) -> None:
        # Pages are read one by one: a row group may be as large as the file.
        self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BUFFER)
        self.schema: pa.Schema = self._file.schema_arrow

    def count_rows(self) -> int:
        return int(self._file.metadata.num_rows)

    def iter_batches(self) -> Iterator[pa.RecordBatch]:
        footer = self._file.metadata
        groups = map(footer.row_group, range(footer.num_row_groups))
        size = sum(group.total_byte_size for group in groups)
        yield from self._file.iter_batches(_batch_size(size, footer.num_rows))


class ArrowTable:
    """An Arrow IPC file or stream; it is mapped into memory, so that the system may let it go."""

    def __init__(self, path: str) -> None:
        self._path = path
        with pa.memory_map(path) as file:
            self.schema: pa.Schema = _open_arrow(file).schema

    def count_rows(self) -> int:
        """Count the rows by what each batch says of itself."""
        return sum(batch.num_rows for batch in self._read_batches())

    def iter_batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self._read_batches():
            # What stands in such a file is taken as it is; offsets that lie would end the process.
            batch.validate(full=True)
            yield from split_batch(batch)

    def _read_batches(self) -> Iterator[pa.RecordBatch]:
        with pa.memory_map(self._path) as file:
            reader = _open_arrow(file)
            if isinstance(reader, pa.ipc.RecordBatchFileReader):
                yield from map(reader.get_batch, range(reader.num_record_batches))
            else:
                yield from reader


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
                f"{name}: the column {column.name!r} has an unsupported type: {error}; "
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
        yield BadRow(line + 1, _describe_error(error), _serialise_batch(batch))
        return
    yield from map(serialise_record, count(line + 1), rows)


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


def _describe_error(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "a text that is not UTF-8"
    return str(error)


def _serialise_batch(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole


# ---- Writing, once all columns are known.


def write_parquet(lines: Iterable[bytes], columns: SchemaBuilder, stream: BinaryIO) -> None:
    """Write rows, given as JSON, to a Parquet file."""
    schema = columns.build_schema()
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _group_rows(lines):
            writer.write_table(columns.build_table(group.rows, schema))


def write_arrow(lines: Iterable[bytes], columns: SchemaBuilder, stream: BinaryIO) -> None:
    """Write rows, given as JSON, to an Arrow IPC file.

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
    """Write rows, given as JSON, to the Parquet files of a folder."""
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


def _shard_path(folder: Path, number: int) -> Path:
    return folder / f"data-{number:05}.parquet"


class _RowGroup(NamedTuple):
    rows: list[dict[str, Any]]
    size: int


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
