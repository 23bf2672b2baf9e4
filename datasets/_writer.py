"""Rows out as JSON: lines, or one array, that appear whole or not at all."""

import base64
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

from ._json import dumps, loads
from ._row import PROVENANCE_COLUMN, BadRow
from .files import FileFormat, Source, format_from_name
from .files._atomic import STDOUT, AtomicFile, AtomicFolder, partial_path, unwritable_error
from .files._csv import format_cell
from .files._detect import JSON_LINES, TABLE_FORMATS

if TYPE_CHECKING:
    import pyarrow as pa


class LineWriter(AbstractContextManager["LineWriter"]):
    """Writes JSON lines to a file that appears whole on `commit`, or to standard output for `-`.

    Left without `commit`, it leaves nothing behind and an existing target as it was. A link is
    followed; what is no file (a device, a pipe) is written to as it is, at once.

    Attributes:
        count: Lines written so far.
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
        self.count = 0
        self._target = AtomicFile(target, packing=layout.compression)
        self._array = layout.name == "json"
        self._finished = False

    def write(self, line: bytes) -> None:
        """Append one line, given without its line end.

        Raises:
            DatasetError: It cannot be written (a full disk, say).
        """
        if self._array:
            self._target.write((b",\n" if self.count else b"[\n") + line)
        else:
            self._target.write(line + b"\n")
        self.count += 1

    def prepare(self) -> None:
        """Bring to the disk what was written; what can fail has failed after that.

        Raises:
            DatasetError: That cannot be done.
        """
        if self._finished:
            return
        if self._array:
            self._target.write(b"\n]\n" if self.count else b"[]\n")
        self._target.close()
        self._finished = True

    def commit(self, *, keep_empty: bool = True) -> None:
        """Make the file appear under its name.

        Args:
            keep_empty: Whether a file without lines appears too; otherwise an old file of that
                name is removed, which would speak of an earlier run.

        Raises:
            DatasetError: What was written cannot be brought to the disk or to its name.
        """
        self.prepare()
        if self.count or keep_empty:
            self._target.commit()
        else:
            self._target.remove()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not committed."""
        self._target.discard()

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self


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


# ---- Rows out as a table: kept as JSON until all columns are known, then written in one go.


class RowWriter(Protocol):
    """Writes rows to a file or folder that appears whole on `commit`; use it in a `with`.

    Attributes:
        count: Rows written so far.
    """

    count: int

    def write(self, line: bytes) -> None:
        """Append a row, given as JSON without a line end."""

    def prepare(self) -> None:
        """Do all that can fail."""

    def commit(self) -> None:
        """Make the output appear under its name."""

    def __enter__(self) -> Self:
        """Return the writer itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not committed."""


def open_writer(target: str | Path, source: Source | None = None) -> RowWriter:
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
        return TableWriter(target, lambda: _CsvTableFile(target, layout))
    schema = None if source is None else source.schema()
    return TableWriter(target, lambda: _ArrowTableFile(target, layout, schema))


def detect_output_format(target: str | Path, source: Source | None = None) -> FileFormat:
    """Return how rows are written to a target; see `open_writer`.

    Raises:
        DatasetError: The source cannot be read.
    """
    name = str(target)
    if name == STDOUT:
        return FileFormat()
    if Path(name).is_dir():
        return FileFormat("folder")
    if Path(name).exists() and not Path(name).is_file():
        return FileFormat()  # a device or a pipe
    if (named := format_from_name(name)) is not None:
        return named
    return FileFormat() if source is None else source.file_format()


class _TableFile(Protocol):
    """What rows become in the end."""

    @property
    def target(self) -> AtomicFile | AtomicFolder:
        """Where they go; it appears, or is discarded."""

    def add(self, line: bytes) -> None:
        """Take notice of a row."""

    def write(self, lines: Iterable[bytes]) -> None:
        """Write all rows."""


class TableWriter(AbstractContextManager["TableWriter"]):
    """Writes rows whose columns are known once there are no more.

    Attributes:
        count: Rows written so far.
    """

    def __init__(self, target: str | Path, open_table: Callable[[], _TableFile]) -> None:
        """Open a file for the rows beside the target.

        Args:
            target: The file or folder that is to appear.
            open_table: Opens what the rows become.

        Raises:
            DatasetError: Nothing can be written there.
        """
        self.count = 0
        self._name = str(target)
        self._table = open_table()
        self._rows = partial_path(Path(target)).with_suffix(".rows.part")
        self._prepared = False
        try:
            self._kept: BinaryIO = self._rows.open("w+b")
        except OSError as error:
            self._table.target.discard()
            raise unwritable_error(self._name, error) from error

    def write(self, line: bytes) -> None:
        """Keep a row.

        Raises:
            DatasetError: It cannot be kept (a full disk, say).
        """
        self._table.add(line)
        try:
            self._kept.write(line + b"\n")
        except OSError as error:
            raise unwritable_error(self._name, error) from error
        self.count += 1

    def prepare(self) -> None:
        """Write the table.

        Raises:
            DatasetError: It cannot be written, or cannot hold a value.
        """
        if self._prepared:
            return
        try:
            self._kept.flush()
            self._kept.seek(0)
            self._table.write(line.removesuffix(b"\n") for line in self._kept)
        except OSError as error:
            raise unwritable_error(self._name, error) from error
        self._prepared = True

    def commit(self) -> None:
        """Make the table appear under its name.

        Raises:
            DatasetError: It cannot be written or renamed, or cannot hold a value.
        """
        self.prepare()
        self._table.target.commit()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the rows that were kept, and what was not committed."""
        self._table.target.discard()
        with suppress(OSError):
            self._kept.close()
        self._rows.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self


class _ArrowTableFile:
    """Parquet, Arrow, or a folder of Parquet."""

    def __init__(self, target: str | Path, layout: FileFormat, schema: "pa.Schema | None") -> None:
        from .files import SchemaBuilder

        self._columns = SchemaBuilder(schema)
        self._form = layout.name
        self.target = AtomicFolder(target) if layout.name == "folder" else AtomicFile(target)

    def add(self, line: bytes) -> None:
        self._columns.add_row(loads(line))

    def write(self, lines: Iterable[bytes]) -> None:
        from .files import write_arrow, write_parquet, write_shards

        if isinstance(self.target, AtomicFolder):
            write_shards(lines, self._columns, self.target.part)
            return
        write = write_arrow if self._form == "arrow" else write_parquet
        write(lines, self._columns, self.target.stream)
        self.target.close()


class _CsvTableFile:
    """CSV or TSV: a header, and a cell for each column."""

    def __init__(self, target: str | Path, layout: FileFormat) -> None:
        self.target = AtomicFile(target, packing=layout.compression)
        self._delimiter = "\t" if layout.name == "tsv" else ","
        self._names: dict[str, None] = {}

    def add(self, line: bytes) -> None:
        self._names.update(dict.fromkeys(loads(line)))

    def write(self, lines: Iterable[bytes]) -> None:
        names = sorted(self._names, key=lambda name: name == PROVENANCE_COLUMN)
        for data in self._cells(names, lines):
            self.target.write(data)
        self.target.close()

    def _cells(self, names: list[str], lines: Iterable[bytes]) -> Iterator[bytes]:
        text = io.StringIO()
        # A cell with either of the line end's characters is quoted; the line end itself is LF.
        write = csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerow
        write(names)
        yield _parse_row(text)
        for line in lines:
            row = loads(line)
            write([format_cell(row.get(name)) for name in names])
            yield _parse_row(text)


def _parse_row(text: io.StringIO) -> bytes:
    row = text.getvalue().removesuffix("\r\n") + "\n"
    text.seek(0)
    text.truncate()
    return row.encode()
