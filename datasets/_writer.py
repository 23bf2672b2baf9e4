"""Rows out, as JSON or as a table, that appear whole or not at all; and lines of quarantine."""

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from ._json import dumps, loads
from ._row import PROVENANCE_COLUMN, BadRow
from .files import FileFormat, Source, format_from_name
from .files._atomic import (
    STDOUT,
    AtomicFile,
    AtomicFolder,
    partial_path,
    reporting_unwritable,
    unwritable_error,
)
from .files._csv import write_csv
from .files._detect import JSON_LINES, TABLE_FORMATS

if TYPE_CHECKING:
    import pyarrow as pa


def open_writer(target: str | Path, source: Source | None = None) -> "RowWriter":
    """Open what rows are written to.

    Its name says what it is: `.jsonl`, `.json`, `.csv`, `.tsv`, each also with `.gz` or `.zst`;
    `.parquet`, `.arrow`, `.feather`; a name that ends in a slash, or is an existing folder, gets
    Parquet files. A name that says nothing gets what the source is.

    Args:
        target: Its name; `-` is standard output, which gets JSON lines.
        source: Where the rows come from: columns of a table keep their types.

    Raises:
        DatasetError: It cannot be written to, or the source not be opened.
    """
    layout = detect_output_format(target, source)
    if layout.name in {"jsonl", "json"}:
        return LineWriter(target, layout)
    if layout.name not in TABLE_FORMATS:
        return TableWriter(target, _CsvTable(target, layout))
    schema = None if source is None else source.schema()
    return TableWriter(target, _ArrowTable(target, layout, schema))


def detect_output_format(target: str | Path, source: Source | None = None) -> FileFormat:
    """Return how rows are written to a target; see `open_writer`.

    Raises:
        DatasetError: The source cannot be read.
    """
    name = str(target)
    if name == STDOUT:
        return JSON_LINES
    if Path(name).is_dir():
        return FileFormat("folder")
    if Path(name).exists() and not Path(name).is_file():
        return JSON_LINES  # a device or a pipe
    if (named := format_from_name(name)) is not None:
        return named
    return JSON_LINES if source is None else source.file_format()


class RowWriter(ABC):
    """Writes rows to a file or folder that appears whole on `commit`; use it in a `with`.

    Left without `commit`, it leaves nothing behind and an existing target as it was.

    Attributes:
        count: Rows written so far.
    """

    count: int = 0

    @abstractmethod
    def write(self, line: bytes) -> None:
        """Append a row, given as JSON without a line end.

        Raises:
            DatasetError: It cannot be written (a full disk, say).
        """

    @abstractmethod
    def prepare(self) -> None:
        """Do all that can fail: write the rest, and bring it to the disk.

        Raises:
            DatasetError: That cannot be done, or a table cannot hold a value.
        """

    @abstractmethod
    def commit(self) -> None:
        """Prepare what is not prepared, and make the output appear under its name.

        Raises:
            DatasetError: That cannot be done.
        """

    @abstractmethod
    def discard(self) -> None:
        """Remove what was not committed."""

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Remove what was not committed."""
        self.discard()


class LineWriter(RowWriter):
    """Writes JSON lines to a file that appears whole on `commit`, or to standard output for `-`.

    A link is followed; what is no file (a device, a pipe) is written to as it is, at once.
    """

    def __init__(self, target: str | Path, layout: FileFormat = JSON_LINES) -> None:
        """Open a file beside the target.

        Args:
            target: The file, or `-`.
            layout: Lines or an array, packed or not.

        Raises:
            DatasetError: The target is a folder, or its folder does not exist or cannot be
                written to.
        """
        self._target = AtomicFile(target, packing=layout.compression)
        self._is_array = layout.name == "json"
        self._is_prepared = False

    def write(self, line: bytes) -> None:
        """Append a line, given without its line end."""
        if self._is_array:
            self._target.write((b",\n" if self.count else b"[\n") + line)
        else:
            self._target.write(line + b"\n")
        self.count += 1

    def prepare(self) -> None:
        """Bring to the disk what was written."""
        if self._is_prepared:
            return
        if self._is_array:
            self._target.write(b"\n]\n" if self.count else b"[]\n")
        self._target.close()
        self._is_prepared = True

    def commit(self, *, keep_empty: bool = True) -> None:
        """Make the file appear under its name.

        Args:
            keep_empty: Whether a file without lines appears too; otherwise an old file of that
                name is removed, which would speak of an earlier run.
        """
        self.prepare()
        if self.count or keep_empty:
            self._target.commit()
        else:
            self._target.remove()

    def discard(self) -> None:
        """Remove what was not committed."""
        self._target.discard()


class TableWriter(RowWriter):
    """Keeps rows as JSON until all columns are known, then writes the table in one go."""

    def __init__(self, target: str | Path, table: "_Table") -> None:
        self._name = str(target)
        self._table = table
        self._path = partial_path(Path(target)).with_suffix(".rows.part")
        self._is_prepared = False
        try:
            self._rows = self._path.open("w+b")
        except OSError as error:
            table.target.discard()
            raise unwritable_error(self._name, error) from error

    def write(self, line: bytes) -> None:
        self._table.add_columns(loads(line))
        with reporting_unwritable(self._name):
            self._rows.write(line + b"\n")
        self.count += 1

    def prepare(self) -> None:
        if self._is_prepared:
            return
        with reporting_unwritable(self._name):
            self._rows.seek(0)
            self._table.write(line.removesuffix(b"\n") for line in self._rows)
        self._is_prepared = True

    def commit(self) -> None:
        self.prepare()
        self._table.target.commit()

    def discard(self) -> None:
        self._table.target.discard()
        with suppress(OSError):
            self._rows.close()
        self._path.unlink(missing_ok=True)


class _Table(Protocol):
    @property
    def target(self) -> AtomicFile | AtomicFolder:
        """Where the table goes."""

    def add_columns(self, row: dict[str, Any]) -> None:
        """Take notice of a row's columns."""

    def write(self, lines: Iterable[bytes]) -> None:
        """Write all rows, given as JSON."""


class _CsvTable:
    """CSV or TSV: a header, and a cell for each column."""

    def __init__(self, target: str | Path, layout: FileFormat) -> None:
        self.target = AtomicFile(target, packing=layout.compression)
        self._delimiter = "\t" if layout.name == "tsv" else ","
        self._names: dict[str, None] = {}

    def add_columns(self, row: dict[str, Any]) -> None:
        self._names.update(dict.fromkeys(row))

    def write(self, lines: Iterable[bytes]) -> None:
        names = sorted(self._names, key=lambda name: name == PROVENANCE_COLUMN)
        for line in write_csv(names, map(loads, lines), delimiter=self._delimiter):
            self.target.write(line)
        self.target.close()


class _ArrowTable:
    """Parquet, Arrow, or a folder of Parquet."""

    def __init__(self, target: str | Path, layout: FileFormat, schema: "pa.Schema | None") -> None:
        from .files._arrow_schema import SchemaBuilder

        self._columns = SchemaBuilder(schema)
        self._is_arrow = layout.name == "arrow"
        self.target = AtomicFolder(target) if layout.name == "folder" else AtomicFile(target)

    def add_columns(self, row: dict[str, Any]) -> None:
        self._columns.add_row(row)

    def write(self, lines: Iterable[bytes]) -> None:
        from .files._arrow import write_arrow, write_parquet, write_shards

        if isinstance(self.target, AtomicFolder):
            write_shards(lines, self._columns, self.target.part)
            return
        write = write_arrow if self._is_arrow else write_parquet
        write(lines, self._columns, self.target.stream)
        self.target.close()


def build_quarantine_line(
    line: int,
    reasons: tuple[str, ...],
    content: BadRow | Mapping[str, Any],
    *,
    source: str = "",
    **detail: Any,
) -> bytes:
    """Return a line of the quarantine file: where, why, and the row as it stood.

    Args:
        line: The row's line in the source.
        reasons: Why it is here.
        content: A bad row, kept as text (or base64 where it is not UTF-8), or a row's columns.
        source: The file and the line in it, where several files are read.
        detail: What else is known, such as the failed checks.

    Raises:
        DatasetError: The columns or the detail cannot be written as JSON.
    """
    place = {"source": source} if source else {}
    entry: dict[str, Any] = {"line": line, **place, "reasons": list(reasons), **detail}
    if isinstance(content, BadRow):
        try:
            entry["raw"] = content.raw.decode("utf-8")
        except UnicodeDecodeError:
            entry["raw_base64"] = base64.b64encode(content.raw).decode("ascii")
    else:
        entry["row"] = dict(content)
    return dumps(entry)
